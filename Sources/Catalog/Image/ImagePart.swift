public import AMQP
import FoundationEssentials

/// One message of the image stream. AMQP property `type` is `image.part`.
struct ImagePart: Sendable, Hashable {
    /// See `CatalogImage.version`.
    var version: Int64
    /// See `CatalogImage.id`.
    var image: String
    /// From 0.
    var number: Int
    /// How many parts the image has.
    var count: Int
    var body: [UInt8]

    var isLast: Bool { number == count - 1 }

    /// With a new unique message id.
    var message: Message {
        Message(
            body: body, type: BrokerMap.MessageType.imagePart, messageID: UUID().uuidString.lowercased(),
            headers: [
                "schema": .integer(BrokerMap.schema), "version": .integer(version), "image": .string(image),
                "part": .integer(Int64(number)), "parts": .integer(Int64(count)),
            ])
    }
}

extension ImagePart {
    /// nil for anything else.
    init?(_ message: Message) {
        guard message.type == BrokerMap.MessageType.imagePart, case .integer(let version)? = message.headers["version"],
            case .string(let image)? = message.headers["image"], case .integer(let number)? = message.headers["part"],
            case .integer(let count)? = message.headers["parts"], (1...1_000_000).contains(count),
            (0..<count).contains(number)
        else { return nil }
        self.init(version: version, image: image, number: Int(number), count: Int(count), body: message.body)
    }
}

extension CatalogImage {
    /// The messages of the image stream, to be published in this order.
    public var messages: [Message] {
        parts.enumerated().map { number, body in
            ImagePart(version: Self.version, image: id, number: number, count: parts.count, body: body).message
        }
    }
}
