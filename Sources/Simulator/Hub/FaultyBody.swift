import HTTPTypes
import Hummingbird

extension ResponseBody {
    /// The first half, and then the connection ends: the length that was told is never reached.
    func cutInHalf() -> ResponseBody {
        let whole = self
        return ResponseBody(contentLength: contentLength) { writer in
            try await whole.write(CuttingWriter(parent: writer, left: (whole.contentLength ?? 2) / 2))
        }
    }

    /// In 100 pieces, each after a pause.
    func slowed(pause: Duration) -> ResponseBody {
        let whole = self
        return ResponseBody(contentLength: contentLength) { writer in
            let piece = max(1, (whole.contentLength ?? 0) / 100)
            try await whole.write(SlowWriter(parent: writer, piece: piece, pause: pause))
        }
    }
}

/// Thrown while a body is written: the server then closes the connection.
private struct BodyCut: Error {}

private struct CuttingWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    var left: Int

    mutating func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        let part = buffer.readSlice(length: min(left, buffer.readableBytes)) ?? ByteBuffer()
        left -= part.readableBytes
        try await parent.write(part)
        if buffer.readableBytes > 0 { throw BodyCut() }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { throw BodyCut() }
}

private struct SlowWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    let piece: Int
    let pause: Duration

    mutating func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        while let part = buffer.readSlice(length: min(piece, buffer.readableBytes)), part.readableBytes > 0 {
            try await Task.sleep(for: pause)
            try await parent.write(part)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await parent.finish(trailingHeaders) }
}
