import Catalog
import HTTPTypes
import Logging
import NIOCore

/// One request of a client and the answer that it gets: the shell around `RelayMachine`, which decides everything.
///
/// An exchange lives on its client's event loop, and so does its connection to the endpoint: bytes pass from one to the
/// other without a change of threads. `Exchange+upstream.swift` has the endpoint's side, `Exchange+answer.swift` the
/// client's.
final class Exchange: Expirable {
    let path: InferencePath
    let call: RouteCall
    let client: ClientHandler
    let core: InferenceCore
    let loop: LoopContext
    /// Minor version of the client's HTTP/1.
    let minorVersion: Int

    var machine = RelayMachine(model: "", mayRepeatAfterSilence: false)
    private var inputs: [RelayMachine.Input] = []
    private var effects: [RelayMachine.Effect] = []
    private var isFeeding = false

    private var contentType = InferenceContentType.json
    private var held: HeldBytesShare
    /// nil once an answer has begun: the body is not needed any more.
    var body: ForwardedBody?
    /// The response that the request refers to.
    private var storedResponse: String?
    /// Set while the answer may still say the id of the response that it is.
    var idScan: ResponseIDScan?
    /// The model as the client named it; empty for requests that name none.
    private(set) var model = ""
    private var sticky: UInt64?

    /// Endpoints that were asked already, by id: all but the last one.
    private var excluded: [String] = []
    private var lastAsked: String?
    private var ticket: PlacementTicket?
    private(set) var lease: EndpointLease?
    private var nextLease: EndpointLease?

    // The endpoint's side.
    /// Of the lease.
    var target: UpstreamTarget?
    var upstream: UpstreamHandler?
    /// Counts connections, so that what an earlier one still tells is not taken for the current one's.
    var attempt = 0
    var scanner = AnswerHeadScanner(isHeadRequest: false)
    /// Bytes of the endpoint that no head, or no passage, has taken yet.
    var received = ByteBuffer()
    var head: AnswerHead?
    var hasAnswerBegun = false
    /// What went wrong with the last connection: for those who are told of a suspect.
    var connectProblem = ""
    var askedAt = NIODeadline.now()
    /// Set once the endpoint has closed; `wasReset`: by an error.
    var closedUpstream: (wasReset: Bool, Void)?

    // The client's side.
    var passage: AnswerPassage?
    var output: [ByteBuffer] = []
    var closesClient = false

    // Deadlines.
    var sweepIndex = -1
    private var queueDeadline = NIODeadline.distantFuture
    private var firstByteDeadline = NIODeadline.distantFuture
    private var idleDeadline = NIODeadline.distantFuture
    /// Bytes that come before this are no news of the endpoint.
    private var lifeSignDue = NIODeadline.distantPast
    /// Bytes of the answer have come since the last look at the deadlines.
    var sawBytes = false

    init(_ path: InferencePath, _ call: RouteCall, minorVersion: Int, client: ClientHandler) {
        self.path = path
        self.call = call
        self.minorVersion = minorVersion
        self.client = client
        core = client.gateway.inference
        loop = client.loop
        held = HeldBytesShare(of: core.heldBytes)
        // As many as an ordinary request needs at once, so that the arrays are made once and not grown.
        inputs.reserveCapacity(4)
        effects.reserveCapacity(4)
    }

    // MARK: The request

    /// Judges what the head says, before a body is asked for.
    func checkHead() throws(HTTPFailure) {
        let readiness = core.catalog.view.readiness
        guard readiness.isReady else { throw .catalogNotReady(readiness.reason) }
        let headers = call.request.headers
        guard !headers.viaNames(core.viaName) else {
            throw HTTPFailure(
                HTTPResponse.Status(code: 508, reasonPhrase: "Loop Detected"), code: "loop_detected",
                "This request has been through this deployment before: the base URL of one of its endpoints leads back to "
                    + "it. GET /v0/endpoints shows the base URLs.")
        }
        if case .storedResponse(let id) = path.subject {
            storedResponse = id
        } else {
            contentType = try InferenceContentType.check(
                contentTypes: headers[values: .contentType], contentEncodings: headers[values: .contentEncoding],
                query: call.request.query, for: path)
        }
    }

    /// Whether the process may hold so many more bytes of this request's body.
    func mayHold(_ count: Int) -> Bool { held.grow(by: count) }

    /// The body is complete.
    func start(_ bytes: ByteBuffer) {
        do throws(HTTPFailure) {
            if storedResponse != nil { try readStored(bytes) } else { try read(bytes) }
        } catch {
            return respond(error)
        }
        firstByteDeadline = .now() + core.times.firstByte
        loop.exchanges.add(self)
        feed(.start)
    }

    private func read(_ bytes: ByteBuffer) throws(HTTPFailure) {
        let body = try InferenceBody(bytes, as: contentType)
        // A model that the caller does not see is answered like one that is not there.
        guard let name = path.usableName(body.model, by: call.caller, in: core.catalog.view) else {
            throw unknown(body.model, in: core.catalog.view)
        }
        model = name
        sticky = body.sticky(sessionID: call.request.headers[.sessionID])?.value
        storedResponse = path.dialect == .responses ? body.previousResponseID : nil
        machine = RelayMachine(
            model: model, mayRepeatAfterSilence: path.mayRepeatAfterSilence(body),
            refersToStoredResponse: storedResponse != nil)
        self.body = .naming(body)
    }

    /// A key for some models may not look for a response among all endpoints: nobody knows of which model it is.
    private func readStored(_ bytes: ByteBuffer) throws(HTTPFailure) {
        let origin = storedResponse.flatMap(core.storedResponses.origin)
        if call.caller.models != nil {
            guard let origin, call.caller.allows(model: origin.model) else {
                throw .notFound(
                    "response_not_found",
                    "This gateway knows of no response with this id. Ask the gateway that the response came from.")
            }
        }
        machine = RelayMachine(model: "", mayRepeatAfterSilence: false, refersToStoredResponse: true)
        body = .asItIs(bytes)
    }

    // MARK: The machine

    func feed(_ input: RelayMachine.Input) {
        // An effect may be answered at once; its answer is heard when all effects before it are done.
        guard !isFeeding else { return inputs.append(input) }
        isFeeding = true
        defer { isFeeding = false }
        handle(input)
        var next = 0
        while next < inputs.count {
            handle(inputs[next])
            next += 1
        }
        if next > 0 { inputs.removeAll(keepingCapacity: true) }
    }

    private func handle(_ input: RelayMachine.Input) {
        effects.removeAll(keepingCapacity: true)
        machine.handle(input, &effects)
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: RelayMachine.Effect) {
        switch effect {
        case .place(let mayWait): place(mayWait: mayWait)
        case .leaveLine: leaveLine()
        case .connect(let isFresh): connect(isFresh: isFresh)
        case .send: send()
        case .release(let result): release(result)
        case .closeConnection: closeConnection()
        case .keepConnection: keepConnection()
        case .reportSuspect: if let id = endpointID { core.suspects.report(id, reason: connectProblem) }
        case .requestPoll: if let id = endpointID { core.suspects.requestPoll(id) }
        case .passAnswer: passAnswer()
        case .respond(let failure): respond(failure)
        case .finish: finish()
        case .breakOff(let reason): breakOff(reason)
        }
    }

    var endpointID: String? { lease?.target.id }
    var endpointName: String { lease?.target.endpoint.name ?? "" }

    // MARK: Placement

    private func place(mayWait: Bool) {
        if let asked = lastAsked.take() { excluded.append(asked) }
        let targets: [InferenceTarget]
        do throws(HTTPFailure) {
            targets = try self.targets()
        } catch {
            return feed(.notPlaced(error))
        }
        let request = PlacementRequest(model: requested, targets: targets, sticky: sticky, excluded: excluded)
        let waiter: (@Sendable (PlacementOutcome) -> Void)? = mayWait ? waiter() : nil
        switch core.dispatcher.place(request, waiter: waiter) {
        case .placed(let lease): placed(lease)
        case .none: feed(.notPlaced(nil))
        case .lineFull: feed(.notPlaced(mayWait ? Dispatcher.lineFull : nil))
        case .waiting(let ticket):
            self.ticket = ticket
            queueDeadline = .now() + core.times.queue
        }
    }

    private var requested: RequestedModel { RequestedModel(model, kind: path.endpointKind) }

    /// Requests that refer to a response go to the endpoint that made it, if that can be used, and else to all in turn.
    private func targets() throws(HTTPFailure) -> [InferenceTarget] {
        let view = core.catalog.view
        let all: [InferenceTarget]
        if case .storedResponse = path.subject {
            all = view.usableEndpoints.filter { !$0.record.draining || excluded.isEmpty }.map {
                InferenceTarget(endpoint: $0, model: ModelID(""), isDegraded: $0.state == .degraded)
            }
            if all.isEmpty {
                throw .notFound(
                    "response_not_found",
                    "No endpoint is online that could have this response. GET /v0/endpoints says what is wrong with each."
                )
            }
        } else {
            all = try ModelResolver.targets(
                for: requested, in: view, instead: path.openAICounterpart, unknown: unknown(model, in: view))
        }
        guard let storedResponse, excluded.isEmpty, let origin = core.storedResponses.origin(of: storedResponse) else {
            return all
        }
        let makers = all.filter { $0.id == origin.endpoint }
        return makers.isEmpty ? all : makers
    }

    private func unknown(_ model: String, in view: CatalogView) -> HTTPFailure {
        .unknownModel(model, for: call.caller, in: view, core.lists)
    }

    private func waiter() -> @Sendable (PlacementOutcome) -> Void {
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return { outcome in eventLoop.execute { bound.value.waited(outcome) } }
    }

    private func waited(_ outcome: PlacementOutcome) {
        ticket = nil
        queueDeadline = .distantFuture
        switch outcome {
        case .placed(let lease): placed(lease)
        case .failed(let failure): feed(.notPlaced(failure))
        case .noneLeft: feed(.notPlaced(nil))
        }
    }

    private func placed(_ new: EndpointLease) {
        if lease == nil { lease = new } else { nextLease = new }
        lastAsked = new.target.id
        client.current?.accessEntry?.endpoint = new.target.endpoint.name
        machine.asks(for: new.target.model.value)
        feed(.placed)
    }

    private func leaveLine() {
        guard let ticket else { return }
        self.ticket = nil
        queueDeadline = .distantFuture
        // If it is too late to leave, the waiter brings a lease, and the machine gives that back.
        _ = core.dispatcher.leave(ticket)
    }

    private func release(_ result: AnswerResult) {
        lease?.release(result)
        if case .full(let time) = result, let id = endpointID {
            let dispatcher = core.dispatcher
            loop.eventLoop.scheduleTask(in: TimeAmount(time)) { dispatcher.serve(at: id) }
        }
        lease = nextLease
        nextLease = nil
    }

    // MARK: Ends

    /// The client is gone, or has got an answer in another way.
    func clientGone() {
        feed(.clientGone)
        over()
    }

    /// The gateway stops and has no more time. False if there was nothing left to cut.
    func cut() -> Bool {
        guard machine.phase != .over else { return false }
        feed(.cut)
        return true
    }

    /// Lets go of everything that an exchange holds when nothing more is to come.
    func over() {
        loop.exchanges.remove(self)
        letGoOfBody()
    }

    func letGoOfBody() {
        body = nil
        held.giveBack()
    }

    // MARK: Deadlines

    func expire(_ now: NIODeadline) {
        if sawBytes || (passage != nil && !client.isWritable) {
            if sawBytes, lifeSignDue <= now, let id = endpointID {
                lifeSignDue = now + .seconds(1)
                core.lifeSigns.sawBytes(of: id)
            }
            sawBytes = false
            idleDeadline = now + core.times.idle
        }
        switch machine.phase {
        case .placing where queueDeadline <= now && firstByteDeadline > now:
            if let ticket, core.dispatcher.leave(ticket) {
                self.ticket = nil
                queueDeadline = .distantFuture
                feed(.notPlaced(Dispatcher.stayedBusy))
            }
        case .placing, .connecting, .asking:
            if firstByteDeadline <= now {
                feed(.firstByteDeadline(waited: .nanoseconds((now - askedAt).nanoseconds)))
            }
        case .relaying where idleDeadline <= now:
            core.warn("An endpoint stopped answering", endpointName, call.logger, reason: "idle timeout")
            feed(.answerBroke(.upstreamTimeout))
        default: break
        }
    }

    /// The answer's head has come: from now on its pieces have a deadline each.
    func startIdleDeadline() { idleDeadline = .now() + core.times.idle }
}
