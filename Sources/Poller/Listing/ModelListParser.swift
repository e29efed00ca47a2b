import Catalog
import JSON

/// The lists that servers offer, and where.
enum ListFormat: String, Sendable, Hashable, CaseIterable {
    /// OpenAI's list, with the additions of vLLM, SGLang, llama.cpp, and hosted services.
    case openAI
    /// Ollama, docs/api.md, "List Local Models".
    case ollamaTags
    /// LM Studio REST API v0.
    case lmStudioV0
    /// LM Studio REST API v1.
    case lmStudioV1
    /// Anthropic, "List Models".
    case anthropic
    /// Text Embeddings Inference, which has no list: it describes its one model.
    case teiInfo

    var path: String {
        switch self {
        case .openAI, .anthropic: "/v1/models"
        case .ollamaTags: "/api/tags"
        case .lmStudioV0: "/api/v0/models"
        case .lmStudioV1: "/api/v1/models"
        case .teiInfo: "/info"
        }
    }
}

/// Answer → models, one pure function for each format. What an answer does not say stays nil.
enum ModelListParser {
    static func parse(_ answer: EndpointAnswer, as format: ListFormat) throws(PollError) -> ModelListing {
        try parse(try answer.json(), as: format)
    }

    static func parse(_ document: JSONValue, as format: ListFormat) throws(PollError) -> ModelListing {
        switch format {
        case .openAI, .anthropic: try openAI(document)
        case .ollamaTags: try listing(of: entries(document, under: "models"), ollamaEntry)
        case .lmStudioV0: try listing(of: entries(document, under: "data"), lmStudioV0Entry)
        case .lmStudioV1: try listing(of: entries(document, under: "models"), lmStudioV1Entry)
        case .teiInfo: try teiInfo(document)
        }
    }

    private static func openAI(_ document: JSONValue) throws(PollError) -> ModelListing {
        // TGI's OpenAPI document declares one bare model.
        if document["object"].string == "model", document["id"].string != nil {
            return try listing(of: [document], openAIEntry)
        }
        var listing = try listing(of: entries(document, under: "data"), openAIEntry)
        listing.passContextToAdapters()
        // Anthropic's pages.
        if document["has_more"].bool == true { listing.next = document["last_id"].string }
        return listing
    }

    private static func teiInfo(_ document: JSONValue) throws(PollError) -> ModelListing {
        guard document.isObject else { throw PollError(.noList, "JSON, but neither an object nor a list") }
        if saysError(document) { throw PollError(.errorBody, "HTTP 200 with an error in place of a list") }
        let type = document["model_type"]
        guard let id = modelID(document["model_id"]), type.isObject else {
            throw PollError(.noList, "JSON, but no description of a model")
        }
        var listing = ModelListing()
        listing.append(
            ModelEntry(
                id: id, contextLength: context(document["max_input_length"]), loaded: true,
                capabilities: CapabilityWords.known(in: type), firstSeen: 0))
        return listing
    }

    /// The elements of the list: under `key`, or the whole document where it is an array.
    private static func entries(_ document: JSONValue, under key: String) throws(PollError) -> [JSONValue] {
        if let elements = document.array {
            guard elements.isEmpty || elements.contains(where: \.isObject) else {
                throw PollError(.noUsableEntry, "an array without any object")
            }
            return elements
        }
        guard document.isObject else { throw PollError(.noList, "JSON, but neither an object nor a list") }
        if saysError(document) { throw PollError(.errorBody, "HTTP 200 with an error in place of a list") }
        switch document.member(key) {
        case .array(let elements): return elements
        // Ollama without any model: Go's nil slice.
        case .null where key == "models" || document["object"].string == "list": return []
        default: throw PollError(.noList, "JSON, but without the list \"\(key)\"")
        }
    }

    /// LM Studio answers every unknown path with 200 and `{"error":"Unexpected endpoint or method. …"}`.
    private static func saysError(_ document: JSONValue) -> Bool {
        if document["object"].string == "error" || document["type"].string == "error" { return true }
        switch document["error"] {
        case .string(let text): return !text.isEmpty
        case .object, .array, .integer, .number: return true
        case .bool(let flag): return flag
        // FastAPI's errors.
        case .null: return document["detail"].string != nil && document.member("data") == nil
        }
    }

    private enum Reading {
        case model(ModelEntry)
        /// A model that cannot be used now.
        case left
        case unusable
    }

    private static func listing(
        of entries: [JSONValue], _ read: (JSONValue) -> Reading
    ) throws(PollError) -> ModelListing {
        var listing = ModelListing()
        for entry in entries {
            switch read(entry) {
            case .model(let model): listing.append(model)
            case .left: break
            case .unusable: listing.skipped += 1
            }
        }
        return try listing.checked()
    }

    private static func openAIEntry(_ entry: JSONValue) -> Reading {
        guard case .object(let object) = entry else { return .unusable }
        var (id, owner, parameters): (JSONValue, JSONValue, Int64?) = (.null, .null, nil)
        var (phase, isThere): (String?, Bool) = (nil, true)
        var (parent, aliases, capabilities): (JSONValue, JSONValue, ModelCapabilities) = (.null, .null, [])
        // Where servers say how many tokens a request may use, the binding figure before the model's limit. llama.cpp's
        // `meta.n_ctx_train` is not among them: it says how the model was trained, not what is served.
        var contexts = InlineArray<9, Int?>(repeating: nil)
        for member in object.members {
            let value = member.value
            switch member.key {
            case "id": id = value
            case "owned_by": owner = value
            case "max_model_len": contexts[0] = context(value)  // vLLM, SGLang
            case "meta":
                contexts[1] = context(value["n_ctx"])  // llama.cpp, GPUStack
                parameters = value["n_params"].count(upTo: ParameterSize.maximum)
            case "parameters": contexts[2] = context(value["max_seq_len"])  // TabbyAPI
            case "ctx_len": contexts[3] = context(value)  // Cortex
            case "context_length": contexts[4] = context(value)  // OpenRouter, Lemonade
            case "context_window": contexts[5] = context(value)  // Groq
            case "max_context_length": contexts[6] = context(value)  // Mistral
            case "max_context_window": contexts[7] = context(value)  // Lemonade
            case "max_input_tokens": contexts[8] = context(value)  // Anthropic
            case "status":
                // llama.cpp's router lists what failed to load or is still being downloaded.
                phase = value["value"].string
                if value["failed"].bool == true { phase = "failed" }
            case "downloaded": isThere = value.bool != false  // Lemonade
            case "parent": parent = value  // vLLM, SGLang
            case "aliases": aliases = value  // llama.cpp
            case "capabilities", "labels", "supported_parameters", "type", "task":
                capabilities.formUnion(CapabilityWords.capabilities(of: value))
            case "architecture": capabilities.formUnion(CapabilityWords.modalities(value["input_modalities"]))
            case "input_modalities": capabilities.formUnion(CapabilityWords.modalities(value))  // LocalAI
            default: break
            }
        }
        guard let id = modelID(id) else { return .unusable }
        guard isThere, phase != "downloading", phase != "failed" else { return .left }
        var contextLength: Int?
        for rank in contexts.indices.reversed() { contextLength = contexts[rank] ?? contextLength }
        return .model(
            ModelEntry(
                id: id, ownedBy: word(owner), contextLength: contextLength, parameterCount: parameters,
                loaded: phase.map { $0 == "loaded" }, capabilities: capabilities.isEmpty ? nil : capabilities,
                parent: word(parent), aliases: Self.aliases(aliases.elements, of: id), firstSeen: 0))
    }

    private static func ollamaEntry(_ entry: JSONValue) -> Reading {
        guard let id = modelID(entry["name"]) ?? modelID(entry["model"]) else { return .unusable }
        let details = entry["details"]
        return .model(
            ModelEntry(
                id: id, quantization: word(details["quantization_level"]),
                parameterCount: details["parameter_size"].string.flatMap(ParameterSize.count),
                architecture: word(details["family"]), contentDigest: word(entry["digest"]),
                sizeBytes: entry["size"].count(upTo: maximumSize), firstSeen: 0))
    }

    /// 2^53: larger numbers are not exact in every JSON reader, and the catalog takes none.
    private static let maximumSize: Int64 = 1 << 53

    private static func lmStudioV0Entry(_ entry: JSONValue) -> Reading {
        guard let id = modelID(entry["id"]) else { return .unusable }
        return .model(
            ModelEntry(
                id: id, ownedBy: word(entry["publisher"]),
                contextLength: context(entry["loaded_context_length"]) ?? context(entry["max_context_length"]),
                quantization: word(entry["quantization"]), architecture: word(entry["arch"]),
                loaded: entry["state"].string.map { $0 == "loaded" },
                capabilities: CapabilityWords.known(in: entry["type"], entry["capabilities"]),
                contextLengthMax: context(entry["max_context_length"]), firstSeen: 0))
    }

    private static func lmStudioV1Entry(_ entry: JSONValue) -> Reading {
        guard let id = modelID(entry["key"]) else { return .unusable }
        let instances = entry["loaded_instances"].array
        // Several instances may differ: any of them may get the request, so the least counts.
        let loadedContext = instances?.compactMap { context($0["config"]["context_length"]) }.min()
        return .model(
            ModelEntry(
                id: id, ownedBy: word(entry["publisher"]),
                contextLength: loadedContext ?? context(entry["max_context_length"]),
                quantization: word(entry["quantization"]["name"]),
                parameterCount: entry["params_string"].string.flatMap(ParameterSize.count),
                architecture: word(entry["architecture"]), loaded: instances.map { !$0.isEmpty },
                capabilities: CapabilityWords.known(in: entry["type"], entry["capabilities"]),
                contextLengthMax: context(entry["max_context_length"]),
                aliases: aliases((instances ?? []).map { $0["id"] }, of: id), firstSeen: 0))
    }

    /// An endpoint that gives a model more names is taken to be broken; the first ones count.
    private static let maximumAliases = 64

    /// nil for none. The id itself is no alias.
    private static func aliases(_ names: [JSONValue], of id: ModelID) -> [ModelID]? {
        guard !names.isEmpty else { return nil }
        let named = Set(names.prefix(maximumAliases).compactMap(modelID)).subtracting([id]).sorted()
        return named.isEmpty ? nil : named
    }
}

extension ModelListParser {
    /// A name that can stand in a list, a URL, and a log: not empty, not overlong, no control characters. As it is.
    private static func modelID(_ value: JSONValue) -> ModelID? {
        guard let text = value.string, isPrintable(text) else { return nil }
        return ModelID(text)
    }

    private static func word(_ value: JSONValue) -> String? {
        guard let text = value.string, isPrintable(text) else { return nil }
        return text
    }

    private static func isPrintable(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= ModelListing.maximumIDLength else { return false }
        // Almost all texts are ASCII; a look into Unicode's tables costs a hundred times more for each scalar.
        if text.utf8.allSatisfy({ $0 &- 0x20 < 0x5F }) { return true }
        return !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    /// Beyond any real context; some configurations write 1e30 for "no limit".
    private static let maximumContext: Int64 = 1_000_000_000

    static func context(_ value: JSONValue) -> Int? {
        value.count(upTo: maximumContext).map(Int.init)
    }

    /// The models that Ollama has in memory (docs/api.md, "List Running Models"), each with the context it is loaded with,
    /// if the server says it.
    static func ollamaRunning(_ answer: EndpointAnswer) throws(PollError) -> [ModelID: Int?] {
        var running: [ModelID: Int?] = [:]
        for entry in try entries(try answer.json(), under: "models") {
            guard let id = modelID(entry["name"]) ?? modelID(entry["model"]) else { continue }
            running[id] = .some(context(entry["context_length"]))
        }
        return running
    }

    /// What Ollama says of one model (docs/api.md, "Show Model Information").
    static func ollamaShown(_ answer: EndpointAnswer) throws(PollError) -> OllamaShown {
        let document = try answer.json()
        let info = document["model_info"]
        var shown = OllamaShown(capabilities: CapabilityWords.capabilities(of: document["capabilities"]))
        if let architecture = info["general.architecture"].string {
            shown.contextLength = context(info[architecture + ".context_length"])
        }
        return shown
    }

    struct OllamaShown: Sendable, Hashable {
        var capabilities: ModelCapabilities = []
        /// The model's own limit.
        var contextLength: Int?
    }
}
