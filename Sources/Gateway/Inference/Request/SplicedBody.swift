import Curl
import Hummingbird

/// A held body with one range of it replaced, put together only as it is sent: however often it is sent, it is in
/// memory once.
struct SplicedBody: HTTPBodySource {
    private let bytes: ByteBuffer
    private let hole: Range<Int>
    private let filling: [UInt8]

    /// `hole` in offsets from the first readable byte.
    init(bytes: ByteBuffer, hole: Range<Int> = 0..<0, filling: [UInt8] = []) {
        self.bytes = bytes
        self.hole = hole
        self.filling = filling
    }

    var count: Int { bytes.readableBytes - hole.count + filling.count }

    func copy(from offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var copied = 0
        bytes.withUnsafeReadableBytes { held in
            filling.withUnsafeBytes { filling in
                // Each part with the offset at which it begins in the whole.
                var start = 0
                for part in [held[..<hole.lowerBound], filling[...], held[hole.upperBound...]] {
                    let skipped = max(0, offset + copied - start)
                    let count = min(part.count - skipped, buffer.count - copied)
                    if count > 0 {
                        let piece = part[(part.startIndex + skipped)..<(part.startIndex + skipped + count)]
                        UnsafeMutableRawBufferPointer(rebasing: buffer[copied...])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
                        copied += count
                    }
                    start += part.count
                }
            }
        }
        return copied
    }

    /// For a request. A small body goes out in one piece with the head, at the price of one copy of it.
    var requestBody: Curl.HTTPRequest.Body {
        guard count <= Self.smallest else { return .source(self) }
        let all = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = copy(from: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return .bytes(all)
    }

    private static let smallest = 64 << 10
}
