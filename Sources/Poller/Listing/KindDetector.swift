import Catalog
import JSON

/// Finds out what kind of server an endpoint is, by what only that kind says of itself.
///
/// A state machine without I/O: it names a path, is given the answer, names the next one. It begins with the list that
/// all kinds have, so that a server that is down or wants a key is asked once. It believes no status and no mere JSON,
/// only shapes: LM Studio answers unknown paths with 200 and an error body, web front-ends with a page, some proxies
/// with the same JSON whatever the path, and KoboldCpp and llama.cpp imitate Ollama's list.
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

    /// What to do after `answer` to the probe asked last.
    mutating func take(_ answer: Result<EndpointAnswer, PollError>) -> Step {
        // A server that stops answering in the middle has not been told apart: ask again at the next poll.
        if probe != Self.first, case .failure(let error) = answer { return undecided(error) }
        return switch probe {
        case .list(.openAI): afterOpenAI(answer)
        case .list(let format): afterNative(answer, format)
        case .ollamaVersion: isOllamaVersion(answer) ? found(.ollama, ModelListing()) : ask(.list(.lmStudioV0))
        case .llamaCppProperties: afterProperties(answer)
        case .vllmVersion: openAIFound(.vllm, if: document(answer)?["version"].string != nil)
        }
    }

    private mutating func ask(_ next: Probe) -> Step {
        probe = next
        return .ask(next)
    }

    private func found(_ kind: EndpointKind?, _ listing: ModelListing) -> Step {
        .found(Finding(kind: kind, listing: listing))
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
            guard error.concernsThePath else { return .failed(error) }
        }
        let owners = openAIDocument["data"].elements.lazy.compactMap { $0["owned_by"].string }
        if let kind = Self.kind(namedBy: owners) { return openAIFound(kind, if: true) }
        if isRouter { return openAIFound(.llamacpp, if: true) }
        return ask(.list(.ollamaTags))
    }

    /// The kind that owners of models in the OpenAI list name; nil if they name none.
    ///
    /// SGLang is no more than OpenAI-compatible here, and imitates Ollama's list (srt/entrypoints/ollama): it must not be
    /// asked for that.
    static func kind(namedBy owners: some Sequence<String>) -> EndpointKind? {
        for owner in owners {
            switch owner {
            case "vllm": return .vllm
            case "llamacpp": return .llamacpp
            case "sglang": return .openai
            default: continue
            }
        }
        return nil
    }

    /// llama.cpp's router: no owner, but a status for each model.
    private var isRouter: Bool {
        let entries = openAIDocument["data"].elements
        return !entries.isEmpty && entries.allSatisfy { $0["status"]["value"].string != nil }
    }

    private mutating func afterNative(_ answer: Result<EndpointAnswer, PollError>, _ format: ListFormat) -> Step {
        let read: (document: JSONValue, listing: ModelListing)
        do throws(PollError) {
            let document = try answer.get().json()
            read = (document, try ModelListParser.parse(document, as: format))
        } catch {
            return ask(after(format))
        }
        switch format {
        case .ollamaTags where isOllama(read.document) && agrees(read.listing):
            return read.listing.models.isEmpty ? ask(.ollamaVersion) : found(.ollama, read.listing)
        case .lmStudioV0 where isLMStudioV0(read.document), .lmStudioV1 where isLMStudioV1(read.document):
            return found(.lmstudio, read.listing)
        default: return ask(after(format))
        }
    }

    private func after(_ format: ListFormat) -> Probe {
        switch format {
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
        return ids.isEmpty ? tags.models.isEmpty : tags.models.contains { ids.contains($0.id) }
    }

    private func isOllama(_ document: JSONValue) -> Bool {
        switch document.member("models") {
        case .null: true
        case .array(let entries): entries.allSatisfy { $0["details"].isObject && $0["digest"].string != nil }
        default: false
        }
    }

    private func isLMStudioV0(_ document: JSONValue) -> Bool {
        let entries = document["data"].elements
        return !entries.isEmpty
            && entries.allSatisfy { $0["compatibility_type"].string != nil && $0["state"].string != nil }
    }

    private func isLMStudioV1(_ document: JSONValue) -> Bool {
        let entries = document["models"].elements
        return !entries.isEmpty
            && entries.allSatisfy { $0["key"].string != nil && $0["loaded_instances"].array != nil }
    }

    private func isOllamaVersion(_ answer: Result<EndpointAnswer, PollError>) -> Bool {
        guard case .object(let object) = document(answer), object.members.count == 1 else { return false }
        return object["version"]?.string?.first?.isNumber == true
    }

    private mutating func afterProperties(_ answer: Result<EndpointAnswer, PollError>) -> Step {
        if document(answer)?["default_generation_settings"].isObject == true {
            return openAIFound(.llamacpp, if: true)
        }
        let entries = openAIDocument["data"].elements
        let mayBeVLLM = entries.contains { $0["max_model_len"] != .null && $0["owned_by"].string != "sglang" }
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
