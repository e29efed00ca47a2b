import NIOCore

/// Turns the bytes of an endpoint's answer, from behind its head, into the bytes for the client. Payload that passes
/// untouched is not copied: the slices that go out are slices of what came in.
struct AnswerPassage: Sendable {
    /// What the head for the client says about the body.
    enum ClientFraming: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
        /// The client has HTTP/1.0, and no length is known: the body ends with the connection.
        case close
    }

    enum Progress: Equatable, Sendable {
        case going
        /// All that the client gets is out. `surplus` bytes came behind the answer's end: if there are any, nobody can
        /// trust the connection to the endpoint any more.
        case ended(surplus: Int)
        /// The client must see that the answer is not whole: after an error event, if one is possible, its connection
        /// is closed.
        case broken(AnswerFault)
    }

    /// How much of an incomplete event is held back.
    static let holdLimit = 64 * 1024

    let clientFraming: ClientFraming
    let isEventStream: Bool
    /// How many bytes of the body have gone on, without the framing of chunks.
    private(set) var passedPayload = 0
    private let dialect: EventDialect
    private var framing: AnswerFraming
    private var boundary: EventBoundary
    private var writer: ChunkWriter
    /// In an event stream: payload of the incomplete event. In chunks that pass as they are: the line that is not
    /// complete.
    private var held = ByteBuffer()
    /// The client has the beginning of an event and not its end: the event was too large to be held back.
    private var isInsideEvent = false
    private var progress = Progress.going

    /// `clientMinorVersion` is 0 or 1.
    init(head: AnswerHead, clientMinorVersion: Int, dialect: EventDialect) {
        self.dialect = dialect
        framing = AnswerFraming(head.framing)
        let isOfLines = dialect == .ollama
        isEventStream = (isOfLines ? head.isLineStream : head.isEventStream) && head.framing != .none
        boundary = EventBoundary(isOfLines: isOfLines)
        clientFraming =
            switch head.framing {
            case .none: .none
            case .length(let length) where !isEventStream: .length(length)
            default: clientMinorVersion == 0 ? .close : .chunked
            }
        writer = ChunkWriter(writesChunks: clientFraming == .chunked)
    }

    /// Takes the bytes of one read and appends what goes on to the client. Called once behind the head in any case, with
    /// the bytes that came with it or none: an empty answer ends in that call.
    mutating func pass(_ bytes: ByteBuffer, into output: inout [ByteBuffer]) -> Progress {
        guard case .going = progress else {
            if case .ended(let surplus) = progress { progress = .ended(surplus: surplus + bytes.readableBytes) }
            return progress
        }
        let chunksStay = framing.isChunked && clientFraming == .chunked
        progress =
            switch (isEventStream, chunksStay) {
            case (true, _): passEvents(bytes, chunksStay: chunksStay, into: &output)
            case (false, true): passChunks(bytes, into: &output)
            case (false, false): passPayload(bytes, into: &output)
            }
        return progress
    }

    /// The endpoint closed the connection; `wasReset` if by an error.
    mutating func inputClosed(wasReset: Bool, into output: inout [ByteBuffer]) -> Progress {
        guard progress == .going else { return progress }
        progress =
            if wasReset {
                .broken(.reset)
            } else if framing.endsByClose {
                end(surplus: 0, into: &output)
            } else {
                .broken(.cutOff)
            }
        return progress
    }

    /// An event that tells the client of an error, in the client's framing. nil if none can be put in: the answer is no
    /// event stream, has ended, or has stopped inside an event. Nothing may follow it but the close.
    func errorEvent(code: String, message: String, type: String) -> ByteBuffer? {
        if case .ended = progress { return nil }
        guard isEventStream, !isInsideEvent else { return nil }
        return writer.chunk(dialect.event(code: code, message: message, type: type))
    }
}

// What is no event stream.
extension AnswerPassage {
    /// Chunks, their extensions, and their trailers go on as they came. Only an incomplete line is held back until it
    /// is complete: some clients take `0` and CRLF for the end even if the connection breaks then.
    private mutating func passChunks(_ bytes: ByteBuffer, into output: inout [ByteBuffer]) -> Progress {
        var (offset, safe, payload) = (0, 0, 0)
        let step = bytes.withUnsafeReadableBytes { raw in
            while true {
                let step = framing.next(raw, &offset)
                switch step {
                case .payload(let range): (safe, payload) = (offset, payload + range.count)
                case .boundary: safe = offset
                case .ended:
                    safe = offset
                    return step
                case .needsMore, .malformed: return step
                }
            }
        }
        if safe > 0 {
            if held.readableBytes > 0 {
                output.append(held)
                held = ByteBuffer()
            }
            output.append(bytes.slice(0..<safe))
            passedPayload += payload
        }
        switch step {
        case .ended: return .ended(surplus: bytes.readableBytes - offset)
        case .malformed(let fault): return .broken(fault)
        case .needsMore, .payload, .boundary:
            if safe < bytes.readableBytes { held.writeImmutableBuffer(bytes.slice(safe..<bytes.readableBytes)) }
            return .going
        }
    }

    private mutating func passPayload(_ bytes: ByteBuffer, into output: inout [ByteBuffer]) -> Progress {
        var offset = 0
        while true {
            switch bytes.withUnsafeReadableBytes({ framing.next($0, &offset) }) {
            case .payload(let range): write(bytes.slice(range), into: &output)
            case .boundary: break
            case .needsMore: return .going
            case .ended: return end(surplus: bytes.readableBytes - offset, into: &output)
            case .malformed(let fault): return .broken(fault)
            }
        }
    }
}

// Event streams.
extension AnswerPassage {
    private mutating func passEvents(
        _ bytes: ByteBuffer, chunksStay: Bool, into output: inout [ByteBuffer]
    ) -> Progress {
        var offset = 0
        guard chunksStay else { return repack(bytes, &offset, untilRaw: false, into: &output) }
        if !canGoRaw {
            let reached = repack(bytes, &offset, untilRaw: true, into: &output)
            guard reached == .going, canGoRaw else { return reached }
        }
        if let reached = passRaw(bytes, &offset, into: &output) { return reached }
        return repack(bytes, &offset, untilRaw: false, into: &output)
    }

    /// Between events nothing is held, and the client is not inside an event.
    private var canGoRaw: Bool { framing.isAtChunkBoundary && boundary.isBetweenEvents }

    /// Passes chunks as they are, up to the last place in `bytes` that is both the end of a chunk and between events.
    /// Returns nil if something is left behind that place; `offset` is there then.
    private mutating func passRaw(
        _ bytes: ByteBuffer, _ offset: inout Int, into output: inout [ByteBuffer]
    ) -> Progress? {
        let start = offset
        var safe = (offset: start, framing: framing, boundary: boundary, payload: 0)
        var payload = 0
        let hasEnded = bytes.withUnsafeReadableBytes { raw in
            while true {
                switch framing.next(raw, &offset) {
                case .payload(let range):
                    _ = boundary.scan(raw, range)
                    payload += range.count
                case .boundary:
                    if boundary.isBetweenEvents { safe = (offset, framing, boundary, payload) }
                case .ended:
                    guard boundary.isCompleteAtEnd else { return false }
                    safe = (offset, framing, boundary, payload)
                    return true
                case .needsMore, .malformed: return false
                }
            }
        }
        if safe.offset > start { output.append(bytes.slice(start..<safe.offset)) }
        passedPayload += safe.payload
        if hasEnded { return .ended(surplus: bytes.readableBytes - safe.offset) }
        if safe.offset == bytes.readableBytes { return .going }
        (offset, framing, boundary) = (safe.offset, safe.framing, safe.boundary)
        return nil
    }

    /// Takes the payload out of its framing and passes whole events, in chunks of our own if the client takes chunks.
    /// With `untilRaw` it stops where chunks can pass as they are.
    private mutating func repack(
        _ bytes: ByteBuffer, _ offset: inout Int, untilRaw: Bool, into output: inout [ByteBuffer]
    ) -> Progress {
        while true {
            switch bytes.withUnsafeReadableBytes({ framing.next($0, &offset) }) {
            case .payload(let range): passEvents(in: range, of: bytes, into: &output)
            case .boundary: if untilRaw, canGoRaw { return .going }
            case .needsMore: return .going
            case .ended: return end(surplus: bytes.readableBytes - offset, into: &output)
            case .malformed(let fault): return .broken(fault)
            }
        }
    }

    /// Passes what is held and the payload up to the last place between events. Holds the rest.
    private mutating func passEvents(in range: Range<Int>, of bytes: ByteBuffer, into output: inout [ByteBuffer]) {
        var rest = range
        if let place = bytes.withUnsafeReadableBytes({ boundary.scan($0, range) }) {
            write(bytes.slice(range.lowerBound..<place), into: &output)
            rest = place..<range.upperBound
            isInsideEvent = false
        }
        guard !rest.isEmpty else { return }
        if isInsideEvent || held.readableBytes + rest.count > Self.holdLimit {
            write(bytes.slice(rest), into: &output)
            isInsideEvent = true
        } else {
            held.writeImmutableBuffer(bytes.slice(rest))
        }
    }
}

// Both.
extension AnswerPassage {
    /// The endpoint's answer has ended. Only a stream whose last event is complete ends for the client as well.
    private mutating func end(surplus: Int, into output: inout [ByteBuffer]) -> Progress {
        guard !isEventStream || boundary.isCompleteAtEnd else { return .broken(.incompleteEvent) }
        write(ByteBuffer(), into: &output)
        if clientFraming == .chunked { output.append(ChunkWriter.last) }
        return .ended(surplus: surplus)
    }

    /// Passes what is held, and `payload` behind it.
    private mutating func write(_ payload: ByteBuffer, into output: inout [ByteBuffer]) {
        passedPayload += held.readableBytes + payload.readableBytes
        writer.write(&held, payload, into: &output)
    }
}
