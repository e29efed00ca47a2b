import Catalog
import NIOCore

/// What is sent as the body of a request.
enum ForwardedBody {
    /// With the model's name as the endpoint knows it.
    case naming(InferenceBody)
    case asItIs(ByteBuffer)

    /// Writes the body behind its head as far as both together are short. Returns what is left, in pieces.
    func write(naming model: ModelID, behind head: HeadWriter) -> [ByteBuffer] {
        switch self {
        case .asItIs(let bytes): return Self.write(bytes, behind: head) ? [] : [bytes]
        case .naming(let body) where !body.isRenamed(to: model):
            return Self.write(body.bytes, behind: head) ? [] : [body.bytes]
        case .naming(let body):
            var rest = body.pieces(naming: model)[...]
            while let piece = rest.first, Self.write(piece, behind: head) { rest.removeFirst() }
            return Array(rest)
        }
    }

    /// As many bytes as the operating system takes at once, as no others are on their way (tcp(7), `tcp_wmem`). To copy
    /// them costs less than another write of the channel.
    private static let smallBytes = 4096

    private static func write(_ bytes: ByteBuffer, behind head: HeadWriter) -> Bool {
        guard head.count + bytes.readableBytes <= smallBytes else { return false }
        head.write(bytes)
        return true
    }

    func contentLength(naming model: ModelID) -> Int {
        switch self {
        case .naming(let body): body.contentLength(naming: model)
        case .asItIs(let bytes): bytes.readableBytes
        }
    }

    func isChanged(naming model: ModelID) -> Bool {
        switch self {
        case .naming(let body): body.isChanged(naming: model)
        case .asItIs: false
        }
    }
}
