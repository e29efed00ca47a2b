import Conventions
import Crypto

/// Bytes that look random and are the same every time: the content of weights that nobody has.
struct GeneratedBytes: Sendable, Hashable {
    private let seed: UInt64

    /// - Parameters:
    ///   - name: files of different names have different bytes
    ///   - variant: another one gives other bytes under the same name
    init(name: String, variant: Int = 0) {
        // FNV-1a: the same on every machine, unlike Swift's own hash.
        seed = (name.utf8 + Array("#\(variant)".utf8)).reduce(0xCBF2_9CE4_8422_2325) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
    }

    /// Any part, without making what comes before it.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        let firstWord = range.lowerBound / 8
        let lastWord = (range.upperBound - 1) / 8
        var generator = SeededGenerator(seed: seed, skipping: firstWord)
        var bytes: [UInt8] = []
        bytes.reserveCapacity((lastWord - firstWord + 1) * 8)
        for _ in firstWord...lastWord {
            withUnsafeBytes(of: generator.next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        let start = range.lowerBound - firstWord * 8
        return Array(bytes[start..<(start + range.count)])
    }

    /// In pieces that can be held in memory.
    static func pieces(of range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: pieceSize)
            .lazy.map { $0..<Swift.min($0 + pieceSize, range.upperBound) }
    }

    private static let pieceSize = 64 * 1024

    /// SHA-256 in hexadecimal of the first `size` bytes.
    func sha256(size: Int) -> String {
        var hash = SHA256()
        for piece in Self.pieces(of: 0..<size) { hash.update(data: bytes(piece)) }
        return hash.finalize().hexadecimal
    }
}
