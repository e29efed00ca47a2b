import Catalog

/// The requests of one poll, without I/O: it names a path, is given the answer, and names the next one.
struct PollConversation: Sendable {
    enum Step: Sendable {
        /// - atMost: nil for all the time that is left
        case ask(path: String, atMost: Duration?)
        case done(EndpointPoll.Outcome)
        case failed(PollError)
    }

    /// What is asked for beside a list.
    private enum Detail: Sendable, Hashable {
        /// llama.cpp: the context of its only model.
        case context
        /// Ollama: which models are in memory.
        case loaded

        var path: String {
            switch self {
            case .context: "/props"
            case .loaded: "/api/ps"
            }
        }
    }

    private enum Stage: Sendable {
        case list(ListFormat)
        case detection(KindDetector)
        /// A further page of the list.
        case page
        case detail(Detail)
    }

    private let stated: EndpointKind
    private var kind: EndpointKind?
    private var stage: Stage
    /// Lists to be tried if this one fails.
    private var rest: [ListFormat] = []
    private var firstFailure: PollError?
    /// A detection that fails takes nothing from an endpoint whose kind is known.
    private var isKindKnown = false
    private var listing = ModelListing()
    private var latency: Duration?
    private var pages = 1

    /// - Parameter detected: the kind that an earlier poll of this generation found; asked only if the record says `auto`
    init(_ endpoint: EndpointRecord, detected: EndpointKind?) {
        stated = endpoint.kind
        if stated != .auto {
            kind = stated
            rest = EndpointPoll.formats(of: stated)
            stage = .list(rest.removeFirst())
        } else if let detected, detected != .auto {
            kind = detected
            isKindKnown = true
            rest = Self.formats(known: detected)
            stage = .list(rest.removeFirst())
        } else {
            stage = .detection(KindDetector())
        }
    }

    /// The lists that only this kind has, if there are any: the list of all kinds would not tell that another server has
    /// taken this one's place.
    private static func formats(known kind: EndpointKind) -> [ListFormat] {
        let native = EndpointPoll.formats(of: kind).filter { $0 != .openAI }
        return native.isEmpty ? [.openAI] : native
    }

    var first: Step {
        switch stage {
        case .list(let format): .ask(path: format.path, atMost: nil)
        default: .ask(path: KindDetector.first.path, atMost: nil)
        }
    }

    /// What to do after the answer to what was asked last.
    mutating func take(_ answer: Result<EndpointAnswer, PollError>, after time: Duration) -> Step {
        latency = latency ?? time
        do throws(PollError) {
            switch stage {
            case .list(let format): return try afterList(answer, format, time)
            case .detection(var detector):
                let step = detector.take(answer)
                return try follow(step, of: detector)
            case .page: return try afterPage(answer)
            case .detail(let detail): return try after(detail, answer)
            }
        } catch {
            return .failed(error)
        }
    }

    private mutating func afterList(
        _ answer: Result<EndpointAnswer, PollError>, _ format: ListFormat, _ time: Duration
    ) throws(PollError) -> Step {
        do throws(PollError) {
            latency = time
            listing = try ModelListParser.parse(try answer.get(), as: format)
        } catch {
            guard error.concernsThePath else { throw error }
            firstFailure = firstFailure ?? error
            guard rest.isEmpty else {
                let next = rest.removeFirst()
                stage = .list(next)
                return .ask(path: next.path, atMost: nil)
            }
            // Another server may have taken this one's place. A kind that was stated stands; its first list counts.
            guard stated == .auto else { throw firstFailure ?? error }
            (isKindKnown, latency) = (false, nil)
            stage = .detection(KindDetector())
            return .ask(path: KindDetector.first.path, atMost: nil)
        }
        return try complete()
    }

    private mutating func follow(_ step: KindDetector.Step, of detector: KindDetector) throws(PollError) -> Step {
        switch step {
        case .ask(let probe):
            stage = .detection(detector)
            return .ask(path: probe.path, atMost: EndpointPoll.probeTimeout)
        case .failed(let error): throw error
        case .found(let finding):
            (kind, listing) = (finding.kind, finding.listing)
            return try complete()
        }
    }

    /// Asks for what the list leaves open: further pages, llama.cpp's context, and what Ollama has in memory.
    private mutating func complete() throws(PollError) -> Step {
        if let next = listing.next, pages < EndpointPoll.maximumPages {
            pages += 1
            stage = .page
            return .ask(path: "\(ListFormat.openAI.path)?after_id=\(Self.percentEncoded(next))", atMost: nil)
        }
        if kind == .llamacpp, listing.models.count == 1, listing.models[0].contextLength == nil {
            return ask(.context, atMost: nil)
        }
        // Only Ollama's own list has digests.
        if kind == .ollama, listing.models.contains(where: { $0.contentDigest != nil }) {
            return ask(.loaded, atMost: EndpointPoll.probeTimeout)
        }
        return done()
    }

    private mutating func ask(_ detail: Detail, atMost limit: Duration?) -> Step {
        stage = .detail(detail)
        return .ask(path: detail.path, atMost: limit)
    }

    private func done() -> Step {
        .done(
            EndpointPoll.Outcome(
                kind: kind, models: listing.models.sorted { $0.id < $1.id },
                latencyMilliseconds: Int((latency ?? .zero).milliseconds), skipped: listing.skipped))
    }

    private mutating func afterPage(_ answer: Result<EndpointAnswer, PollError>) throws(PollError) -> Step {
        let hasNews = listing.append(try ModelListParser.parse(try answer.get(), as: .openAI))
        if hasNews { listing = try listing.checked() } else { listing.next = nil }
        return try complete()
    }

    private mutating func after(
        _ detail: Detail, _ answer: Result<EndpointAnswer, PollError>
    ) throws(PollError) -> Step {
        switch detail {
        case .context: listing.models[0].contextLength = try Self.servedContext(answer)
        case .loaded:
            if let loaded = Self.loadedModels(answer) {
                for index in listing.models.indices {
                    listing.models[index].loaded = loaded.contains(listing.models[index].id)
                }
            }
        }
        return done()
    }

    /// nil where the server does not tell.
    ///
    /// A server that stops answering here fails the poll: with nil, the model would seem to have changed.
    private static func servedContext(_ answer: Result<EndpointAnswer, PollError>) throws(PollError) -> Int? {
        do throws(PollError) {
            let properties = try answer.get().json()
            return ModelListParser.context(properties["default_generation_settings"]?["n_ctx"])
        } catch {
            if case .transport = error.code { throw error }
            return nil
        }
    }

    /// The models that Ollama has in memory (docs/api.md, "List Running Models").
    ///
    /// nil if the server does not say. That fails no poll: servers that imitate Ollama need not have the route, and
    /// Ollama itself may keep the answer back while it loads a model.
    private static func loadedModels(_ answer: Result<EndpointAnswer, PollError>) -> Set<ModelID>? {
        do throws(PollError) {
            return Set(try ModelListParser.parse(try answer.get(), as: .ollamaTags).models.map(\.id))
        } catch {
            return nil
        }
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(Unicode.Scalar(byte))
            default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
