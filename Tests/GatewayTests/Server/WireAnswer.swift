/// A small reader of answers, as another opinion than the gateway's of where an answer ends (RFC 9112, sections 6 and 7).
/// It forgives what the gateway may refuse, such as equal lengths twice, and nothing else.
struct WireAnswer: Sendable, Equatable {
    enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    var status = 0
    var fields: [(name: String, value: [UInt8])] = []
    var framing = Framing.untilClose
    var body: [UInt8] = []
    /// The framing says that the body has ended. Never true for `untilClose`: only the connection's end tells.
    var isWhole = false
    /// Behind the first byte that is not of the framing, nothing is read.
    var isMalformed = false

    func value(_ name: String) -> String? {
        fields.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    var closes: Bool { value("connection")?.lowercased() == "close" }

    /// The answer at the front of `bytes`, behind interim ones, and how many bytes were read; nil without a valid head.
    static func read(_ bytes: [UInt8]) -> (answer: WireAnswer, count: Int)? {
        var position = 0
        while true {
            guard var answer = head(bytes, &position) else { return nil }
            if answer.status >= 200 {
                answer.readBody(bytes, &position)
                return (answer, position)
            }
        }
    }

    static func == (one: WireAnswer, other: WireAnswer) -> Bool {
        one.status == other.status && one.body == other.body && one.framing == other.framing
            && one.fields.elementsEqual(other.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    private static func line(_ bytes: [UInt8], _ position: inout Int) -> ArraySlice<UInt8>? {
        guard position < bytes.count,
            let end = bytes[position...].indices.first(where: {
                bytes[$0] == 0x0D && $0 + 1 < bytes.count && bytes[$0 + 1] == 0x0A
            })
        else { return nil }
        defer { position = end + 2 }
        return bytes[position..<end]
    }

    private static func head(_ bytes: [UInt8], _ position: inout Int) -> WireAnswer? {
        guard let first = line(bytes, &position).map({ String(decoding: $0, as: UTF8.self) }),
            first.hasPrefix("HTTP/1.1 ") || first.hasPrefix("HTTP/1.0 "),
            let status = Int(first.dropFirst(9).prefix(3)), (100...599).contains(status)
        else { return nil }
        var answer = WireAnswer()
        answer.status = status
        while let line = line(bytes, &position) {
            if line.isEmpty { return answer.frame() ? answer : nil }
            guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let blanks = value.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            answer.fields.append((name, Array(value.dropLast(blanks))))
        }
        return nil
    }

    /// False if two readers could find two ends.
    private mutating func frame() -> Bool {
        let lengths = fields.filter { $0.name == "content-length" }.map(\.value)
        let codings = fields.filter { $0.name == "transfer-encoding" }.map(\.value)
        if !codings.isEmpty {
            guard codings.count == 1, lengths.isEmpty else { return false }
            guard String(decoding: codings[0], as: UTF8.self).lowercased() == "chunked" else { return false }
            framing = .chunked
        } else if let first = lengths.first {
            guard lengths.allSatisfy({ $0 == first }), !first.isEmpty, first.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(String(decoding: first, as: UTF8.self))
            else { return false }
            framing = .length(length)
        }
        if status < 200 || status == 204 || status == 304 { framing = .none }
        return true
    }

    private mutating func readBody(_ bytes: [UInt8], _ position: inout Int) {
        switch framing {
        case .none: isWhole = true
        case .length(let length):
            body = Array(bytes[position...].prefix(length))
            isWhole = body.count == length
            position += body.count
        case .chunked: readChunks(bytes, &position)
        case .untilClose:
            body = Array(bytes[position...])
            position = bytes.count
        }
    }

    private mutating func readChunks(_ bytes: [UInt8], _ position: inout Int) {
        while let line = Self.line(bytes, &position) {
            let digits = String(decoding: line.prefix { $0 != 0x3B }, as: UTF8.self)
            guard let size = Int(digits, radix: 16), size >= 0, digits.first != "+", digits.first != "-" else {
                isMalformed = true
                return
            }
            if size == 0 {
                while let trailer = Self.line(bytes, &position) {
                    if trailer.isEmpty {
                        isWhole = true
                        return
                    }
                }
                return
            }
            body += bytes[position...].prefix(size)
            guard size <= bytes.count - position else {
                position = bytes.count
                return
            }
            position += size
            guard bytes.count - position >= 2 else { return }
            guard bytes[position] == 0x0D, bytes[position + 1] == 0x0A else {
                isMalformed = true
                return
            }
            position += 2
        }
    }
}
