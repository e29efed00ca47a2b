/// The head of one part of a form: what all parsers read alike.
///
/// The servers behind the gateway read heads with python-multipart and Python's `email`, with Go's `mime`, with busboy,
/// with Werkzeug, and with cpp-httplib. They differ in which of two lines or parameters counts, in escapes, and in
/// extended parameters. A head that has one of these is malformed.
struct MultipartHead {
    let name: String
    let isFile: Bool
    /// Where the content begins.
    let end: Int
    /// The digits of `Content-Length`.
    let length: Range<Int>?
    /// See `MultipartScanner.Field`.
    let isASCII: Bool
    private let digits: String?

    private typealias Malformed = MultipartScanner.Malformed

    /// `start` is behind the line break that follows a boundary.
    init(of body: UnsafeRawBufferPointer, from start: Int) throws(MultipartScanner.Malformed) {
        var lines = HeadLines(body: body, position: start)
        var values: [String: Range<Int>] = [:]
        while let line = try lines.next() {
            guard values.updateValue(line.value, forKey: line.name) == nil else {
                throw Malformed(reason: "a part has the header \"\(line.name)\" twice")
            }
        }
        end = lines.position
        guard String(validating: body[start..<end], as: UTF8.self) != nil else {
            throw Malformed(reason: "the head of a part is not UTF-8")
        }
        guard let disposition = values["content-disposition"] else {
            throw Malformed(reason: "a part has no Content-Disposition")
        }
        (name, isFile) = try Self.names(body[disposition])
        try Self.checkCodings(body, values)
        isASCII = try Self.isASCII(body, values["content-type"], name: name, isFile: isFile)
        length = values["content-length"]
        if let length, length.isEmpty || length.count > 10 || !body[length].allSatisfy({ (0x30...0x39).contains($0) }) {
            throw Malformed(reason: "a part has an invalid Content-Length")
        }
        digits = length.map { String(decoding: body[$0], as: UTF8.self) }
    }

    /// Some parsers (older versions of aiohttp) believe a part's `Content-Length`, and look for no boundary before.
    func check(contentBytes: Int) throws(MultipartScanner.Malformed) {
        if let digits, Int(digits) != contentBytes {
            throw Malformed(reason: "a part is not as long as its Content-Length says")
        }
    }

    private static func names(
        _ value: Slice<UnsafeRawBufferPointer>
    ) throws(MultipartScanner.Malformed) -> (name: String, isFile: Bool) {
        let disposition: ParameterizedValue
        do {
            disposition = try ParameterizedValue(value)
        } catch {
            throw Malformed(reason: "a Content-Disposition cannot be read: \(error.reason)")
        }
        guard value.starts(with: "form-data".utf8), disposition.essence == "form-data", !disposition.hasEmptyParameter
        else { throw Malformed(reason: "the Content-Disposition of a part is not form-data") }
        for parameter in disposition.parameters { try check(parameter) }
        guard let name = disposition["name"]?.text else { throw Malformed(reason: "a part has no name") }
        let isFile = disposition["filename"] != nil
        if ModelField.isMeant(byName: name.utf8), name != ModelField.name || isFile {
            throw Malformed(reason: "a part that could be read as the model is a file, or is not called \"model\"")
        }
        // HTML 4.10.21.8: a field of this name says the charset of the whole form.
        guard name.lowercased() != "_charset_" else {
            throw Malformed(reason: "it has a field that names its charset; it must be UTF-8")
        }
        return (name, isFile)
    }

    /// cpp-httplib splits at each `;` and `=`, also inside of quotes.
    private static func check(_ parameter: ParameterizedValue.Parameter) throws(MultipartScanner.Malformed) {
        guard parameter.name == parameter.name.lowercased() else {
            throw Malformed(reason: "the parameter \"\(parameter.name)\" is not in lower case")
        }
        let isClear =
            if parameter.name == "filename" {
                !parameter.value.drop { $0 != UInt8(ascii: ";") }.contains(UInt8(ascii: "="))
            } else {
                parameter.value.allSatisfy {
                    $0 < 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "=")
                }
            }
        guard isClear else {
            throw Malformed(reason: "the parameter \"\(parameter.name)\" can be read in two ways")
        }
    }

    private static func checkCodings(
        _ body: UnsafeRawBufferPointer, _ values: [String: Range<Int>]
    ) throws(MultipartScanner.Malformed) {
        func value(_ name: String) -> String? {
            values[name].map { String(decoding: body[$0], as: UTF8.self).lowercased() }
        }
        if let coding = value("content-transfer-encoding"), !["7bit", "8bit", "binary"].contains(coding) {
            throw Malformed(reason: "a part has a Content-Transfer-Encoding")
        }
        if let coding = value("content-encoding"), coding != "identity" {
            throw Malformed(reason: "a part has a Content-Encoding")
        }
    }

    /// Busboy decodes a field by its own charset, and takes a field of another type than text for a file.
    private static func isASCII(
        _ body: UnsafeRawBufferPointer, _ value: Range<Int>?, name: String, isFile: Bool
    ) throws(MultipartScanner.Malformed) -> Bool {
        guard let value else { return false }
        let isNested = body[value].lazy.map(\.lowercasedASCII).starts(with: "multipart/".utf8)
        guard !isNested else { throw Malformed(reason: "a part is itself made of parts") }
        if isFile { return false }
        let type: ParameterizedValue
        do {
            type = try ParameterizedValue(body[value])
        } catch {
            throw Malformed(reason: "the Content-Type of a part cannot be read: \(error.reason)")
        }
        guard name != ModelField.name || type.essence == "text/plain" else {
            throw Malformed(reason: "the model is not sent as text/plain")
        }
        switch type["charset"]?.text.lowercased() {
        case nil, "utf-8": return false
        // What Apache's HttpClient says of each text.
        case "us-ascii", "iso-8859-1": return true
        default: throw Malformed(reason: "a part has another charset than UTF-8")
        }
    }
}

/// The lines of a part's head.
private struct HeadLines {
    let body: UnsafeRawBufferPointer
    var position: Int
    private let limit: Int

    init(body: UnsafeRawBufferPointer, position: Int) {
        self.body = body
        self.position = position
        limit = min(body.count, position + MultipartScanner.maximumHeadBytes)
    }

    /// The next header, its name in lower case; nil behind the empty line. A line that is folded begins with a space,
    /// which no name does.
    mutating func next() throws(MultipartScanner.Malformed) -> (name: String, value: Range<Int>)? {
        let line = try line()
        if line.isEmpty { return nil }
        let name = body[line].prefix(while: \.isTokenCharacter)
        guard !name.isEmpty, name.endIndex < line.upperBound, body[name.endIndex] == UInt8(ascii: ":") else {
            throw MultipartScanner.Malformed(reason: "a line in the head of a part is no header")
        }
        var value = (name.endIndex + 1)..<line.upperBound
        while let first = value.first, body[first] == 0x20 { value = (first + 1)..<value.upperBound }
        while let last = value.last, body[last] == 0x20 { value = value.lowerBound..<last }
        return (String(decoding: name.map(\.lowercasedASCII), as: UTF8.self), value)
    }

    private mutating func line() throws(MultipartScanner.Malformed) -> Range<Int> {
        let start = position
        while position < limit, body[position] >= 0x20, body[position] != 0x7F { position += 1 }
        guard position + 1 < limit else {
            throw MultipartScanner.Malformed(reason: "the head of a part does not end")
        }
        guard body[position] == 0x0D, body[position + 1] == 0x0A else {
            throw MultipartScanner.Malformed(reason: "the head of a part has a control character")
        }
        defer { position += 2 }
        return start..<position
    }
}
