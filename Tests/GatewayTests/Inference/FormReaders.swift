@testable import Gateway

/// Small models of how servers read a form, after the documents and sources of their parsers.
struct FormReader: Sendable, CustomStringConvertible {
    typealias Result = JSONReader.Result

    enum Which { case first, last, refused }
    /// How the parameters of a header are told apart.
    enum Parameters { case escapes, countedQuotes, naive }
    enum AfterBoundary { case data, skippedPart, refused }
    enum Files { case named, namedNotEmpty, namedOrOctets }

    let description: String
    var parameters = Parameters.escapes
    var ofParameters = Which.last
    var decodesExtended = false
    var findsBoundaryAnywhere = false
    var ofHeaders = Which.first
    var ofFields = Which.first
    var takesQuery = false
    /// A line of a head may end in LF alone, or hold it.
    var headEndsLinesAtLF = false
    var unfolds = false
    var takesPreamble = false
    var skipsEmptyLines = false
    var takesPadding = false
    /// CR or LF alone before a boundary.
    var takesAnyLineBreak = false
    /// The empty line of the head may be the line break before the boundary.
    var takesBoundaryAtContent = false
    var afterBoundary = AfterBoundary.data
    var files = Files.named
    var filesAreFields = false
    var decodesPercent = false
    var decodesBase64 = false
    var believesLengths = false

    static let all = [
        // net/http, mime, mime/multipart, net/textproto.
        FormReader(
            description: "Go", ofParameters: .refused, decodesExtended: true, takesQuery: true, headEndsLinesAtLF: true,
            unfolds: true, takesPreamble: true, takesPadding: true, takesBoundaryAtContent: true, files: .namedNotEmpty),
        // Starlette with python-multipart, which reads parameters with Python's email.message.
        FormReader(
            description: "FastAPI", parameters: .countedQuotes, ofHeaders: .last, ofFields: .last, skipsEmptyLines: true
        ),
        FormReader(
            description: "busboy", ofParameters: .first, ofFields: .last, unfolds: true, takesPreamble: true,
            afterBoundary: .skippedPart, files: .namedOrOctets),
        // llama.cpp and whisper.cpp.
        FormReader(
            description: "cpp-httplib", parameters: .naive, ofParameters: .first, findsBoundaryAnywhere: true,
            ofHeaders: .last, afterBoundary: .refused, filesAreFields: true),
        // Flask.
        FormReader(
            description: "Werkzeug", decodesExtended: true, headEndsLinesAtLF: true, unfolds: true, takesPreamble: true,
            takesPadding: true, takesAnyLineBreak: true, takesBoundaryAtContent: true),
        // The client of many gateways, as a server; its older versions.
        FormReader(
            description: "aiohttp", ofParameters: .refused, decodesExtended: true, headEndsLinesAtLF: true,
            unfolds: true,
            takesPreamble: true, takesPadding: true, decodesBase64: true, believesLengths: true),
        // A reader that decodes names as a browser encodes them.
        FormReader(description: "decoding", ofFields: .last, decodesPercent: true),
    ]

    func read(_ body: [UInt8], contentType: String, query: String = "") -> Result {
        if takesQuery {
            for item in query.split(separator: "&") where item.hasPrefix("model=") {
                return .runs(Array(item.dropFirst(6).utf8))
            }
        }
        guard let boundary = boundary(contentType), let parts = parts(body, Array("--\(boundary)".utf8)) else {
            return .fails
        }
        var found: [[UInt8]] = []
        for part in parts {
            guard let headers = headers(part.head) else { return .fails }
            let dispositions = headers.filter { $0.name == "content-disposition" }
            guard let line = ofHeaders == .last ? dispositions.last : dispositions.first else { continue }
            guard let (kind, parameters) = read(parametersOf: line.value) else { return .fails }
            guard kind == "form-data", let name = pick("name", parameters), decoded(name) == "model" else { continue }
            let types = headers.filter { $0.name == "content-type" }
            if isFile(pick("filename", parameters), type: types.first?.value), !filesAreFields { continue }
            let isBase64 = headers.contains { $0.name == "content-transfer-encoding" && $0.value == "base64" }
            found.append(decodesBase64 && isBase64 ? Array("expensive".utf8) : Array(part.content))
        }
        return .runs(ofFields == .last ? found.last : found.first)
    }

    private func isFile(_ filename: String?, type: String?) -> Bool {
        switch files {
        case .named: filename != nil
        case .namedNotEmpty: filename?.isEmpty == false
        case .namedOrOctets: filename != nil || type == "application/octet-stream"
        }
    }

    private func decoded(_ name: String) -> String {
        decodesPercent ? (PercentEncoding.decode(name[...]) ?? name) : name
    }

    private func boundary(_ contentType: String) -> String? {
        if findsBoundaryAnywhere {
            guard let range = contentType.firstRange(of: "boundary=") else { return nil }
            return unquoted(String(contentType[range.upperBound...].prefix { $0 != ";" }))
        }
        guard let (kind, parameters) = read(parametersOf: contentType), kind == "multipart/form-data" else {
            return nil
        }
        return pick("boundary", parameters)
    }

    private func unquoted(_ text: String) -> String {
        text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
    }

    private func pick(_ name: String, _ parameters: [(name: String, value: String)]) -> String? {
        let values = parameters.filter { $0.name == name }
        return (ofParameters == .last ? values.last : values.first)?.value
    }

    /// nil where the reader gives up.
    private func read(parametersOf value: String) -> (kind: String, parameters: [(name: String, value: String)])? {
        let pieces = pieces(value)
        let kind = trimmed(pieces[0]).lowercased()
        var found: [(name: String, value: String)] = []
        for piece in pieces.dropFirst() where !trimmed(piece).isEmpty {
            let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            var name = trimmed(String(sides[0]))
            if !findsBoundaryAnywhere { name = name.lowercased() }
            var text = sides.count > 1 ? unquoted(trimmed(String(sides[1]))) : ""
            if parameters == .escapes { text = text.replacing("\\", with: "") }
            if parameters == .countedQuotes, text.hasPrefix("<"), text.hasSuffix(">") {
                text = String(text.dropFirst().dropLast())
            }
            if name.contains("*") {
                guard decodesExtended else { continue }
                if name.hasSuffix("*"), let start = text.firstRange(of: "''") {
                    text = String(text[start.upperBound...])
                }
                name = String(name.prefix { $0 != "*" })
            }
            if ofParameters == .refused, found.contains(where: { $0.name == name }) { return nil }
            found.append((name, text))
        }
        return (kind, found)
    }

    private func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Split at each ";" that the reader does not take for a part of a quoted text.
    private func pieces(_ value: String) -> [String] {
        var pieces = [""]
        var quotes = 0
        var isEscaped = false
        for character in value {
            if character == ";", parameters == .naive || quotes.isMultiple(of: 2) {
                pieces.append("")
                continue
            }
            pieces[pieces.count - 1].append(character)
            // Python's email counts the quotes that have no backslash before them, whether that is escaped or not.
            if character == "\"", !isEscaped { quotes += 1 }
            isEscaped = character == "\\" && (parameters == .countedQuotes || !isEscaped)
        }
        return pieces
    }
}

// MARK: Parts and heads

extension FormReader {
    private struct Part {
        let head: ArraySlice<UInt8>
        let content: ArraySlice<UInt8>
    }

    private func parts(_ body: [UInt8], _ delimiter: [UInt8]) -> [Part]? {
        guard var position = start(body, delimiter) else { return nil }
        var parts: [Part] = []
        while true {
            if body[position...].starts(with: "--".utf8) { return parts }
            if takesPadding { while position < body.count, [0x20, 0x09].contains(body[position]) { position += 1 } }
            let isSkipped = lineBreak(body, position) == 0
            position += lineBreak(body, position)
            guard let (head, content) = head(body, position), !isSkipped || afterBoundary == .skippedPart else {
                return nil
            }
            var from = content
            if believesLengths, let lines = headers(head),
                let line = lines.first(where: { $0.name == "content-length" })
            {
                from = min(body.count, content + (Int(line.value) ?? 0))
            }
            guard let (end, next) = boundary(body, delimiter, from: isSkipped ? position : from, content) else {
                return nil
            }
            if !isSkipped { parts.append(Part(head: head, content: body[content..<max(content, end)])) }
            position = next
        }
    }

    private func start(_ body: [UInt8], _ delimiter: [UInt8]) -> Int? {
        var position = 0
        if skipsEmptyLines { while position < body.count, [0x0D, 0x0A].contains(body[position]) { position += 1 } }
        if body[position...].starts(with: delimiter) { return position + delimiter.count }
        guard takesPreamble else { return nil }
        return boundary(body, delimiter, from: position, position)?.next
    }

    /// The width of the line break at `position`; 0 if there is none.
    private func lineBreak(_ body: [UInt8], _ position: Int) -> Int {
        if body[position...].starts(with: [0x0D, 0x0A]) { return 2 }
        return takesAnyLineBreak && position < body.count && [0x0D, 0x0A].contains(body[position]) ? 1 : 0
    }

    private func boundary(
        _ body: [UInt8], _ delimiter: [UInt8], from: Int, _ content: Int
    ) -> (end: Int, next: Int)? {
        var position = from
        while position + delimiter.count <= body.count {
            defer { position += 1 }
            guard body[position] == delimiter[0], body[position...].starts(with: delimiter) else { continue }
            let next = position + delimiter.count
            let hasBreak = position >= content + 2 && body[position - 2] == 0x0D && body[position - 1] == 0x0A
            let hasOther = takesAnyLineBreak && position > content && [0x0D, 0x0A].contains(body[position - 1])
            guard hasBreak || hasOther || takesBoundaryAtContent && position == content else { continue }
            var end = next
            if takesPadding { while end < body.count, [0x20, 0x09].contains(body[end]) { end += 1 } }
            let isWhole = lineBreak(body, end) > 0 || body[next...].starts(with: "--".utf8)
            if !isWhole {
                if afterBoundary == .refused { return nil }
                if afterBoundary == .data { continue }
            }
            return (position - (hasBreak ? 2 : hasOther ? 1 : 0), next)
        }
        return nil
    }

    private func head(_ body: [UInt8], _ start: Int) -> (head: ArraySlice<UInt8>, content: Int)? {
        if lineBreak(body, start) > 0 { return (body[start..<start], start + lineBreak(body, start)) }
        for position in start..<body.count where body[position] == 0x0D || body[position] == 0x0A {
            if body[position...].starts(with: [0x0D, 0x0A, 0x0D, 0x0A]) {
                return (body[start..<position], position + 4)
            }
            if headEndsLinesAtLF {
                if body[position...].starts(with: [0x0A, 0x0A]) { return (body[start..<position], position + 2) }
                if body[position...].starts(with: [0x0A, 0x0D, 0x0A]) { return (body[start..<position], position + 3) }
            }
            if takesAnyLineBreak, body[position...].starts(with: [0x0D, 0x0D]) {
                return (body[start..<position], position + 2)
            }
        }
        return nil
    }

    /// nil for a line that is no header.
    private func headers(_ head: ArraySlice<UInt8>) -> [(name: String, value: String)]? {
        var lines: [[UInt8]] = [[]]
        for byte in head {
            let endsLine = byte == 0x0A && (headEndsLinesAtLF || lines.last?.last == 0x0D)
            if endsLine || (takesAnyLineBreak && byte == 0x0D) {
                if lines[lines.count - 1].last == 0x0D { lines[lines.count - 1].removeLast() }
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        var headers: [(name: String, value: String)] = []
        for line in lines where !line.isEmpty {
            let text = String(decoding: line, as: UTF8.self)
            if unfolds, let first = line.first, [0x20, 0x09].contains(first), !headers.isEmpty {
                headers[headers.count - 1].value += " " + trimmed(text)
                continue
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = trimmed(String(decoding: line[..<colon], as: UTF8.self)).lowercased()
            headers.append((name, trimmed(String(decoding: line[(colon + 1)...], as: UTF8.self))))
        }
        return headers
    }
}
