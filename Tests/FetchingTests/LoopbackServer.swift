// What the web server of these tests does for each address.

import Foundation
import TestSupport

enum LoopbackServer {
    static func start() throws -> PythonServer { try PythonServer(script) }

    /// The same over TLS, with a certificate that nobody has signed but the server itself: key.pem and certificate.pem of
    /// `folder`.
    static func startWithTLS(in folder: Folder) throws -> PythonServer {
        let wrap = """
            import ssl
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain('certificate.pem', 'key.pem')
            server.socket = context.wrap_socket(server.socket, server_side=True)
            print(
            """
        return try PythonServer(script.replacing("print(", with: wrap), scheme: "https", in: folder)
    }

    /// What `ok` and the broken downloads after their repair consist of.
    static let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: ($0 &* $0) >> 3) })

    private static let script = """
        import gzip, http.server, os, sys, threading, time
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        content = bytes((i * i >> 3) & 255 for i in range(100000))
        seen = {}
        parts = ('cut', 'changed', 'beyond', 'lie', 'short', 'star')
        raw = {'garbage': b'\\x16\\x03\\x01garbage\\n' * 9, 'status': b'HTTP/1.1 abc OK\\r\\n\\r\\n', 'nothing': b'',
            'headless': b'HTTP/9.9\\r\\n\\r\\nhello', 'ssh': b'SSH-2.0-OpenSSH_9.2\\r\\n',
            'nowhere': b'HTTP/1.1 302 Found\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n',
            'blank': b'HTTP/1.1 302 Found\\r\\nLocation: \\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n'}
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *a): pass
            def reply(self, status, body, headers={}, length=None):
                self.send_response(status)
                for k, v in headers.items(): self.send_header(k, v)
                self.send_header('Connection', 'close')
                self.send_header('Content-Length', str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
            def chunks(self, body, whole):
                self.send_response(200)
                self.send_header('Transfer-Encoding', 'chunked')
                self.end_headers()
                for start in range(0, len(body) if whole else 40000, 20000):
                    self.wfile.write(b'%x\\r\\n' % 20000 + body[start:start + 20000] + b'\\r\\n')
                if whole: self.wfile.write(b'0\\r\\n\\r\\n')
            def do_GET(self):
                kind = self.path.strip('/').split('-')[0]
                visit = seen[self.path] = seen.get(self.path, 0) + 1
                ranged = self.headers.get('Range')
                tag = '"v1"'
                if kind == 'changed' and visit > 1: tag = '"v2"'
                whole = content if tag == '"v1"' else content[::-1]
                self.close_connection = True
                if kind == 'ok': self.reply(200, content, {'ETag': tag})
                elif kind in parts and visit == 1:
                    self.reply(200, content[:40000], {'ETag': tag}, length=len(content))
                elif kind == 'beyond' and ranged: self.reply(416, b'<html>no</html>')
                elif kind == 'lie' and ranged: self.reply(206, b'<html>', {'Content-Range': 'bytes 0-5/6'})
                elif kind in parts:
                    if ranged and self.headers.get('If-Range') == tag:
                        start = int(ranged[6:-1])
                        end = min(start + 30000, len(whole)) if kind == 'short' else len(whole)
                        total = '*' if kind == 'star' else len(whole)
                        self.reply(206, whole[start:end], {'ETag': tag, 'Content-Range':
                            'bytes %d-%d/%s' % (start, end - 1, total)})
                    else: self.reply(200, whole, {'ETag': tag})
                elif kind == 'status': self.reply(int(self.path.split('-')[1]), b'<html>error page</html>')
                elif kind == 'stall':
                    self.reply(200, content[:1000], length=len(content))
                    time.sleep(20)
                elif kind == 'endless':
                    self.send_response(200)
                    self.send_header('Transfer-Encoding', 'chunked')
                    self.end_headers()
                    try:
                        while True: self.wfile.write(b'10000\\r\\n' + b'x' * 65536 + b'\\r\\n')
                    except OSError: pass
                elif kind == 'raw': self.wfile.write(raw[self.path.strip('/')[4:]])
                elif kind == 'gzip':
                    body = gzip.compress(content)
                    self.reply(200, body if visit > 1 else body[:len(body) // 2], {'ETag': tag, 'Content-Encoding': 'gzip'},
                        length=len(body))
                elif kind == 'br': self.reply(200, b'x' * 99, {'Content-Encoding': 'br'})
                elif kind == 'part': self.reply(206, b'x' * 99, {'Content-Range': 'bytes 0-98/99'})
                elif kind == 'chunks': self.chunks(content, visit > 1)
                elif kind == 'trickle':
                    self.reply(200, b'', length=len(content))
                    try:
                        while True:
                            self.wfile.write(b'x' * 10)
                            self.wfile.flush()
                            time.sleep(0.05)
                    except OSError: pass
                elif kind == 'file': self.reply(302, b'', {'Location': 'file:///etc/hostname'})
                elif kind == 'loop': self.reply(302, b'', {'Location': self.path})
                elif kind == 'moved': self.reply(302, b'', {'Location': '/ok'})
                else: self.reply(404, b'')
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        print(server.server_port, flush=True)
        server.serve_forever()
        """
}
