import Catalog
import JSON

/// Finds out what kind of server an endpoint is, by what only that kind says of itself.
///
/// A state machine without I/O: it names a path, is given the answer, names the next one. It begins with the list that
/// all kinds have, so that a server that is down or wants a key is asked once. It believes no status and no mere JSON,
/// only shapes: LM Studio answers unknown paths with 200 and an error body, web front-ends with a page, some proxies
/// with the same JSON whatever the path, and KoboldCpp, SGLang, llama.cpp, LocalAI, and Lemonade imitate Ollama's list.
struct KindDetector: Sendable {
    enum Probe: Sendable, Hashable {
        case list(ListFormat)
        case ollamaVersion
        case llamaCppProperties
        case vllmVersion

        var path: String {
            switch self {
            case .list(let format): format.path
            case .ollamaVersion: "/api/version"
            case .llamaCppProperties: "/props"
            case .vllmVersion: "/version"
            }
        }
    }

    struct Finding: Sendable, Hashable {
        /// nil: not certain yet, to be found out at the next poll.
        var kind: EndpointKind?
        var listing: ModelListing
        /// The list that gave it.
        var format: ListFormat
    }

    enum Step: Sendable, Hashable {
        case ask(Probe)
        case found(Finding)
        case failed(PollError)
    }

    /// What the OpenAI list gave.
    private var openAI: Result<ModelListing, PollError> = .failure(PollError(.noList, "not asked yet"))
    private var openAIDocument = JSONValue.null
    private var probe = Probe.list(.openAI)

    static let first = Probe.list(.openAI)

    /// The kind is found out, or its list has failed, by the OpenAI list alone.
    var hasOnlyAskedFirst: Bool { probe == Self.first }

    /// What to do after `answer` to the probe asked last.
    mutating func take(_ answer: Result<EndpointAnswer, PollError>) -> Step {
        // A server that stops answering in the middle has not been told apart: ask again at the next poll.
        if probe != Self.first, case .failure(let error) = answer { return undecided(error) }
        return switch probe {
        case .list(.openAI): afterOpenAI(answer)
        case .list(let format): afterNative(answer, format)
        case .ollamaVersion:
            isOllamaVersion(answer) ? found(.ollama, ModelListing(), .ollamaTags) : ask(.list(.lmStudioV0))
        case .llamaCppProperties: afterProperties(answer)
        case .vllmVersion: openAIFound(.vllm, if: document(answer)?["version"].string != nil)
        }
    }

    private mutating func ask(_ next: Probe) -> Step {
        probe = next
        return .ask(next)
    }

    private func found(_ kind: EndpointKind?, _ listing: ModelListing, _ format: ListFormat = .openAI) -> Step {
        .found(Finding(kind: kind, listing: listing, format: format))
    }

    /// nil for an answer that is none: then the server is not of the kind asked for.
    private func document(_ answer: Result<EndpointAnswer, PollError>) -> JSONValue? {
        do throws(PollError) {
            return try answer.get().json()
        } catch {
            return nil
        }
    }

    private mutating func afterOpenAI(_ answer: Result<EndpointAnswer, PollError>) -> Step {
        do throws(PollError) {
            openAIDocument = try answer.get().json()
            openAI = .success(try ModelListParser.parse(openAIDocument, as: .openAI))
        } catch {
            openAI = .failure(error)
            if Self.refusesAsAnthropic(answer) { return ask(.list(.anthropic)) }
            guard error.concernsThePath else { return .failed(error) }
        }
        if Self.hasShape(openAIDocument, of: .anthropic), !openAIDocument["data"].elements.isEmpty {
            return openAIFound(.anthropic, if: true)
        }
        let owners = openAIDocument["data"].elements.lazy.compactMap { $0["owned_by"].string }
        if let kind = Self.kind(namedBy: owners) { return openAIFound(kind, if: true) }
        if Self.isRouter(openAIDocument) { return openAIFound(.llamacpp, if: true) }
        return ask(.list(.ollamaTags))
    }

    /// The kind that owners of models in the OpenAI list name; nil if they name none.
    ///
    /// Some of them imitate Ollama's list (SGLang: srt/entrypoints/ollama), so the owner decides before that is asked for.
    static func kind(namedBy owners: some Sequence<String>) -> EndpointKind? {
        for owner in owners {
            switch owner {
            case "vllm": return .vllm
            case "llamacpp": return .llamacpp
            case "sglang": return .sglang
            // It is a llama.cpp at heart, and says so at /props, but has none of llama.cpp's own routes.
            case "koboldcpp": return .openai
            default: continue
            }
        }
        return nil
    }

    /// Whether the OpenAI list of an endpoint contradicts its kind. An empty list says nothing.
    ///
    /// Servers of three kinds name themselves in their list. One that does not name itself any more is another server.
    static func contradicts(_ document: JSONValue, _ kind: EndpointKind) -> Bool {
        let entries = document["data"].elements
        guard !entries.isEmpty else { return false }
        let named = Self.kind(namedBy: entries.lazy.compactMap { $0["owned_by"].string })
        switch kind {
        case .llamacpp: return named != .llamacpp && (named != nil || !isRouter(document))
        case .vllm, .sglang: return named != kind
        default: return named != nil && named != kind || isRouter(document)
        }
    }

    /// llama.cpp's router: a status for each model.
    private static func isRouter(_ document: JSONValue) -> Bool {
        let entries = document["data"].elements
        return !entries.isEmpty && entries.allSatisfy { $0["status"]["value"].string != nil }
    }

    /// A 4xx in the shape of Anthropic's errors: it wants its own headers.
    private static func refusesAsAnthropic(_ answer: Result<EndpointAnswer, PollError>) -> Bool {
        guard case .success(let answer) = answer, [400, 401, 403].contains(answer.status), !answer.isFromGateway else {
            return false
        }
        do throws(JSONProblem) {
            let document = try JSONReader.read(answer.body)
            return document["type"].string == "error" && document["error"]["type"].string != nil
        } catch {
            return false
        }
    }

    private mutating func afterNative(_ answer: Result<EndpointAnswer, PollError>, _ format: ListFormat) -> Step {
        let read: (document: JSONValue, listing: ModelListing)
        do throws(PollError) {
            let document = try answer.get().json()
            read = (document, try ModelListParser.parse(document, as: format))
        } catch {
            // With the headers that it asked for, the endpoint has another reason.
            return format == .anthropic ? .failed(error) : ask(after(format))
        }
        guard Self.hasShape(read.document, of: format) else { return ask(after(format)) }
        let isEmpty = read.listing.models.isEmpty
        switch format {
        case .ollamaTags where agrees(read.listing):
            return isEmpty ? ask(.ollamaVersion) : found(.ollama, read.listing, format)
        case .lmStudioV0 where !isEmpty, .lmStudioV1 where !isEmpty: return found(.lmstudio, read.listing, format)
        case .anthropic: return found(.anthropic, read.listing, format)
        case .teiInfo: return found(.openai, read.listing, format)
        default: return ask(after(format))
        }
    }

    private mutating func ask(_ next: Probe?) -> Step {
        guard let next else { return openAIFound(.openai, if: true) }
        return ask(next)
    }

    private func after(_ format: ListFormat) -> Probe? {
        switch format {
        case .anthropic, .teiInfo: nil
        case .openAI: .list(.ollamaTags)
        case .ollamaTags: .list(.lmStudioV0)
        case .lmStudioV0: .list(.lmStudioV1)
        case .lmStudioV1: .llamaCppProperties
        }
    }

    /// Ollama makes both lists of the same models; those who imitate it use other names in each.
    private func agrees(_ tags: ModelListing) -> Bool {
        guard case .success(let listing) = openAI else { return true }
        let ids = Set(listing.models.map(\.id))
        if ids.isEmpty { return tags.models.isEmpty }
        // A model may have come or gone between the two requests.
        return tags.models.count { ids.contains($0.id) } * 2 >= max(ids.count, tags.models.count)
    }

    /// Whether a list has what the only kind with such lists always says in it.
    static func hasShape(_ document: JSONValue, of format: ListFormat) -> Bool {
        switch format {
        case .openAI: return true
        case .ollamaTags:
            if document.member("models") == .null { return true }
            return document["models"].array?.allSatisfy(isOllamaModel) ?? false
        case .lmStudioV0:
            return document["data"].array?.allSatisfy {
                $0["compatibility_type"].string != nil && $0["state"].string != nil
            } ?? false
        case .lmStudioV1:
            return document["models"].array?.allSatisfy {
                $0["key"].string != nil && $0["loaded_instances"].array != nil
            } ?? false
        case .anthropic:
            return document["has_more"].bool != nil
                && document["data"].array?.allSatisfy {
                    $0["type"].string == "model" && $0["display_name"].string != nil && $0.member("object") == nil
                } ?? false
        case .teiInfo: return document["model_sha"] != .null || document["max_client_batch_size"] != .null
        }
    }

    /// A list that only one kind of server has.
    static func isNative(_ format: ListFormat) -> Bool {
        switch format {
        case .ollamaTags, .lmStudioV0, .lmStudioV1: true
        case .openAI, .anthropic, .teiInfo: false
        }
    }

    /// SGLang has no size, no quantization, and a digest that is none; llama.cpp's digest is empty.
    private static func isOllamaModel(_ entry: JSONValue) -> Bool {
        let digest = entry["digest"].string ?? ""
        return !digest.isEmpty && digest.utf8.allSatisfy(isHexadecimal) && entry["size"].count(upTo: 1 << 53) != nil
            && entry["details"]["quantization_level"].string != nil
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte &- UInt8(ascii: "a") < 6
    }

    private func isOllamaVersion(_ answer: Result<EndpointAnswer, PollError>) -> Bool {
        guard case .object(let object) = document(answer), object.members.count == 1 else { return false }
        return object["version"]?.string?.first?.isNumber == true
    }

    private mutating func afterProperties(_ answer: Result<EndpointAnswer, PollError>) -> Step {
        if document(answer)?["default_generation_settings"].isObject == true {
            return openAIFound(.llamacpp, if: true)
        }
        guard case .success = openAI else { return ask(.list(.teiInfo)) }
        let mayBeVLLM = openAIDocument["data"].elements.contains { $0["max_model_len"] != .null }
        return mayBeVLLM ? ask(.vllmVersion) : openAIFound(.openai, if: true)
    }

    /// The OpenAI list, of `kind`, or of a server that is no more than OpenAI-compatible. An empty list says nothing
    /// of the kind: several servers give one until a model is loaded.
    private func openAIFound(_ kind: EndpointKind, if isCertain: Bool) -> Step {
        switch openAI {
        case .failure(let error): return .failed(error)
        case .success(let listing):
            let kind = isCertain ? kind : .openai
            return found(kind == .openai && listing.models.isEmpty ? nil : kind, listing)
        }
    }

    private func undecided(_ error: PollError) -> Step {
        switch openAI {
        case .failure: .failed(error)
        case .success(let listing): found(nil, listing)
        }
    }
}
