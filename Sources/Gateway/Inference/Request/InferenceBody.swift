import Catalog
import Curl
import Hummingbird

/// A request's body as it came, with what routing has to know of it. Nothing is decoded but the few values that are.
struct InferenceBody: Sendable {
    private enum Format: Sendable {
        case json
        case form
    }

    let bytes: ByteBuffer
    /// As the client named it.
    let model: String
    /// Asks for an answer in pieces.
    let streams: Bool
    /// What the body says for keeping a conversation on one endpoint.
    let cacheKey: String?
    let user: String?
    private let format: Format
    /// Where the model's name stands: with its quotes in JSON, the content of its part in a form.
    private let place: Range<Int>

    /// A JSON object. Throws 400 for anything else, for one without `model`, and for one that has `model` twice: parsers
    /// differ in which of the two they take.
    init(json bytes: ByteBuffer) throws(HTTPFailure) {
        let fields = try Result { () throws(HTTPFailure) in
            try bytes.withReadableBytes { buffer throws(HTTPFailure) in try JSONFields(buffer) }
        }.get()
        guard let model = fields.model, let place = fields.modelPlace, !model.isEmpty else { throw Self.modelRequired }
        self.bytes = bytes
        self.model = model
        self.place = place
        streams = fields.streams
        cacheKey = fields.cacheKey
        user = fields.user
        format = .json
    }

    /// A form with a part `model`. Throws 400 as for JSON.
    init(form bytes: ByteBuffer, boundary: String) throws(HTTPFailure) {
        let (models, user, streams) = try bytes.withReadableBytes { buffer throws(HTTPFailure) in
            try Self.formFields(buffer, boundary)
        }
        guard let (model, place) = models.first, !model.isEmpty else { throw Self.modelRequired }
        guard models.count == 1 else { throw Self.modelTwice }
        self.bytes = bytes
        self.model = model
        self.place = place
        self.user = user
        self.streams = streams
        cacheKey = nil
        format = .form
    }

    private static func formFields(
        _ buffer: UnsafeRawBufferPointer, _ boundary: String
    ) throws(HTTPFailure) -> (models: [(String, Range<Int>)], user: String?, streams: Bool) {
        let fields: [(name: String, content: Range<Int>)]
        do {
            fields = try MultipartScanner.fields(of: buffer, boundary: boundary)
        } catch {
            throw .badRequest("invalid_form", "The body is not a multipart form: \(error.reason).")
        }
        func text(_ range: Range<Int>) -> String { String(decoding: buffer[range].prefix(4096), as: UTF8.self) }
        return (
            fields.filter { $0.name == "model" }.map { (text($0.content), $0.content) },
            fields.last { $0.name == "user" }.map { text($0.content) },
            fields.last { $0.name == "stream" }.map { text($0.content) == "true" } ?? false
        )
    }

    static let modelRequired = HTTPFailure.badRequest(
        "model_required", "The request names no model: GET /v1/models lists those there are.", param: "model")
    static let modelTwice = HTTPFailure.badRequest(
        "duplicate_field", "The request names its model more than once.", param: "model")

    /// The body for an endpoint that knows the model as `id`: the very bytes, with another name in its place.
    func body(naming id: ModelID) -> SplicedBody {
        guard id != ModelID(model) else { return SplicedBody(bytes: bytes) }
        let name = format == .json ? JSONString.encode(id.value) : Array(id.value.utf8)
        return SplicedBody(bytes: bytes, hole: place, filling: name)
    }
}

/// The values of a JSON body that routing has to know.
private struct JSONFields {
    var model: String?
    var modelPlace: Range<Int>?
    private var isModelText = true
    var streams = false
    var cacheKey: String?
    var user: String?

    /// Longer keys are none of those looked for, also where each character is escaped.
    private static let longestKey = 6 * "prompt_cache_key".utf8.count

    init(_ buffer: UnsafeRawBufferPointer) throws(HTTPFailure) {
        var scanner = JSONKeyScanner(buffer)
        do {
            while let member = try scanner.next() {
                guard member.key.count <= Self.longestKey else { continue }
                try take(member, buffer)
            }
            guard isModelText else {
                throw HTTPFailure.badRequest("invalid_type", "model must be a string.", param: "model")
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch let error as JSONKeyScanner.Malformed {
            throw .badRequest("invalid_json", "The body is not a JSON object; see byte \(error.offset).")
        } catch {
            throw .badRequest("invalid_json", "The body is not a JSON object.")
        }
    }

    private mutating func take(_ member: JSONKeyScanner.Member, _ buffer: UnsafeRawBufferPointer) throws(HTTPFailure) {
        let value = UnsafeRawBufferPointer(rebasing: buffer[member.value])
        switch JSONString.decode(UnsafeRawBufferPointer(rebasing: buffer[member.key])) {
        case "model":
            guard modelPlace == nil else { throw InferenceBody.modelTwice }
            modelPlace = member.value
            model = Self.string(value)
            isModelText = model != nil || value.elementsEqual("null".utf8)
        case "stream": streams = value.elementsEqual("true".utf8)
        case "prompt_cache_key": cacheKey = Self.string(value)
        case "user": user = Self.string(value)
        default: break
        }
    }

    private static func string(_ value: UnsafeRawBufferPointer) -> String? {
        guard value.count >= 2, value.first == 0x22 else { return nil }
        return JSONString.decode(UnsafeRawBufferPointer(rebasing: value[1..<value.count - 1]))
    }
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
