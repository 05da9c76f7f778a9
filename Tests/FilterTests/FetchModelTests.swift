// fetch-model against a hub of models on this machine.

import Foundation
import TestSupport
import Testing

struct FetchModelTests {
    private let folder: Folder
    private let hub: PythonServer
    private let commit = String(repeating: "c0ffee00", count: 5)

    /// Files lie in OWNER/NAME, those of revision v2 in OWNER/NAME-v2; where there is a file `moved`, main is v2. Large
    /// ones are sent from another port, with their hash in the first answer. `requests` has a line for each: the port's
    /// kind, the path, the token.
    private static let script = """
        import hashlib, http.server, os, sys, threading
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        class Base(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a): pass
            def note(self):
                with open('requests', 'a') as log:
                    log.write(f"{self.kind} {self.path} {self.headers.get('Authorization', '-')}\\n")
            def send(self, body, headers={}):
                self.send_response(200)
                for name, value in headers.items(): self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        class Store(Base):
            kind = 'store'
            def do_GET(self):
                self.note()
                self.send(open(self.path.strip('/'), 'rb').read())
        class Hub(Base):
            kind = 'hub'
            def do_GET(self):
                self.note()
                owner, name, _, revision, file = self.path.strip('/').split('/')
                if revision == 'main' and os.path.exists('moved'): revision = 'v2'
                if revision in ('v2', 'd00dfeed' * 5): name, revision = name + '-v2', 'd00dfeed' * 5
                path = f'{owner}/{name}/{file}'
                if owner == 'secret' and self.headers.get('Authorization') != 'Bearer hf_abc': return self.send_error(401)
                if not os.path.exists(path): return self.send_error(404)
                commit = {'X-Repo-Commit': revision if len(revision) == 40 else 'c0ffee00' * 5}
                if not file.endswith('.safetensors'): return self.send(open(path, 'rb').read(), commit)
                digest = hashlib.sha256(open(path, 'rb').read()).hexdigest()
                if owner == 'damaged': digest = '0' * 64
                self.send_response(302)
                for key, value in commit.items(): self.send_header(key, value)
                self.send_header('X-Linked-Etag', f'"{digest}"')
                self.send_header('Location', f'http://127.0.0.1:{store.server_port}/{path}')
                self.send_header('Content-Length', '0')
                self.end_headers()
        store = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Store)
        threading.Thread(target=store.serve_forever, daemon=True).start()
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hub)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    init() throws {
        folder = try Folder()
        hub = try PythonServer(Self.script, in: folder)
    }

    /// Puts the tiny model of the conversions' fixture on the hub.
    private func publish(
        _ name: String, files: [String] = ["config.json", "vocab.json", "merges.txt", "model.safetensors"]
    ) throws {
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: name), withIntermediateDirectories: true)
        for file in files {
            try folder.write("\(name)/\(file)", Data(contentsOf: URL(filePath: fixture("conversion/base/\(file)"))))
        }
    }

    private func fetch(_ command: String, _ environment: String = "") throws -> FilterResult {
        let endpoint = hub.address("")
        return try shell(
            "HF_HOME=$PWD/home HF_ENDPOINT=\(endpoint) \(environment) fetch-model \(command)", in: folder.url)
    }

    private func requests() throws -> [String] {
        String(decoding: (try? folder.read("requests")) ?? Data(), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    @Test("any GPT-2 of the hub comes whole, all files of one commit, and the token goes to the hub alone")
    func anyModel() throws {
        try publish("secret/tiny")
        let result = try fetch("secret/tiny --out m", "HF_TOKEN=hf_abc")
        #expect(result.status == 0, "\(result.errors)")
        for file in ["config.json", "vocab.json", "merges.txt", "model.safetensors"] {
            #expect(try folder.read("m/\(file)") == folder.read("secret/tiny/\(file)"))
        }
        #expect(
            try requests() == [
                "hub /secret/tiny/resolve/main/config.json Bearer hf_abc",
                "hub /secret/tiny/resolve/\(commit)/vocab.json Bearer hf_abc",
                "hub /secret/tiny/resolve/\(commit)/merges.txt Bearer hf_abc",
                "hub /secret/tiny/resolve/\(commit)/model.safetensors Bearer hf_abc",
                "store /secret/tiny/model.safetensors -",
            ])
        #expect(try shell("echo hello | generate --model m --tokens 2", in: folder.url).status == 0)
    }

    @Test("a model that isn't public gives 69 without a token, which is never printed")
    func token() throws {
        try publish("secret/tiny")
        expectFailure(try fetch("secret/tiny --out m"), 69, "fetch-model", "HF_TOKEN isn't set")
        let wrong = try fetch("secret/tiny --out m", "HF_TOKEN=hf_wrong")
        expectFailure(wrong, 69, "fetch-model", "answered 401")
        #expect(!wrong.errors.contains("hf_wrong"))
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "home"), withIntermediateDirectories: true)
        try folder.write("home/token", "hf_abc\n")
        #expect(try fetch("secret/tiny --out m").status == 0)
        let injected = try fetch("secret/tiny --out other", "HF_TOKEN=\"$(printf 'a\\r\\nX: b')\"")
        #expect(injected.status == 69)
        #expect(injected.errors.contains("HF_TOKEN: the token has characters that no token has"), "\(injected.errors)")
        #expect(!injected.errors.contains("HF_TOKEN isn't set"))
        #expect(try fetch("secret/tiny --out spaces", "HF_TOKEN=\"$(printf ' hf_abc\\n ')\"").status == 0)
    }

    @Test("versions never mix in a directory, even where their configurations are the same")
    func versions() throws {
        try publish("owner/two")
        try publish("owner/two-v2")
        var other = try folder.read("owner/two-v2/model.safetensors")
        other[other.endIndex - 1] ^= 1
        try folder.write("owner/two-v2/model.safetensors", other)
        let weights = try folder.read("owner/two/model.safetensors")

        #expect(try fetch("owner/two --revision v1 --out m").status == 0)
        expectFailure(try fetch("owner/two --revision v2 --out m"), 73, "fetch-model", "another version")
        #expect(try folder.read("m/model.safetensors") == weights)
        // The same revision, also by its commit; and what is missing comes from that.
        #expect(try fetch("owner/two --revision v1 --out m").status == 0)
        try FileManager.default.removeItem(at: folder.url.appending(path: "m/model.safetensors"))
        #expect(try fetch("owner/two --revision \(commit) --out m").status == 0)
        #expect(try folder.read("m/model.safetensors") == weights)

        // A branch that has moved in between.
        #expect(try fetch("owner/two --out b --tokenizer-only").status == 0)
        try folder.write("moved", "")
        expectFailure(try fetch("owner/two --out b"), 73, "fetch-model", "another version")
        #expect(try !folder.names("b").contains("model.safetensors"))

        // Files of which nothing says what they are; and an emptied directory takes any.
        try FileManager.default.removeItem(at: folder.url.appending(path: "m/.fetched"))
        expectFailure(try fetch("owner/two --revision v2 --out m"), 73, "fetch-model", "it isn't known which version")
        #expect(try folder.read("m/model.safetensors") == weights)
        #expect(try shell("rm m/*", in: folder.url).status == 0)
        #expect(try fetch("owner/two --revision v2 --out m").status == 0)
        #expect(try folder.read("m/model.safetensors") == other)
    }

    @Test("weights in parts come with their index, and a revision that is asked for is taken")
    func parts() throws {
        try publish("owner/parts", files: ["config.json", "vocab.json", "merges.txt"])
        let whole = try Data(contentsOf: URL(filePath: fixture("conversion/base/model.safetensors")))
        try folder.write("owner/parts/model-00001-of-00001.safetensors", whole)
        let header = try JSONSerialization.jsonObject(
            with: whole.dropFirst(8).prefix(Int(whole.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })))
        let names = try #require(header as? [String: Any]).keys.filter { $0 != "__metadata__" }
        let map = Dictionary(uniqueKeysWithValues: names.map { ($0, "model-00001-of-00001.safetensors") })
        try folder.write(
            "owner/parts/model.safetensors.index.json", JSONSerialization.data(withJSONObject: ["weight_map": map]))
        #expect(try fetch("owner/parts --revision refs/pr/1 --out m").status == 0)
        #expect(try requests()[0].contains("/owner/parts/resolve/refs%2Fpr%2F1/config.json"))
        #expect(try shell("echo hello | generate --model m --tokens 2", in: folder.url).status == 0)
    }

    @Test("weights that aren't what the hub says give 65, and a model without safetensors gives 69")
    func wrongFiles() throws {
        try publish("damaged/tiny")
        expectFailure(try fetch("damaged/tiny --out m"), 65, "fetch-model", "wrong SHA-256")
        #expect(try !folder.names("m").contains("model.safetensors"))
        try publish("owner/pickle", files: ["config.json", "vocab.json", "merges.txt"])
        expectFailure(try fetch("owner/pickle --out p"), 69, "fetch-model", "missing model.safetensors")
        try publish("owner/bert")
        try folder.write("owner/bert/config.json", "{\"model_type\":\"bert\"}")
        expectFailure(try fetch("owner/bert --out b"), 65, "fetch-model", "\"model_type\" isn't \"gpt2\"")
        expectFailure(try fetch("owner/nothing --out n"), 69, "fetch-model", "404")
    }

    @Test("a directory with another model is left as it is")
    func otherModel() throws {
        try publish("owner/tiny")
        try publish("owner/other")
        #expect(try fetch("owner/tiny --out m").status == 0)
        #expect(try fetch("owner/tiny --out m").status == 0)
        let config = try folder.read("m/config.json")
        try folder.write("owner/other/config.json", config + Data("\n".utf8))
        expectFailure(try fetch("owner/other --out m"), 73, "fetch-model", "another model")
        #expect(try folder.read("m/config.json") == config)
    }

    @Test("a model of the user's cache is taken from there, and offline nothing is asked")
    func cache() throws {
        try publish("home/hub/models--owner--cached/snapshots/\(commit)")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "home/hub/models--owner--cached/refs"), withIntermediateDirectories: true)
        try folder.write("home/hub/models--owner--cached/refs/main", commit)
        #expect(try fetch("owner/cached --out m", "HF_HUB_OFFLINE=1").status == 0)
        #expect(try folder.names("m").contains("model.safetensors"))
        #expect(try requests().isEmpty)
        try publish("owner/tiny")
        expectFailure(try fetch("owner/tiny --out n", "HF_HUB_OFFLINE=1"), 69, "fetch-model", "HF_HUB_OFFLINE is set")
        #expect(try requests().isEmpty)
    }

    @Test("models with a short name are listed, and other names are usage errors")
    func names() throws {
        let list = try shell("fetch-model --list", in: folder.url)
        #expect(list.lines.count == 5 && list.lines[0].hasPrefix("gpt2\t124M\topenai-community/gpt2\t"))
        for name in ["gpt3", "../x", "a/b/c", "a/..", "owner/"] {
            expectFailure(try fetch("\(name) --out m"), 64, "fetch-model", "owner/name")
        }
        expectFailure(try fetch("gpt2"), 64, "fetch-model", "--out")
    }

    @Test("a folder with another model's configuration or weights is refused, and a commit of the cache is kept")
    func otherModels() throws {
        try publish("mirror/distilgpt2", files: ["vocab.json", "merges.txt", "model.safetensors"])
        try folder.write(
            "mirror/distilgpt2/config.json",
            #"{"model_type":"gpt2","n_layer":6,"n_head":12,"n_embd":768,"vocab_size":257,"n_positions":12}"#)
        try publish("there")
        expectFailure(
            try fetch("distilgpt2 --out there --mirror mirror", "HF_HUB_OFFLINE=1"), 73, "fetch-model",
            "holds another model")
        expectFailure(
            try fetch("distilgpt2 --out new --mirror mirror", "HF_HUB_OFFLINE=1"), 65, "fetch-model",
            "2 blocks instead of the 6 of distilgpt2")
        // The hub's newest commit isn't the one that the cache has a part of.
        let old = String(repeating: "a", count: 40)
        try publish("owner/partial")
        try publish("home/hub/models--owner--partial/snapshots/\(old)", files: ["config.json", "vocab.json"])
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "home/hub/models--owner--partial/refs"), withIntermediateDirectories: true)
        try folder.write("home/hub/models--owner--partial/refs/main", old)
        #expect(try fetch("owner/partial --out p").status == 0)
        let asked = String(decoding: try folder.read("requests"), as: UTF8.self)
        #expect(
            asked.contains("/owner/partial/resolve/\(old)/merges.txt") && !asked.contains("/resolve/main/"), "\(asked)")
    }

    @Test("an index that names a part with a NUL is refused")
    func nulInPart() throws {
        try publish("owner/parts", files: ["config.json", "vocab.json", "merges.txt"])
        try folder.write(
            "owner/parts/model.safetensors.index.json", #"{"weight_map":{"a":"run.sh\u0000.safetensors"}}"#)
        expectFailure(try fetch("owner/parts --out m"), 65, "fetch-model", "isn't a file of this directory")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/m/run.sh"))
    }
}
