import Catalog

/// The models that one answer names, in the answer's order.
struct ModelListing: Sendable, Hashable {
    /// `firstSeen` is 0: an answer says nothing of it.
    var models: [ModelEntry] = []
    /// Entries that name no model: wrong types, empty, overlong, or unprintable ids.
    var skipped = 0
    /// Where there is more to fetch: the id to ask for with `?after_id=`.
    var next: String?

    /// An endpoint that lists more is taken to be broken rather than cut short.
    static let maximumModels = 10_000
    /// In UTF-8 bytes.
    static let maximumIDLength = 512

    private var seen: Set<ModelID> = []

    init() {}

    /// Adds a model; where its id is there already, the first one stands. Ids are told apart byte by byte.
    mutating func append(_ entry: ModelEntry) {
        if seen.insert(entry.id).inserted { models.append(entry) }
    }

    /// The next page. Returns whether it brought anything new.
    mutating func append(_ page: ModelListing) -> Bool {
        let before = models.count
        for entry in page.models { append(entry) }
        skipped += page.skipped
        next = page.next
        return models.count > before
    }

    /// An adapter (LoRA) has the context of the model that it is an adapter of, which servers do not repeat.
    mutating func passContextToAdapters() {
        guard models.contains(where: { $0.parent != nil }) else { return }
        let contexts = Dictionary(models.map { ($0.id, $0.contextLength) }, uniquingKeysWith: { first, _ in first })
        for index in models.indices where models[index].contextLength == nil {
            guard let parent = models[index].parent else { continue }
            models[index].contextLength = contexts[ModelID(parent)] ?? nil
        }
    }

    func checked() throws(PollError) -> ModelListing {
        guard models.count <= Self.maximumModels else {
            throw PollError(.tooManyModels, "more than \(Self.maximumModels) models")
        }
        guard !models.isEmpty || skipped == 0 else {
            throw PollError(.noUsableEntry, "a list of \(skipped) entries, none of which names a model")
        }
        return self
    }
}
