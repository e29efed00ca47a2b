/// A place in the catalog stream: an offset, and the id of the message that stands there.
///
/// Offsets alone do not name a place: a stream that was made anew counts them from 0 again.
public struct LogPosition: Sendable, Hashable {
    public var offset: Int64
    public var messageID: String

    public init(offset: Int64, messageID: String) {
        self.offset = offset
        self.messageID = messageID
    }
}
