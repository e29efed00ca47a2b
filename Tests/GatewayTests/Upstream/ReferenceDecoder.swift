import NIOCore
import NIOEmbedded
import NIOHTTP1

/// NIO's decoder of responses, as the other opinion of what an answer's bytes mean.
struct ReferenceAnswer: Equatable {
    var status: Int?
    var minorVersion = 1
    /// Without the blanks around the values.
    var fields: [[String]] = []
    var body: [UInt8] = []
    var hasEnded = false

    static func decode(_ bytes: [UInt8], isHeadRequest: Bool) throws -> ReferenceAnswer {
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes))
        let channel = EmbeddedChannel(handler: decoder)
        let request = HTTPRequestHead(version: .http1_1, method: isHeadRequest ? .HEAD : .POST, uri: "/")
        try channel.writeOutbound(HTTPClientRequestPart.head(request))
        var isRefused = false
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { isRefused = true }
        if !isRefused {
            do { _ = try channel.finish() } catch { isRefused = true }
        }
        var answer = ReferenceAnswer()
        while !answer.hasEnded, let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                answer.status = Int(head.status.code)
                answer.minorVersion = head.version.minor
                answer.fields = head.headers.map { [$0.name, trimmed($0.value)] }
            case .body(let bytes): answer.body += bytes.readableBytesView
            case .end: answer.hasEnded = true
            }
        }
        return answer
    }

    private static func trimmed(_ value: String) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let bytes = value.utf8.drop(while: isBlank)
        let count = bytes.count - bytes.reversed().prefix(while: isBlank).count
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
