import Catalog
import JSON

/// What a poll asks for beside the list.
extension PollConversation {
    mutating func after(
        _ detail: Detail, _ answer: Result<EndpointAnswer, PollError>
    ) throws(PollError) -> Step {
        // With no context, the model would seem to have changed, and so would the list without what cannot be used.
        if detail != .loaded, case .failure(let error) = answer, case .transport = error.code { throw error }
        let hash = AnswerHash(answer)
        if let unread {
            if let memo, let last = memo.answers, last.detailAnswer == hash { return same(memo, last) }
            listing = try ModelListParser.parse(try unread.answer.get(), as: unread.format)
            self.unread = nil
        }
        self.detail = (detail, hash)
        switch detail {
        case .properties: takeProperties(answer)
        case .usable: listing.keepUsable(Self.listed(answer))
        case .loaded:
            takeKnownDescriptions()
            if let running = Self.running(answer) {
                for index in listing.models.indices {
                    let context = running[listing.models[index].id]
                    listing.models[index].loaded = context != nil
                    if let context, let context { listing.models[index].contextLength = context }
                }
            }
            return describeNext(from: 0)
        }
        return done()
    }

    private mutating func takeProperties(_ answer: Result<EndpointAnswer, PollError>) {
        do throws(PollError) {
            let properties = try answer.get().json()
            listing.models[0].contextLength = ModelListParser.context(
                properties["default_generation_settings"]["n_ctx"])
            let modalities = CapabilityWords.capabilities(of: properties["modalities"])
            if !modalities.isEmpty { listing.models[0].capabilities = modalities }
        } catch {
            // The server does not tell.
        }
    }

    /// nil if the server does not say. That fails no poll: servers that imitate Ollama need not have the route, and
    /// Ollama itself may keep the answer back while it loads a model.
    private static func running(_ answer: Result<EndpointAnswer, PollError>) -> [ModelID: Int?]? {
        do throws(PollError) {
            return try ModelListParser.ollamaRunning(try answer.get())
        } catch {
            return nil
        }
    }

    /// nil if the server has no such list.
    private static func listed(_ answer: Result<EndpointAnswer, PollError>) -> [ModelEntry]? {
        do throws(PollError) {
            return try ModelListParser.parse(try answer.get(), as: .openAI).models
        } catch {
            return nil
        }
    }

    // MARK: Descriptions of Ollama's models

    /// A model of the same digest is the same model: what was said of it stands.
    private mutating func takeKnownDescriptions() {
        var known: [ModelID: ModelEntry] = [:]
        for entry in item.base?.models ?? [] where entry.capabilities != nil { known[entry.id] = entry }
        for index in listing.models.indices {
            let model = listing.models[index]
            guard let entry = known[model.id], let digest = model.contentDigest, digest == entry.contentDigest else {
                continue
            }
            listing.models[index].describe(entry.capabilities, contextLength: entry.contextLengthMax)
        }
    }

    private mutating func describeNext(from start: Int) -> Step {
        let missing = listing.models.indices.dropFirst(start).first { listing.models[$0].isUndescribed }
        guard let missing, descriptions < Self.maximumDescriptions else { return doneDescribing() }
        descriptions += 1
        stage = .description(missing)
        var writer = JSONWriter()
        writer.object { $0.field("model", listing.models[missing].id.value) }
        return .ask(Question(path: "/api/show", body: writer.bytes), atMost: EndpointPoll.probeTimeout)
    }

    /// A model of which the server says nothing is not asked for again. One that it could not say anything of now is asked
    /// for at the next poll.
    mutating func afterDescription(of index: Int, _ answer: Result<EndpointAnswer, PollError>) -> Step {
        do throws(PollError) {
            let shown = try ModelListParser.ollamaShown(try answer.get())
            listing.models[index].describe(shown.capabilities, contextLength: shown.contextLength)
        } catch {
            guard error.concernsThePath else { return doneDescribing() }
            listing.models[index].describe([], contextLength: nil)
        }
        return describeNext(from: index + 1)
    }

    /// While descriptions are missing, an answer that is equal to this one must be read again.
    private mutating func doneDescribing() -> Step {
        if listing.models.contains(where: \.isUndescribed) { next = nil }
        return done()
    }
}

extension ModelEntry {
    fileprivate var isUndescribed: Bool { contentDigest != nil && capabilities == nil }

    /// The model's own limit is what a request may use if the model is not in memory.
    fileprivate mutating func describe(_ capabilities: ModelCapabilities?, contextLength: Int?) {
        self.capabilities = capabilities
        contextLengthMax = contextLength
        self.contextLength = self.contextLength ?? contextLength
    }
}

extension ModelListing {
    /// Only the models that LM Studio takes requests for stay, under the names that it takes. `usable` is nil if it does not
    /// say.
    fileprivate mutating func keepUsable(_ usable: [ModelEntry]?) {
        guard let usable else { return }
        var described: [ModelID: ModelEntry] = [:]
        for model in models {
            for alias in model.aliases ?? [] where described[alias] == nil { described[alias] = model }
        }
        for model in models { described[model.id] = model }
        let names = Set(usable.map(\.id))
        models = usable.map { entry in
            var model = described[entry.id] ?? entry
            model.id = entry.id
            let others = (model.aliases ?? []).filter { !names.contains($0) }
            model.aliases = others.isEmpty ? nil : others
            return model
        }
    }
}
