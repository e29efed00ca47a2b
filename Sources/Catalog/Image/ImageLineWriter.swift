import JSON

/// Writes an image's lines, each a JSON array without spaces, and cuts them into parts at the ends of lines.
struct ImageLineWriter {
    let partLimit: Int
    private(set) var parts: [[UInt8]] = []
    private var bytes: [UInt8] = []
    /// Of `bytes`: where the last whole line ends.
    private var lineEnd = 0
    private var needsComma = false

    /// A part is larger than `partLimit` only if a single line is.
    init(partLimit: Int) { self.partLimit = partLimit }

    mutating func begin(_ tag: StaticString) {
        open()
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: tag.utf8Start, count: tag.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func endLine() {
        close()
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
        if bytes.count > partLimit, lineEnd > 0 {
            parts.append(Array(bytes[..<lineEnd]))
            bytes.removeSubrange(..<lineEnd)
        }
        lineEnd = bytes.count
    }

    /// Ends the last part. Nothing can be added after this.
    mutating func finish() {
        if !bytes.isEmpty { parts.append(bytes) }
        bytes = []
        lineEnd = 0
    }

    mutating func open() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    mutating func close() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    mutating func addNull() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    mutating func add(_ number: Int64) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func add(_ number: Int) { add(Int64(number)) }

    mutating func add(_ text: String) {
        separate()
        JSONString.append(text, to: &bytes)
    }

    mutating func add(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    mutating func add(_ number: Int64?) { if let number { add(number) } else { addNull() } }

    mutating func add(_ number: Int?) { if let number { add(Int64(number)) } else { addNull() } }

    mutating func add(_ text: String?) { if let text { add(text) } else { addNull() } }

    mutating func add(_ flag: Bool?) { if let flag { add(flag) } else { addNull() } }

    /// The last element of a line: a record that is too rare or too manifold for an array of its own.
    mutating func add(json value: (some Encodable)?) throws {
        guard let value else { return addNull() }
        separate()
        bytes.append(contentsOf: try JSONCoding.encode(value))
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
