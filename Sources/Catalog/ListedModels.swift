import Conventions
import Crypto

/// `/v1/models`, encoded.
public struct ModelList: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Strong, quoted, from the bytes alone: the first 32 hex digits of their SHA-256.
    public var etag: String

    init(bytes: [UInt8]) {
        self.bytes = bytes
        etag = Self.etag(of: bytes)
    }

    public static func etag(of bytes: [UInt8]) -> String {
        "\"\(SHA256.hash(data: bytes).prefix(16).hexadecimal)\""
    }
}

/// The part of a list that some callers see.
public struct ModelListPart: Sendable {
    public let models: VisibleModels
    public let list: ModelList

    init(models: VisibleModels) {
        self.models = models
        list = models.list()
    }
}

/// One line of the merged list, and the endpoints that list the model.
///
/// Immutable. The merged list makes a new object only if the line changed, so views share the objects.
public final class ListedModel: Sendable {
    public let id: ModelID
    /// The slots of all endpoints that list the model, in the order of the endpoints' names.
    let members: [Int32]
    /// The line. Empty if no online or degraded endpoint lists the model. The list then leaves the model out.
    public let encoded: [UInt8]
    /// When the model was first seen, in seconds since 1970.
    public let created: Int64

    init(id: ModelID, members: [Int32], encoded: [UInt8], created: Int64) {
        self.id = id
        self.members = members
        self.encoded = encoded
        self.created = created
    }

    var isListed: Bool { !encoded.isEmpty }
}

/// All lines of the merged list at one moment.
final class ListedModels: Sendable {
    static let none = ListedModels([], byName: [])

    /// Sorted by id.
    let models: [ListedModel]
    /// The same, sorted by the last part of the id.
    let byName: [ListedModel]

    init(_ models: [ListedModel], byName: [ListedModel]) {
        self.models = models
        self.byName = byName
    }

    /// The model whose id is `id` followed by `suffix`. Copies no string and takes logarithmic time.
    func find(_ id: String, suffix: StaticString = "") -> ListedModel? {
        var id = id
        let tail = UnsafeBufferPointer(start: suffix.utf8Start, count: suffix.utf8CodeUnitCount)
        return id.withUTF8 { wanted in
            models.binarySearch { ByteOrder.compare($0.id.value, with: wanted, followedBy: tail) }
        }
    }
}

extension Array {
    /// The first element for which `isBehind` is true; the end if there is none. Once true it must stay true along the
    /// array.
    func firstIndex(inOrder isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The element for which `order` gives 0. `order` must rise along the array: below 0 means that the element stands
    /// before the wanted one.
    func binarySearch(_ order: (Element) -> Int) -> Element? {
        let index = firstIndex(inOrder: { order($0) >= 0 })
        return index < count && order(self[index]) == 0 ? self[index] : nil
    }
}
