// The web server of the filters' tests: the files of a folder, and what the name of a file asks for.

import TestSupport

enum FileServer {
    static func start(in folder: Folder) throws -> PythonServer { try PythonServer(script, in: folder) }

    /// Every request is a line in `requests`, with the range that it asks for. What is in the folder `slow` comes in two
    /// halves, one after the other; as long as there is a file `hold`, the second half of nothing comes.
    private static let script = """
        import http.server, os, sys, threading, time
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a): pass
            def do_GET(self):
                ranged = self.headers.get('Range', '')
                with open('requests', 'a') as log: log.write((self.path + ' ' + ranged).strip() + '\\n')
                try: body = open(self.path.strip('/'), 'rb').read()
                except OSError: return self.send_error(404)
                start = 0
                if ranged and self.headers.get('If-Range') == '"v1"': start = int(ranged[6:-1])
                self.send_response(206 if start else 200)
                if start: self.send_header('Content-Range', 'bytes %d-%d/%d' % (start, len(body) - 1, len(body)))
                self.send_header('ETag', '"v1"')
                self.send_header('Content-Length', str(len(body) - start))
                self.end_headers()
                half = (start + len(body)) // 2
                self.wfile.write(body[start:half])
                self.wfile.flush()
                if self.path.startswith('/slow/'): time.sleep(0.5)
                while os.path.exists('hold'): time.sleep(0.05)
                self.wfile.write(body[half:])
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        print(server.server_port, flush=True)
        server.serve_forever()
        """
}
