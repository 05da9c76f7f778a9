// Figures: SVG files, written into the page.

import Evaluation
import Records

struct FigureSection: Section {
    let title = "Figures"
    let html: String

    init(_ files: [(name: String, value: String)]) throws {
        html = try files.map { caption, path in
            let bytes = try ByteSource(path: path).readAll(maximum: 64 << 20)
            guard bytes.prefix(4096).contains(UInt8(ascii: "<")),
                String(decoding: bytes, as: UTF8.self).contains("<svg")
            else {
                throw BadFigure(path: path)
            }
            return """
                <figure><img alt="\(caption.htmlEscaped)" src="data:image/svg+xml,\(Self.percentEncoded(bytes))">
                <figcaption>\(caption.htmlEscaped)</figcaption></figure>

                """
        }.joined()
    }

    /// Whatever means something in a URL or in an attribute, as %XX.
    private static func percentEncoded(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x21 || byte > 0x7E || "\"#%&'+<>?[]^`{|}".utf8.contains(byte) {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A figure that is none.
struct BadFigure: DiagnosableError {
    let path: String

    var diagnosis: Diagnosis {
        Diagnosis(source: path, problem: "it isn't an SVG file", remedy: "draw the figure anew", status: .badData)
    }
}
