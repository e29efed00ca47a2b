/// The models that the list shows to a caller: of endpoints that are online or degraded, and of a key with patterns only
/// what they match.
public final class VisibleModels: Sendable {
    /// Sorted by id.
    public let models: [ListedModel]
    /// Sorted by the last part of the id.
    let byName: [ListedModel]

    private init(_ models: [ListedModel], byName: [ListedModel]) {
        self.models = models
        self.byName = byName
    }

    convenience init(_ all: ListedModels) {
        self.init(all.models.filter(\.isListed), byName: all.byName.filter(\.isListed))
    }

    /// Those that pass `isWanted`.
    func matching(_ isWanted: (ListedModel) -> Bool) -> VisibleModels {
        let models = models.filter(isWanted)
        // Asking for an object is cheaper than matching its id once more.
        let matched = Set(models.map(ObjectIdentifier.init))
        return VisibleModels(models, byName: byName.filter { matched.contains(ObjectIdentifier($0)) })
    }

    /// `/v1/models`. Joins and hashes the lines: a few milliseconds if the list is long.
    func list() -> ModelList {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(models.reduce(40) { $0 + $1.encoded.count + 1 })
        bytes += #"{"object":"list","data":["#.utf8
        var isFirst = true
        for model in models {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: model.encoded)
        }
        bytes += "]}".utf8
        return ModelList(bytes: bytes)
    }
}

// MARK: - Pages

/// Some models of the list that follow each other.
public struct ModelPage: Sendable {
    public enum Place: Sendable, Hashable {
        case start
        /// Behind the place of this id, which need not be there any more.
        case after(ModelID)
        /// The last ones before the place of this id.
        case before(ModelID)
    }

    public let models: ArraySlice<ListedModel>
    /// Whether there are more in the direction that was asked for.
    public let hasMore: Bool
}

extension VisibleModels {
    /// At most `limit` models. Takes logarithmic time.
    public func page(_ place: ModelPage.Place, limit: Int) -> ModelPage {
        switch place {
        case .start: page(from: 0, limit)
        case .after(let id): page(from: models.firstIndex(inOrder: { $0.id > id }), limit)
        case .before(let id): page(upTo: models.firstIndex(inOrder: { $0.id >= id }), limit)
        }
    }

    private func page(from start: Int, _ limit: Int) -> ModelPage {
        let end = min(models.count, start + limit)
        return ModelPage(models: models[start..<end], hasMore: end < models.count)
    }

    private func page(upTo end: Int, _ limit: Int) -> ModelPage {
        let start = max(0, end - limit)
        return ModelPage(models: models[start..<end], hasMore: start > 0)
    }
}
