/// Status line and header lines as they came. They are gathered on the loop's thread and taken apart on the caller's,
/// so that thousands of answers a second do not wait for one thread to make strings.
struct ResponseHead: Sendable {
    /// Ours; a server that goes on and on sending headers must not fill the memory.
    static let maximumBytes = 256 << 10

    var status: Int = 0
    /// With their line ends.
    var lines: [UInt8] = []
    /// After redirects.
    var url: String = ""

    /// Name and value of each header; a folded line (RFC 9112, section 5.2) is joined to the one before by a space.
    func fields() -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for line in lines.split(separator: UInt8(ascii: "\n")).dropFirst() {
            if let first = line.first, Self.isBlank(first) {
                let rest = Self.trimmed(line)
                guard !rest.isEmpty, !fields.isEmpty else { continue }
                fields[fields.count - 1].value += " " + String(decoding: rest, as: UTF8.self)
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                fields.append(
                    (
                        String(decoding: Self.trimmed(line[..<colon]), as: UTF8.self),
                        String(decoding: Self.trimmed(line[line.index(after: colon)...]), as: UTF8.self)
                    ))
            }
        }
        return fields
    }

    /// False if no line begins with this name. Makes no strings.
    func mayHave(_ name: String) -> Bool {
        var isAtStart = true
        for index in lines.indices {
            if isAtStart, lines.count - index > name.utf8.count,
                zip(lines[index...], name.utf8).allSatisfy({ asciiLowercase($0) == asciiLowercase($1) })
            {
                return true
            }
            isAtStart = lines[index] == UInt8(ascii: "\n")
        }
        return false
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return bytes[first...last]
    }
}
