import Catalog
import JSON

/// The requests of one poll, without I/O: it names a path, is given the answer, and names the next one.
struct PollConversation: Sendable {
    enum Step: Sendable {
        /// - atMost: nil for all the time that is left
        case ask(path: String, atMost: Duration?)
        case done(EndpointPoll.Outcome)
        case failed(PollError)
    }

    /// A request that a poll makes beside that for the list.
    enum Detail: Sendable, Hashable {
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

    /// How often the kind of an endpoint is found out anew, for one poller. Another server may have taken its place whose
    /// answers are like those of the former one.
    static let detectionInterval = Duration.seconds(3600)

    private let item: PollItem
    private let memo: PollMemo?
    private var kind: EndpointKind?
    private var stage: Stage
    /// Lists to be tried if this one fails.
    private var rest: [ListFormat] = []
    private var firstFailure: PollError?
    /// When the kind was last found out.
    private var detectedAt: Duration
    /// The kind that stands if a detection, made because it was due, does not come to an end.
    private var formerKind: EndpointKind?
    private var listing = ModelListing()
    private var latency: Duration?
    private var pages = 1
    /// The answer that gave the list; nil if it came in pages, or with a detection.
    private var next: (format: ListFormat, list: AnswerHash)?
    private var detail: (detail: Detail, answer: AnswerHash?)?
    /// A list that is equal to the last one, and not read yet.
    private var unread: (answer: Result<EndpointAnswer, PollError>, format: ListFormat)?

    /// - Parameters:
    ///   - memo: of the last poll, whatever it was of
    ///   - now: by the monotonic clock
    init(_ item: PollItem, memo: PollMemo?, now: Duration) {
        self.item = item
        let endpoint = item.endpoint
        let detected = item.base?.kind
        let kind = endpoint.kind == .auto ? detected == .auto ? nil : detected : endpoint.kind
        let memo = memo?.generation == endpoint.generation && memo?.kind == kind ? memo : nil
        self.memo = memo
        self.kind = kind
        // The detections of many endpoints are spread over the interval.
        detectedAt = memo?.detectedAt ?? now - Self.detectionInterval * StablePhase.of(endpoint.id)
        stage = .detection(KindDetector())
        let isDue = memo != nil && now - detectedAt >= Self.detectionInterval
        if let kind, endpoint.kind != .auto || !isDue {
            beginLists(of: kind)
        } else {
            detectedAt = now
            formerKind = kind
        }
    }

    /// The list that the endpoint had last time goes first.
    private mutating func beginLists(of kind: EndpointKind) {
        rest = item.endpoint.kind == .auto ? Self.formats(known: kind) : EndpointPoll.formats(of: kind)
        if let format = memo?.answers?.format, let index = rest.firstIndex(of: format) { rest.swapAt(0, index) }
        stage = .list(rest.removeFirst())
    }

    /// The lists that only this kind has, if there are any: the list of all kinds would not tell that another server has
    /// taken this one's place.
    private static func formats(known kind: EndpointKind) -> [ListFormat] {
        let native = EndpointPoll.formats(of: kind).filter { $0 != .openAI }
        return native.isEmpty ? [.openAI] : native
    }

    /// The first request of a poll, and the first after it has begun anew with another list or with a detection.
    var first: Step {
        switch stage {
        case .list(let format): .ask(path: format.path, atMost: nil)
        default: .ask(path: KindDetector.first.path, atMost: nil)
        }
    }

    /// Takes the answer to the last request, and says what to do next.
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
        latency = time
        next = AnswerHash(answer).map { (format, $0) }
        if let memo, let last = memo.answers, last.format == format, last.list == next?.list,
            last.digest == item.base?.digest
        {
            unread = (answer, format)
            return last.detail.map { ask($0) } ?? same(memo, last)
        }
        do throws(PollError) {
            listing = try ModelListParser.parse(try answer.get(), as: format)
        } catch {
            guard error.concernsThePath else { throw error }
            firstFailure = firstFailure ?? error
            guard rest.isEmpty else {
                stage = .list(rest.removeFirst())
                return first
            }
            // Another server may have taken this one's place. A kind that was stated stands; its first list counts.
            guard item.endpoint.kind == .auto else { throw firstFailure ?? error }
            (latency, next) = (nil, nil)
            stage = .detection(KindDetector())
            return first
        }
        if format == .openAI, item.endpoint.kind == .auto,
            let named = KindDetector.kind(namedBy: listing.models.lazy.compactMap(\.ownedBy)), named != kind
        {
            // The owners name another kind than the one that was found out.
            var detector = KindDetector()
            return try follow(detector.take(answer), of: detector)
        }
        return try complete()
    }

    private mutating func follow(_ step: KindDetector.Step, of detector: KindDetector) throws(PollError) -> Step {
        switch step {
        case .ask(let probe):
            next = nil
            stage = .detection(detector)
            return .ask(path: probe.path, atMost: EndpointPoll.probeTimeout)
        case .failed(let error):
            guard let formerKind else { throw error }
            return listAgain(formerKind)
        case .found(let finding):
            if finding.kind == nil, let formerKind { return listAgain(formerKind) }
            (kind, listing) = (finding.kind, finding.listing)
            return try complete()
        }
    }

    /// The kind could not be found out anew, which takes nothing from the endpoint.
    private mutating func listAgain(_ kind: EndpointKind) -> Step {
        formerKind = nil
        latency = nil
        beginLists(of: kind)
        return first
    }

    /// Asks for what the list leaves open: further pages, llama.cpp's context, and what Ollama has in memory.
    private mutating func complete() throws(PollError) -> Step {
        if let page = listing.next, pages < EndpointPoll.maximumPages {
            pages += 1
            next = nil
            stage = .page
            return .ask(path: "\(ListFormat.openAI.path)?after_id=\(Self.percentEncoded(page))", atMost: nil)
        }
        if kind == .llamacpp, listing.models.count == 1, listing.models[0].contextLength == nil {
            return ask(.context)
        }
        // Only Ollama's own list has digests.
        if kind == .ollama, listing.models.contains(where: { $0.contentDigest != nil }) { return ask(.loaded) }
        return done()
    }

    private mutating func ask(_ detail: Detail) -> Step {
        stage = .detail(detail)
        return .ask(path: detail.path, atMost: detail == .loaded ? EndpointPoll.probeTimeout : nil)
    }

    private func done() -> Step {
        var outcome = EndpointPoll.Outcome(
            kind: kind, models: listing.models.sorted { $0.id < $1.id },
            latencyMilliseconds: Int((latency ?? .zero).milliseconds), skipped: listing.skipped)
        if let kind {
            let answers = next.map { next in
                PollMemo.Answers(
                    format: next.format, list: next.list, detail: detail?.detail, detailAnswer: detail?.answer,
                    digest: outcome.digest, skipped: listing.skipped)
            }
            outcome.memo = PollMemo(
                generation: item.endpoint.generation, kind: kind, detectedAt: detectedAt, answers: answers)
        }
        return .done(outcome)
    }

    /// The answers are those of the last poll, so the models are those that are held.
    private func same(_ memo: PollMemo, _ answers: PollMemo.Answers) -> Step {
        .done(
            EndpointPoll.Outcome(
                kind: kind, held: item.base?.models ?? [], answers: answers, memo: memo,
                latencyMilliseconds: Int((latency ?? .zero).milliseconds)))
    }

    private mutating func afterPage(_ answer: Result<EndpointAnswer, PollError>) throws(PollError) -> Step {
        let hasNews = listing.append(try ModelListParser.parse(try answer.get(), as: .openAI))
        if hasNews { listing = try listing.checked() } else { listing.next = nil }
        return try complete()
    }

    private mutating func after(
        _ detail: Detail, _ answer: Result<EndpointAnswer, PollError>
    ) throws(PollError) -> Step {
        // With no context, the model would seem to have changed.
        if detail == .context, case .failure(let error) = answer, case .transport = error.code { throw error }
        let hash = AnswerHash(answer)
        if let unread {
            if let memo, let last = memo.answers, last.detailAnswer == hash { return same(memo, last) }
            listing = try ModelListParser.parse(try unread.answer.get(), as: unread.format)
            self.unread = nil
        }
        self.detail = (detail, hash)
        switch detail {
        case .context: listing.models[0].contextLength = Self.servedContext(answer)
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
    private static func servedContext(_ answer: Result<EndpointAnswer, PollError>) -> Int? {
        do throws(PollError) {
            let properties = try answer.get().json()
            return ModelListParser.context(properties["default_generation_settings"]["n_ctx"])
        } catch {
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
