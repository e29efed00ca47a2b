import FoundationEssentials
import HTTPTypes
import NIOCore

extension HubFile {
    /// The file, or the part of it that `Range` asks for.
    func response(range header: String?, commit: String) throws -> Response {
        var headers: HTTPFields = [
            .contentType: contentType, .eTag: "\"\(etag)\"", .repositoryCommit: commit, .acceptRanges: "bytes",
        ]
        if isLFS {
            headers[.linkedSize] = String(size)
            headers[.linkedETag] = "\"\(etag)\""
        }
        guard let header, let range = Self.range(header, size: size) else {
            return Response(status: .ok, headers: headers, body: try body(0..<size))
        }
        guard !range.isEmpty else {
            headers[.contentRange] = "bytes */\(size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        return Response(status: .partialContent, headers: headers, body: try body(range))
    }

    private var contentType: String {
        isLFS ? "binary/octet-stream" : path.hasSuffix(".json") ? "application/json" : "text/plain; charset=utf-8"
    }

    private func body(_ range: Range<Int>) throws -> ResponseBody {
        guard !range.isEmpty else { return ResponseBody() }
        switch content {
        case .bytes(let bytes): return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes[range]))
        case .generated(let generated):
            return ResponseBody(contentLength: range.count) { writer in
                for piece in GeneratedBytes.pieces(of: range) {
                    try await writer.write(ByteBuffer(bytes: generated.bytes(piece)))
                }
            }
        case .local(let path):
            let data = try Self.bytes(of: path, upTo: range.upperBound)
            return ResponseBody(contentLength: range.count) { writer in
                for piece in GeneratedBytes.pieces(of: range) { try await writer.write(ByteBuffer(bytes: data[piece])) }
            }
        }
    }

    /// The file must still be there, and must not have become shorter.
    private static func bytes(of path: String, upTo end: Int) throws -> Data {
        do {
            let data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
            guard end <= data.count else { throw HTTPFailure(.notFound) }
            return data
        } catch {
            throw HTTPFailure(.notFound)
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
