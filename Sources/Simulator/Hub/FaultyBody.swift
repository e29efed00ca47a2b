import NIOCore

extension ResponseBody {
    /// The first half, and then the connection ends: the length that was told is never reached.
    func cutInHalf() -> ResponseBody {
        let whole = self
        return ResponseBody(contentLength: contentLength) { writer in
            var cutting: any BodyWriter = CuttingWriter(parent: writer, left: (whole.contentLength ?? 2) / 2)
            try await whole.write(to: &cutting)
            throw BodyCut()
        }
    }

    /// In 100 pieces, each after a pause.
    func slowed(pause: Duration) -> ResponseBody {
        let whole = self
        return ResponseBody(contentLength: contentLength) { writer in
            // The head comes at once.
            try await writer.write(ByteBuffer())
            let piece = max(1, (whole.contentLength ?? 0) / 100)
            var slow: any BodyWriter = SlowWriter(parent: writer, piece: piece, pause: pause)
            try await whole.write(to: &slow)
        }
    }
}

/// Thrown while a body is written: the server then closes the connection.
private struct BodyCut: Error {}

private struct CuttingWriter: BodyWriter {
    var parent: any BodyWriter
    var left: Int

    mutating func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        let part = buffer.readSlice(length: min(left, buffer.readableBytes)) ?? ByteBuffer()
        left -= part.readableBytes
        try await parent.write(part)
        if buffer.readableBytes > 0 { throw BodyCut() }
    }
}

private struct SlowWriter: BodyWriter {
    var parent: any BodyWriter
    let piece: Int
    let pause: Duration

    mutating func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        while let part = buffer.readSlice(length: min(piece, buffer.readableBytes)), part.readableBytes > 0 {
            try await Task.sleep(for: pause)
            try await parent.write(part)
        }
    }
}
