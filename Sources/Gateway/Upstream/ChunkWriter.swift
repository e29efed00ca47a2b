import NIOCore

/// Puts payload into the client's framing: one chunk a write, or bare bytes.
struct ChunkWriter: Sendable {
    /// The last chunk, without trailers.
    static let last = ByteBuffer(string: "0\r\n\r\n")
    private static let lineEnd = ByteBuffer(string: "\r\n")
    /// A chunk up to this size is copied into one buffer with its framing. For a larger one, three writes are cheaper
    /// than the copy.
    private static let copyLimit = 4096

    let writesChunks: Bool

    /// Appends the bytes of `held`, which is empty then, and of `payload`. Appends nothing if both are empty: an empty
    /// chunk would be the last one.
    func write(_ held: inout ByteBuffer, _ payload: ByteBuffer, into output: inout [ByteBuffer]) {
        let length = held.readableBytes + payload.readableBytes
        guard length > 0 else { return }
        if writesChunks, length <= Self.copyLimit {
            var chunk = Self.sizeLine(length, capacity: length + 10)
            chunk.writeImmutableBuffer(held)
            chunk.writeImmutableBuffer(payload)
            chunk.writeImmutableBuffer(Self.lineEnd)
            output.append(chunk)
            held.clear()
            return
        }
        if writesChunks { output.append(Self.sizeLine(length, capacity: 18)) }
        if held.readableBytes > 0 { output.append(held) }
        if payload.readableBytes > 0 { output.append(payload) }
        if writesChunks { output.append(Self.lineEnd) }
        held = ByteBuffer()
    }

    /// `payload` in one buffer.
    func chunk(_ payload: ByteBuffer) -> ByteBuffer {
        guard writesChunks else { return payload }
        var chunk = Self.sizeLine(payload.readableBytes, capacity: payload.readableBytes + 20)
        chunk.writeImmutableBuffer(payload)
        chunk.writeImmutableBuffer(Self.lineEnd)
        return chunk
    }

    private static func sizeLine(_ length: Int, capacity: Int) -> ByteBuffer {
        var line = ByteBufferAllocator().buffer(capacity: capacity)
        let digits = max(1, (Int.bitWidth - length.leadingZeroBitCount + 3) / 4)
        line.writeWithUnsafeMutableBytes(minimumWritableBytes: digits + 2) { bytes in
            for index in 0..<digits {
                let digit = UInt8(truncatingIfNeeded: (length >> (4 * (digits - 1 - index))) & 0xF)
                bytes[index] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
            }
            (bytes[digits], bytes[digits + 1]) = (.carriageReturn, .lineFeed)
            return digits + 2
        }
        return line
    }
}

extension ByteBuffer {
    /// The readable bytes at `range`, which counts from the first readable byte.
    func slice(_ range: Range<Int>) -> ByteBuffer {
        if range.lowerBound == 0, range.upperBound == readableBytes { return self }
        let start = readableBytesView.startIndex
        return ByteBuffer(readableBytesView[start + range.lowerBound..<start + range.upperBound])
    }
}
