import Catalog
import JSON

/// The requests of one poll, without I/O: it names a path, is given the answer, and names the next one.
struct PollConversation: Sendable {
    enum Step: Sendable {
        /// - atMost: nil for all the time that is left
        case ask(Question, atMost: Duration?)
        case done(EndpointPoll.Outcome)
        case failed(PollError)
    }

    struct Question: Sendable, Hashable {
        /// Below the endpoint's base URL, with `/v1` for the routes of OpenAI's API.
        var path: String
        var isAnthropic = false
        /// For a POST.
        var body: [UInt8]?
    }

    /// A request that a poll makes beside that for the list.
    enum Detail: Sendable, Hashable {
        /// llama.cpp: the context and the modalities of its only model.
        case properties
        /// Ollama: which models are in memory.
        case loaded
        /// LM Studio: which of the models can be used. Without just-in-time loading, only those in memory.
        case usable

        var path: String {
            switch self {
            case .properties: "/props"
            case .loaded: "/api/ps"
            case .usable: ListFormat.openAI.path
            }
        }
    }

    enum Stage: Sendable {
        case list(ListFormat)
        case detection(KindDetector)
        /// A further page of the list.
        case page
        case detail(Detail)
        /// Ollama: what the model at this place of the list can do.
        case description(Int)
    }

    /// How often the kind of an endpoint is found out anew, for one poller. Another server may have taken its place whose
    /// answers are like those of the former one.
    static let detectionInterval = Duration.seconds(3600)
    /// Ollama reads a model's file to describe it. So no more models are asked for in one poll.
    static let maximumDescriptions = 4

    let item: PollItem
    let memo: PollMemo?
    private var kind: EndpointKind?
    var stage: Stage
    /// Lists to be tried if this one fails.
    private var rest: [ListFormat] = []
    private var firstFailure: PollError?
    /// When the kind was last found out.
    private var detectedAt: Duration
    /// The kind that stands if a detection, made because it was due, does not come to an end.
    private var formerKind: EndpointKind?
    var listing = ModelListing()
    private var latency: Duration?
    private var pages = 1
    var descriptions = 0
    /// The answer that gave the list; nil if it came in pages, or with a detection.
    var next: (format: ListFormat, list: AnswerHash)?
    var detail: (detail: Detail, answer: AnswerHash?)?
    /// A list that is equal to the last one, and not read yet.
    var unread: (answer: Result<EndpointAnswer, PollError>, format: ListFormat)?

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
        // What is offline may have come back as another server, and has no list that a detection could cost.
        let isOffline = item.base?.state == .offline
        let isDue = isOffline || memo != nil && now - detectedAt >= Self.detectionInterval
        if let kind, endpoint.kind != .auto || !isDue {
            beginLists(of: kind)
        } else {
            detectedAt = now
            formerKind = isOffline ? nil : kind
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
        let formats = EndpointPoll.formats(of: kind)
        switch kind {
        case .ollama, .lmstudio: return formats.filter { $0 != .openAI }
        default: return formats
        }
    }

    /// The first request of a poll, and the first after it has begun anew with another list or with a detection.
    var first: Step {
        switch stage {
        case .list(let format): .ask(Self.question(format), atMost: nil)
        default: .ask(Question(path: KindDetector.first.path), atMost: nil)
        }
    }

    private static func question(_ format: ListFormat) -> Question {
        Question(path: format.path, isAnthropic: format == .anthropic)
    }

    /// Takes the answer to the last request, and says what to do next.
    mutating func take(_ answer: Result<EndpointAnswer, PollError>, after time: Duration) -> Step {
        latency = latency ?? time
        do throws(PollError) {
            switch stage {
            case .list(let format): return try afterList(answer, format, time)
            case .detection(var detector):
                if detector.hasOnlyAskedFirst { next = AnswerHash(answer).map { (.openAI, $0) } }
                let step = detector.take(answer)
                return try follow(step, of: detector)
            case .page: return try afterPage(answer)
            case .detail(let detail): return try after(detail, answer)
            case .description(let index): return afterDescription(of: index, answer)
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
        var isOfAnotherKind = false
        do throws(PollError) {
            let document = try answer.get().json()
            listing = try ModelListParser.parse(document, as: format)
            if item.endpoint.kind == .auto {
                guard KindDetector.hasShape(document, of: format) else {
                    throw PollError(.noList, "a list, but not as a server of this kind makes it")
                }
                isOfAnotherKind = format == .openAI && kind.map { KindDetector.contradicts(document, $0) } == true
            }
        } catch {
            // A login page at a path that only one kind of server has is no word about the list that all kinds have.
            let isElsewhere = item.endpoint.kind == .auto && KindDetector.isNative(format) && error.isRefusal
            guard error.concernsThePath || isElsewhere else { throw error }
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
        if isOfAnotherKind {
            var detector = KindDetector()
            return try follow(detector.take(answer), of: detector)
        }
        return try complete()
    }

    private mutating func follow(_ step: KindDetector.Step, of detector: KindDetector) throws(PollError) -> Step {
        switch step {
        case .ask(let probe):
            stage = .detection(detector)
            var question = Question(path: probe.path)
            if case .list(let format) = probe { question = Self.question(format) }
            return .ask(question, atMost: EndpointPoll.probeTimeout)
        case .failed(let error):
            guard let formerKind, !error.isTransport else { throw error }
            return listAgain(formerKind)
        case .found(let finding):
            if finding.kind == nil, let formerKind { return listAgain(formerKind) }
            (kind, listing) = (finding.kind, finding.listing)
            // The next poll asks for another list than the first one that was asked for here.
            if finding.format != .openAI || EndpointPoll.formats(of: finding.kind ?? .auto).first != .openAI {
                next = nil
            }
            return try complete()
        }
    }

    /// The kind could not be found out anew, which takes nothing from the endpoint.
    private mutating func listAgain(_ kind: EndpointKind) -> Step {
        formerKind = nil
        (latency, next) = (nil, nil)
        beginLists(of: kind)
        return first
    }

    /// Asks for what the list leaves open: further pages, llama.cpp's context, and what Ollama has in memory.
    private mutating func complete() throws(PollError) -> Step {
        if let page = listing.next, pages < EndpointPoll.maximumPages {
            pages += 1
            next = nil
            stage = .page
            return .ask(
                Question(
                    path: "\(ListFormat.openAI.path)?after_id=\(Self.percentEncoded(page))",
                    isAnthropic: kind == .anthropic), atMost: nil)
        }
        if hasProperties, listing.models.count == 1, listing.models[0].contextLength == nil {
            return ask(.properties)
        }
        if kind == .lmstudio, next?.format != .openAI { return ask(.usable) }
        // Only Ollama's own list has digests.
        if kind == .ollama, listing.models.contains(where: { $0.contentDigest != nil }) { return ask(.loaded) }
        return done()
    }

    /// KoboldCpp is no llama.cpp, and has the same description of itself.
    private var hasProperties: Bool { kind == .llamacpp || listing.models.first?.ownedBy == "koboldcpp" }

    mutating func ask(_ detail: Detail) -> Step {
        stage = .detail(detail)
        return .ask(Question(path: detail.path), atMost: detail == .loaded ? EndpointPoll.probeTimeout : nil)
    }

    func done() -> Step {
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
    func same(_ memo: PollMemo, _ answers: PollMemo.Answers) -> Step {
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
