import Catalog
import JSON
import NIOCore

/// A request's body as it came, with what routing has to know of it. Nothing is decoded but the few values that are.
struct InferenceBody: Sendable {
    private enum Format: Sendable {
        case json
        case form
    }

    /// As the client sent it, without the byte order mark before JSON: some servers refuse a mark (Go's
    /// `encoding/json`), others skip it, so that the endpoint gets none.
    let bytes: ByteBuffer
    /// As the client named it: 1 to 1024 bytes.
    let model: String
    /// Asks for an answer in pieces.
    let streams: Bool
    /// From `prompt_cache_key` and `user`, which keep a conversation on one endpoint.
    let cacheKey: StickyKey?
    let user: StickyKey?
    /// Read it for `/v1/responses` only: unless `store` is false the endpoint keeps what it answers, and with
    /// `background` it goes on without a client. So the request must not be sent twice.
    let usesStoredState: Bool
    /// At most 256 bytes; a longer one is nil.
    let previousResponseID: String?
    private let format: Format
    private let hasLostMark: Bool
    /// Where the model's name stands: with its quotes in JSON, the content of its part in a form.
    private let place: Range<Int>
    /// Where a form's part says how long the model's name is; it stands before `place`.
    private let lengthPlace: Range<Int>?

    init(_ bytes: ByteBuffer, as type: InferenceContentType) throws(HTTPFailure) {
        switch type {
        case .json: try self.init(json: bytes)
        case .form(let boundary): try self.init(form: bytes, boundary: boundary)
        }
    }

    /// A JSON object. Throws 400 for anything else, for one without `model`, and for one with two keys that a parser can
    /// take for `model`: parsers differ in which of the two they take.
    init(json sent: ByteBuffer) throws(HTTPFailure) {
        var bytes = sent
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        hasLostMark = bytes.readableBytesView.starts(with: mark)
        if hasLostMark { bytes.moveReaderIndex(forwardBy: mark.count) }
        let firstByte = hasLostMark ? mark.count : 0
        let fields = try bytes.withReadableBytes { buffer throws(HTTPFailure) in
            try JSONFields(buffer, firstByte: firstByte)
        }
        self.bytes = bytes
        model = try ModelField.checked(fields.model)
        place = fields.modelPlace
        lengthPlace = nil
        streams = fields.streams
        cacheKey = fields.cacheKey
        user = fields.user
        usesStoredState = fields.stores != false || fields.isBackground
        previousResponseID = fields.previousResponseID
        format = .json
    }

    /// A form with a part `model`. Throws 400 as for JSON, and for a form that two parsers can read in two ways.
    init(form bytes: ByteBuffer, boundary: String) throws(HTTPFailure) {
        let fields = try bytes.withReadableBytes { buffer throws(HTTPFailure) in
            try FormFields(buffer, boundary: boundary)
        }
        self.bytes = bytes
        model = try ModelField.checked(fields.model)
        place = fields.modelPlace
        lengthPlace = fields.modelLengthPlace
        user = fields.user
        streams = fields.streams
        cacheKey = nil
        usesStoredState = false
        previousResponseID = nil
        hasLostMark = false
        format = .form
    }

    /// What keeps the request on one endpoint. `sessionID` is the header `X-Session-Id`.
    func sticky(sessionID: String?) -> StickyKey? { cacheKey ?? sessionID.flatMap { StickyKey($0) } ?? user }

    // MARK: For an endpoint that knows the model as `id`

    /// The endpoint gets other bytes than the client sent: digests of the body no longer hold.
    func isChanged(naming id: ModelID) -> Bool { hasLostMark || isRenamed(to: id) }

    func isRenamed(to id: ModelID) -> Bool { id != ModelID(model) }

    /// The body in pieces, none of them empty: slices of the client's bytes with the new name between them. Nothing but
    /// the name is copied.
    func pieces(naming id: ModelID) -> [ByteBuffer] {
        guard isRenamed(to: id) else { return [bytes] }
        var pieces: [ByteBuffer] = []
        var position = 0
        for (hole, filling) in replacements(naming: id) {
            pieces.append(slice(position..<hole.lowerBound))
            pieces.append(ByteBuffer(bytes: filling))
            position = hole.upperBound
        }
        pieces.append(slice(position..<bytes.readableBytes))
        return pieces
    }

    func contentLength(naming id: ModelID) -> Int {
        guard isRenamed(to: id) else { return bytes.readableBytes }
        return replacements(naming: id).reduce(bytes.readableBytes) { $0 - $1.hole.count + $1.filling.count }
    }

    private func replacements(naming id: ModelID) -> [(hole: Range<Int>, filling: [UInt8])] {
        let name = format == .json ? JSONString.encode(id.value) : Array(id.value.utf8)
        let length = lengthPlace.map { (hole: $0, filling: Array(String(name.count).utf8)) }
        return [length, (hole: place, filling: name)].compactMap(\.self)
    }

    /// `range` in offsets from the first readable byte, which it never exceeds.
    private func slice(_ range: Range<Int>) -> ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}

/// The values of a form that routing has to know.
private struct FormFields {
    var model: String?
    var modelPlace = 0..<0
    var modelLengthPlace: Range<Int>?
    var user: StickyKey?
    var streams = false

    init(_ buffer: UnsafeRawBufferPointer, boundary: String) throws(HTTPFailure) {
        let fields: [MultipartScanner.Field]
        do {
            fields = try MultipartScanner.fields(of: buffer, boundary: boundary)
        } catch {
            throw .badRequest("invalid_form", "The body is not a multipart form: \(error.reason).")
        }
        for field in fields {
            let content = UnsafeRawBufferPointer(rebasing: buffer[field.content])
            switch field.name {
            case ModelField.name:
                guard model == nil else { throw ModelField.twice }
                guard content.count <= ModelField.maximumBytes else { throw ModelField.tooLong }
                model = String(validating: content, as: UTF8.self)
                guard model != nil, !field.isASCII || content.allSatisfy({ $0 < 0x80 }) else {
                    throw .badRequest("invalid_form", "The name of the model is not UTF-8.", param: ModelField.name)
                }
                modelPlace = field.content
                modelLengthPlace = field.length
            case "user": user = StickyKey(content)
            case "stream": streams = content.elementsEqual("true".utf8)
            default: break
            }
        }
    }
}

/// A text that keeps requests on one endpoint, as a number: the text may be as long as the body, and is compared with
/// every endpoint under a lock.
struct StickyKey: Sendable, Hashable {
    /// Longer texts count as their first bytes.
    static let maximumBytes = 1 << 10

    let value: UInt64

    /// `text` as it stands in the request, escapes and all. nil for an empty one.
    init?(_ text: some Collection<UInt8>) {
        guard !text.isEmpty else { return nil }
        value = StableHash.mixed(StableHash.of(text.prefix(Self.maximumBytes)))
    }

    init?(_ text: String) { self.init(text.utf8) }
}

extension ByteBuffer {
    /// `withUnsafeReadableBytes` with typed errors.
    fileprivate func withReadableBytes<T>(
        _ body: (UnsafeRawBufferPointer) throws(HTTPFailure) -> T
    ) throws(HTTPFailure) -> T {
        let result: Result<T, HTTPFailure> = withUnsafeReadableBytes { buffer in
            do throws(HTTPFailure) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
