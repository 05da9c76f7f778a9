// The safetensors reader against the reference files and against every way in which a file can be wrong.

import Foundation
import Records
import Safetensors
import TestSupport
import Testing

struct SafetensorsTests {
    static func blob(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return withUnsafeBytes(of: length.littleEndian, Array.init) + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    static func entry(_ name: String, _ type: String, _ shape: String, _ from: String, _ to: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}"
    }

    static func reason(_ bytes: [UInt8]) -> SafetensorsError.Reason? {
        do throws(SafetensorsError) {
            _ = try SafetensorsFile(bytes: bytes, name: "blob")
            return nil
        } catch {
            #expect(error.diagnosis.status == .badData)
            return error.reason
        }
    }

    @Test("the reference files are read", arguments: ["tiny", "tiny-3class"])
    func referenceFiles(name: String) throws {
        let model = try WeightFiles(directory: fixture("\(name)/model"))
        let width = try model.description(of: "ln_f.weight").shape[0]
        #expect(try model.floats("ln_f.weight", shape: [width]).allSatisfy { abs($0 - 1) < 0.5 })
        #expect(try model.floats("wte.weight", shape: [257, width]).count == 257 * width)
        #expect(try model.float32("wte.weight", shape: [257, width])?.count == 257 * width)

        let expected = try SafetensorsFile(path: fixture("\(name)/expected.safetensors"))
        #expect(expected.names.count > 100)
        for tensor in expected.header.tensors {
            #expect(try expected.bytes(of: tensor.name).count == tensor.range.count)
        }
    }

    @Test("a written file is read back, and its data are aligned")
    func roundTrip() throws {
        let directory = try Folder()
        let path = directory.path + "/a.safetensors"
        var writer = SafetensorsWriter(metadata: ["format": "x", "quote\"\n\u{1}": "é\\"])
        writer.add("b", floats: [1, -2.5, 3e-30], shape: [3])
        writer.add("a", type: .int64, shape: [2, 1], values: [Int64.min, 7])
        writer.add("none", floats: [], shape: [0, 4])
        try writer.write(path: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.header.dataStart % 64 == 0)
        #expect(file.names == ["b", "a", "none"])
        #expect(file.metadata == ["format": "x", "quote\"\n\u{1}": "é\\"])
        #expect(try file.floats("b", shape: [3]) == [1, -2.5, 3e-30])
        #expect(try file.integers("a", as: Int64.self, shape: [2, 1]) == [.min, 7])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["a.safetensors"])
        #expect(throws: StreamError.self) { try writer.write(path: directory.path + "/no/such/a") }
        struct Stop: Error {}
        writer.add("c", type: .uint8, shape: [1]) { _ in throw Stop() }
        #expect(throws: Stop.self) { try writer.write(path: path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["a.safetensors"])
        #expect(try SafetensorsFile(path: path).names.count == 3)
    }

    @Test("half and bfloat16 values are converted exactly")
    func halfPrecision() throws {
        let bits = (0...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
        var writer = SafetensorsWriter()
        writer.add("half", type: .float16, shape: [bits.count], values: bits)
        writer.add("brain", type: .bfloat16, shape: [4], values: [0x3F80, 0xC000, 0x0001, 0x7F7F] as [UInt16])
        var bytes: [UInt8] = []
        try writer.write { bytes.append(contentsOf: $0) }
        let file = try SafetensorsFile(bytes: bytes, name: "halves")
        let values = try file.floats("half", shape: [bits.count])
        #if !(os(macOS) && arch(x86_64))
            for (pattern, value) in zip(bits, values) {
                #expect(Float(Float16(bitPattern: pattern)).bitPattern == value.bitPattern)
            }
        #endif
        #expect(
            try file.floats("brain", shape: [4])
                == [1, -2, Float(bitPattern: 0x1_0000), Float(bitPattern: 0x7F7F_0000)])
    }

    @Test("a file cut at any byte is refused [F74]")
    func cutFile() throws {
        var writer = SafetensorsWriter(metadata: ["k": "v"])
        writer.add("a", floats: [1, 2, 3], shape: [3])
        writer.add("b", type: .uint8, shape: [5], values: [1, 2, 3, 4, 5] as [UInt8])
        var bytes: [UInt8] = []
        try writer.write { bytes.append(contentsOf: $0) }
        #expect(Self.reason(bytes) == nil)
        for count in 0..<bytes.count { #expect(Self.reason(Array(bytes[..<count])) != nil, "\(count) bytes") }
    }

    @Test("wrong header lengths are refused [F75]")
    func headerLength() {
        let header = "{\(Self.entry("a", "U8", "[4]", "0", "4"))}"
        #expect(Self.reason(Self.blob(header, data: 4)) == nil)
        #expect(Self.reason(Self.blob(header, data: 4, length: 0)) == .headerNotObject)
        #expect(Self.reason(Self.blob(header, data: 4, length: 1)) == .headerMalformed(at: 9, what: "expected '\"'"))
        let size = 8 + header.utf8.count + 4
        #expect(
            Self.reason(Self.blob(header, data: 4, length: UInt64(size)))
                == .headerBeyondEnd(header: UInt64(size), file: size))
        for length in [100_000_001, 1 << 63, UInt64.max] {
            #expect(Self.reason(Self.blob(header, data: 4, length: length)) == .headerTooLong(length))
        }
        #expect(Self.reason([1, 2, 3]) == .tooShort(3))
    }

    static let broken: [(String, Int, SafetensorsError.Reason)] = [
        ("[]", 0, .headerNotObject),
        (" {}", 0, .headerNotObject),
        ("{}", 1, .trailingBytes(1)),
        ("{\(entry("a", "U8", "[4]", "0", "4"))}", 5, .trailingBytes(1)),
        ("{\(entry("a", "U8", "[4]", "0", "4"))}", 3, .beyondEnd(tensor: "a", end: 4, data: 3)),
        ("{\(entry("a", "U8", "[4]", "1", "5"))}", 5, .hole(before: "a", count: 1)),
        (
            "{\(entry("a", "U8", "[4]", "0", "4")),\(entry("b", "U8", "[1]", "5", "6"))}", 6,
            .hole(before: "b", count: 1)
        ),
        ("{\(entry("a", "U8", "[4]", "0", "4")),\(entry("b", "U8", "[1]", "3", "4"))}", 4, .overlap(tensor: "b")),
        ("{\(entry("a", "U8", "[4]", "4", "0"))}", 4, .reversed(tensor: "a")),
        ("{\(entry("a", "U8", "[5]", "0", "4"))}", 4, .sizeMismatch(tensor: "a", needed: 5, found: 4)),
        ("{\(entry("a", "F32", "[4294967296,4294967296]", "0", "4"))}", 4, .shapeOverflow(tensor: "a")),
        ("{\(entry("a", "F32", "[4611686018427387904]", "0", "0"))}", 0, .shapeOverflow(tensor: "a")),
        ("{\(entry("a", "F31", "[1]", "0", "4"))}", 4, .unknownType(tensor: "a", type: "F31")),
        ("{\(entry("a", "U8", "[1]", "0", "1")),\(entry("a", "U8", "[1]", "1", "2"))}", 2, .duplicateName("a")),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            .duplicateName("a.shape")
        ),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, .missingField(tensor: "a", field: "data_offsets")),
        ("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, .missingField(tensor: "a", field: "shape")),
        ("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, .missingField(tensor: "a", field: "dtype")),
        ("{\"__metadata__\":{\"k\":\"v\",\"k\":\"w\"}}", 0, .duplicateName("k")),
    ]

    @Test("broken layouts are refused, each for its own reason [F76]")
    func brokenLayouts() {
        for (header, data, expected) in Self.broken {
            #expect(Self.reason(Self.blob(header, data: data)) == expected, "\(header)")
        }
    }

    @Test("malformed headers are refused [F76]")
    func malformedHeaders() {
        let malformed = [
            "{", "{}{}", "{\"a\"}", "{\"a\":1}", "{\"__metadata__\":{\"k\":1}}", "{\"__metadata__\":[]}", "{,}",
            "{\(Self.entry("a", "U8", "[-1]", "0", "1"))}", "{\(Self.entry("a", "U8", "[1.0]", "0", "1"))}",
            "{\(Self.entry("a", "U8", "[1e0]", "0", "1"))}", "{\(Self.entry("a", "U8", "[01]", "0", "1"))}",
            "{\(Self.entry("a", "U8", "[18446744073709551617]", "0", "1"))}",
            "{\(Self.entry("a", "U8", "[1]", "0", "1,2"))}", "{\(Self.entry("a", "U8", "[1],\"x\":nul", "0", "1"))}",
            "{\"a\\ud800\":{}}", "{\"a\\x\":{}}", "{\"a\n\":{}}", "{\"a",
            "{\"a\":{\"x\":" + String(repeating: "[", count: 100_000),
        ]
        for header in malformed {
            guard case .headerMalformed = Self.reason(Self.blob(header, data: 1)) else {
                Issue.record("accepted or misjudged: \(header.prefix(80))")
                continue
            }
        }
        let notUTF8 = Self.blob("{\"~\":1}", data: 0).map { $0 == UInt8(ascii: "~") ? 0xFF : $0 }
        #expect(Self.reason(notUTF8) == .headerMalformed(at: 12, what: "a string isn't UTF-8"))
    }

    @Test("a file of 100,000 tensors opens, with all of them [F76]")
    func manyTensors() throws {
        let entries = (0..<100_000).map { Self.entry("t\($0)", "U8", "[1]", "\($0)", "\($0 + 1)") }
        let bytes = Self.blob("{\(entries.joined(separator: ","))}", data: 100_000)
        #expect(try Set(SafetensorsFile(bytes: bytes, name: "many").names) == Set((0..<100_000).map { "t\($0)" }))
    }

    @Test("a missing or misshapen tensor is a mismatch with the configuration [F77]")
    func missingTensor() throws {
        let model = try WeightFiles(directory: fixture("tiny/model"))
        for (name, shape) in [("no.such", [1]), ("ln_f.weight", [1])] {
            do throws(SafetensorsError) {
                _ = try model.floats(name, shape: shape)
                Issue.record("read \(name)")
            } catch {
                #expect(error.diagnosis.status == .configuration)
                #expect(error.diagnosis.problem.contains(name))
            }
        }
    }

    @Test("NaN and infinity are refused wherever they are [F78]")
    func notFinite() throws {
        for (index, value) in [(0, Float.nan), (15, .infinity), (31, -.infinity), (34, .nan)] {
            var values = [Float](repeating: 3e38, count: 35)
            values[index] = value
            var writer = SafetensorsWriter()
            writer.add("a", floats: values, shape: [35])
            var bytes: [UInt8] = []
            try writer.write { bytes.append(contentsOf: $0) }
            let file = try SafetensorsFile(bytes: bytes, name: "blob")
            #expect(throws: SafetensorsError(source: "blob", reason: .notFinite(tensor: "a", index: index))) {
                _ = try file.floats("a", shape: [35])
            }
        }
    }

    @Test("a pickle is refused with the reason [F80]")
    func pickle() throws {
        let directory = try Folder()
        #expect(throws: WeightFilesError.noWeights(directory: directory.path)) {
            _ = try WeightFiles(directory: directory.path)
        }
        let file = directory.path + "/pytorch_model.bin"
        try Data([1]).write(to: URL(fileURLWithPath: file))
        for path in [directory.path, file] {
            #expect(throws: WeightFilesError.pickle(path: file)) { _ = try WeightFiles(directory: path) }
        }
        #expect(throws: WeightFilesError.noDirectory(path: "/no/such")) { _ = try WeightFiles(directory: "/no/such") }
        #expect(WeightFilesError.pickle(path: file).description.contains("pickle can run code: convert"))
    }

    @Test("a model in parts is one model, and a wrong index is refused")
    func modelInParts() throws {
        let directory = try Folder()
        for (part, name) in [("p1.safetensors", "a"), ("p2.safetensors", "b")] {
            var writer = SafetensorsWriter()
            writer.add(name, floats: [name == "a" ? 1 : 2], shape: [1])
            try writer.write(path: "\(directory.path)/\(part)")
        }
        func open(_ index: String) throws -> WeightFiles {
            let path = directory.path + "/model.safetensors.index.json"
            try Data(index.utf8).write(to: URL(fileURLWithPath: path))
            return try WeightFiles(directory: directory.path)
        }
        let whole = try open(
            #"{"metadata":{"total_size":8},"weight_map":{"a":"p1.safetensors","b":"p2.safetensors"}}"#)
        #expect(whole.names == ["a", "b"])
        #expect(try whole.floats("b", shape: [1]) == [2])
        for index in [
            "", "{}", "[]", #"{"weight_map":{"a":1}}"#, #"{"weight_map":{"a":"../p1.safetensors"}}"#,
            #"{"weight_map":{"b":"p1.safetensors"}}"#, #"{"weight_map":{"a":"p1.bin"}}"#,
            #"{"weight_map":{"a":"p1.safetensors","a":"p2.safetensors"}}"#, #"{"weight_map":{"a":""}}"#,
        ] { #expect(throws: WeightFilesError.self) { _ = try open(index) } }
        #expect(throws: StreamError.self) { _ = try open(#"{"weight_map":{"a":"p3.safetensors"}}"#) }
    }
}
