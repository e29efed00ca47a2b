import HTTPTypes
import Hummingbird

extension HubFile {
    /// The file, or the part of it that `Range` asks for.
    func response(range header: String?, commit: String, context: SimulatorContext) async throws -> Response {
        var headers: HTTPFields = [
            .contentType: contentType, .eTag: "\"\(etag)\"", .repositoryCommit: commit, .acceptRanges: "bytes",
        ]
        if isLFS {
            headers[.linkedSize] = String(size)
            headers[.linkedETag] = "\"\(etag)\""
        }
        guard let header, let range = Self.range(header, size: size) else {
            headers[.contentLength] = String(size)
            return Response(status: .ok, headers: headers, body: try await body(0..<size, context: context))
        }
        guard !range.isEmpty else {
            headers[.contentRange] = "bytes */\(size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        headers[.contentLength] = String(range.count)
        return Response(status: .partialContent, headers: headers, body: try await body(range, context: context))
    }

    private var contentType: String {
        isLFS ? "binary/octet-stream" : path.hasSuffix(".json") ? "application/json" : "text/plain; charset=utf-8"
    }

    private func body(_ range: Range<Int>, context: SimulatorContext) async throws -> ResponseBody {
        guard !range.isEmpty else { return ResponseBody() }
        switch content {
        case .bytes(let bytes): return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes[range]))
        case .generated(let generated):
            return ResponseBody(contentLength: range.count) { writer in
                for piece in GeneratedBytes.pieces(of: range) {
                    try await writer.write(ByteBuffer(bytes: generated.bytes(piece)))
                }
                try await writer.finish(nil)
            }
        case .local(let path):
            return try await FileIO().loadFile(
                path: path, range: range.lowerBound...(range.upperBound - 1), context: context)
        }
    }

    /// The one range of `bytes=…` (RFC 9110, section 14.1.2): empty where the file has nothing of it, nil where the
    /// header is to be ignored.
    static func range(_ header: String, size: Int) -> Range<Int>? {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let bounds = header.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return nil }
        switch (Int(bounds[0]), Int(bounds[1])) {
        case (let first?, let last?) where first <= last:
            return first < size ? first..<min(last + 1, size) : 0..<0
        case (let first?, nil) where bounds[1].isEmpty: return first < size ? first..<size : 0..<0
        case (nil, let count?) where bounds[0].isEmpty: return max(0, size - count)..<size
        default: return nil
        }
    }
}
