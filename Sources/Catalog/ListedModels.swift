import Crypto

/// `/v1/models`, encoded.
public struct ModelList: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Strong, quoted, from the bytes alone: the first 32 hex digits of their SHA-256.
    public var etag: String

    init(bytes: [UInt8]) {
        self.bytes = bytes
        let digest = SHA256.hash(data: bytes).prefix(16)
        etag = "\"" + digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + "\""
    }
}

/// The part of a list that some callers see.
public struct ModelListPart: Sendable, Hashable {
    /// ETag of the whole list that it is a part of.
    public var whole: String
    public var list: ModelList
}

/// One line of the merged list, and the endpoints that list the model.
///
/// Immutable. The merged list makes a new object only if the line changed, so views share the objects.
final class ListedModel: Sendable {
    let id: ModelID
    /// The slots of all endpoints that list the model, in the order of the endpoints' names.
    let members: [Int32]
    /// Empty if no online or degraded endpoint lists the model. The list then leaves the model out.
    let encoded: [UInt8]

    init(id: ModelID, members: [Int32], encoded: [UInt8]) {
        self.id = id
        self.members = members
        self.encoded = encoded
    }
}

/// All lines of the merged list at one moment, sorted by id.
final class ListedModels: Sendable {
    static let none = ListedModels([])

    let models: [ListedModel]

    init(_ models: [ListedModel]) { self.models = models }

    /// The model whose id is `id` followed by `suffix`. Copies no string and takes logarithmic time.
    func find(_ id: String, suffix: StaticString = "") -> ListedModel? {
        var id = id
        let tail = UnsafeBufferPointer(start: suffix.utf8Start, count: suffix.utf8CodeUnitCount)
        return id.withUTF8 { wanted in
            models.binarySearch { ByteOrder.compare($0.id.value, with: wanted, followedBy: tail) }
        }
    }

    /// Joins and hashes the lines: a few milliseconds if the list is long.
    func list() -> ModelList { Self.list(of: models.lazy.map(\.encoded).filter { !$0.isEmpty }) }

    /// The same of the models that `patterns` match.
    func list(of patterns: ModelPatterns) -> ModelList {
        Self.list(of: models.filter { !$0.encoded.isEmpty && patterns.match($0.id) }.map(\.encoded))
    }

    private static func list(of lines: some Collection<[UInt8]>) -> ModelList {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(40) { $0 + $1.count + 1 })
        JSONText.append(raw: #"{"object":"list","data":["#, to: &bytes)
        var isFirst = true
        for line in lines {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: line)
        }
        JSONText.append(raw: "]}", to: &bytes)
        return ModelList(bytes: bytes)
    }
}

extension Array {
    /// The element for which `order` gives 0. `order` must rise along the array: below 0 means that the element stands
    /// before the wanted one.
    func binarySearch(_ order: (Element) -> Int) -> Element? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let found = order(self[middle])
            if found == 0 { return self[middle] }
            if found < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
