import Catalog
import JSON

/// The words by which servers say what a model can do.
enum CapabilityWords {
    /// What the values name. nil if they name nothing that is known here.
    ///
    /// A value is a word (LM Studio's `type`), an array of words (Lemonade's `labels`), or
    /// an object whose members are true (Mistral), objects with `supported` (Anthropic), or objects of any other kind (TEI).
    static func known(in values: JSONValue...) -> ModelCapabilities? {
        let found = values.reduce(into: ModelCapabilities()) { $0.formUnion(capabilities(of: $1)) }
        return found.isEmpty ? nil : found
    }

    static func capabilities(of value: JSONValue) -> ModelCapabilities {
        switch value {
        case .string(let word): capability(word)
        case .array(let elements):
            elements.reduce(into: []) { found, element in
                if let word = element.string { found.formUnion(capability(word)) }
            }
        case .object(let object):
            object.members.reduce(into: []) { found, member in
                if isTrue(member.value) { found.formUnion(capability(member.key)) }
            }
        default: []
        }
    }

    /// What the model takes beside text. As a label, `image` stands for models that make images.
    static func modalities(_ value: JSONValue) -> ModelCapabilities {
        let takesImages = value.elements.contains { $0.string == "image" }
        return capabilities(of: value).union(takesImages ? .vision : [])
    }

    private static func isTrue(_ value: JSONValue) -> Bool {
        value.bool ?? (value.isObject && value["supported"].bool != false)
    }

    private static func capability(_ word: String) -> ModelCapabilities {
        switch word {
        case "vision", "vlm", "image_input": .vision
        case "tools", "tool_use", "tool-calling", "tool_calling", "function_calling", "trained_for_tool_use": .tools
        case "embedding", "embeddings", "embed", "feature-extraction": .embeddings
        case "rerank", "reranker", "reranking": .rerank
        case "audio", "transcript", "transcription", "speech", "tts", "automatic-speech-recognition", "text-to-speech":
            .audio
        default: []
        }
    }
}
