import Glibc

/// Reads a `multipart/form-data` body that comes in parts (RFC 7578): the text of its fields, of files only the size.
struct MultipartFields {
    private static let textLimit = 1 << 16
    private static let headLimit = 1 << 14

    private enum Place { case content, head, end }

    private(set) var texts: [String: String] = [:]
    /// Bytes of each part that has a file name.
    private(set) var fileSizes: [String: Int] = [:]
    private let delimiter: [UInt8]
    // Before the first delimiter there need not be the line break that belongs to each.
    private var pending: [UInt8] = Array("\r\n".utf8)
    private var place = Place.content
    private var name: String?
    private var isFile = false
    private var text: [UInt8] = []
    private(set) var isMalformed = false

    /// Nil where the content type is another one, or names no boundary.
    init?(contentType: String) {
        let parts = contentType.split(separator: ";").map { $0.drop { $0 == " " } }
        guard parts.first?.lowercased() == "multipart/form-data",
            let boundary = parts.dropFirst().first(where: { $0.lowercased().hasPrefix("boundary=") })
        else { return nil }
        delimiter = Array("\r\n--\(boundary.dropFirst("boundary=".count).filter { $0 != "\"" })".utf8)
    }

    /// Whether the last delimiter has come.
    var isWhole: Bool { place == .end && !isMalformed }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        pending += bytes
        while !isMalformed {
            switch place {
            case .end:
                pending = []
                return
            case .content:
                guard let found = Self.find(delimiter, in: pending) else {
                    take(max(0, pending.count - delimiter.count + 1))
                    return
                }
                take(found)
                endPart()
                pending.removeFirst(delimiter.count)
                place = .head
            case .head:
                guard pending.count >= 2 else { return }
                if pending.starts(with: Array("--".utf8)) {
                    place = .end
                } else if let end = Self.find(Array("\r\n\r\n".utf8), in: pending) {
                    readHead(String(decoding: pending[..<end], as: UTF8.self))
                    pending.removeFirst(end + 4)
                    place = .content
                } else {
                    isMalformed = pending.count > Self.headLimit
                    return
                }
            }
        }
    }

    private static func find(_ needle: [UInt8], in haystack: [UInt8]) -> Int? {
        haystack.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let first = needle.first else { return nil }
            var start = 0
            while start + needle.count <= bytes.count,
                let found = memchr(base + start, Int32(first), bytes.count - needle.count + 1 - start)
            {
                if memcmp(found, needle, needle.count) == 0 { return UnsafeRawPointer(found) - base }
                start = UnsafeRawPointer(found) - base + 1
            }
            return nil
        }
    }

    private mutating func take(_ count: Int) {
        if let name {
            if isFile {
                fileSizes[name, default: 0] += count
            } else if text.count + count <= Self.textLimit {
                text += pending[..<count]
            }
        }
        pending.removeFirst(count)
    }

    private mutating func endPart() {
        if let name, !isFile { texts[name] = String(decoding: text, as: UTF8.self) }
        text = []
        name = nil
    }

    private mutating func readHead(_ head: String) {
        let disposition = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-disposition:") }
        name = disposition.flatMap { Self.parameter("name", of: $0) }
        isFile = disposition.flatMap { Self.parameter("filename", of: $0) } != nil
        if let name, isFile { fileSizes[name] = 0 }
    }

    private static func parameter(_ name: String, of line: Substring) -> String? {
        for part in line.split(separator: ";").dropFirst() {
            let trimmed = part.drop { $0 == " " }
            guard trimmed.hasPrefix(name + "=") else { continue }
            return trimmed.dropFirst(name.count + 1).filter { $0 != "\"" }
        }
        return nil
    }
}
