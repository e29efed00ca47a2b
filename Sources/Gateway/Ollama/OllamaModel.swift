import Catalog
import JSON

/// A model as Ollama's API describes one. What the catalog does not know is zero or an empty text, as Ollama itself
/// writes it for models of which it knows little.
struct OllamaModel {
    /// Of the first endpoint by name: endpoints may hold different builds under one name.
    private let entry: ModelEntry
    /// Seconds since 1970 when any endpoint was first seen with the model.
    private var firstSeen: Int64
    /// Whether any endpoint has the model in memory.
    private(set) var isLoaded: Bool

    var id: ModelID { entry.id }

    private init(_ entry: ModelEntry) {
        self.entry = entry
        firstSeen = entry.firstSeen
        isLoaded = entry.loaded == true
    }

    private mutating func merge(_ other: ModelEntry) {
        firstSeen = min(firstSeen, other.firstSeen)
        isLoaded = isLoaded || other.loaded == true
    }

    /// The models that pass `isWanted` and that an online or degraded endpoint of kind Ollama has, sorted by id.
    static func served(in catalog: any CatalogSource, where isWanted: (ModelID) -> Bool) -> [OllamaModel] {
        var models: [ModelID: OllamaModel] = [:]
        for endpoint in catalog.read({ $0.endpoints }) {
            guard let snapshot = endpoint.snapshot, snapshot.health.kind == .ollama,
                endpoint.state == .online || endpoint.state == .degraded
            else { continue }
            for entry in snapshot.models where isWanted(entry.id) {
                if models[entry.id]?.merge(entry) == nil { models[entry.id] = OllamaModel(entry) }
            }
        }
        return models.values.sorted { $0.id < $1.id }
    }

    // MARK: In JSON

    /// The fields of an entry of `/api/tags`.
    func write(into writer: inout JSONWriter) {
        writeIdentity(into: &writer)
        writer.field("modified_at", Timestamp.text(seconds: firstSeen))
        writeDetails(into: &writer)
    }

    /// The fields of an entry of `/api/ps`.
    func writeLoaded(into writer: inout JSONWriter) {
        writeIdentity(into: &writer)
        writer.field("expires_at", Self.never)
        writeDetails(into: &writer)
    }

    /// The fields of `/api/show`.
    func writeWhole(into writer: inout JSONWriter) {
        writer.field("modelfile", "")
        writer.field("parameters", "")
        writer.field("template", "")
        writeDetails(into: &writer)
        writer.field("model_info", object: entry) { writer, entry in
            writer.fieldIfKnown("general.architecture", entry.architecture)
            writer.fieldIfKnown("general.parameter_count", entry.parameterCount)
        }
        writer.field("capabilities", texts: capabilities)
        writer.field("modified_at", Timestamp.text(seconds: firstSeen))
    }

    private func writeIdentity(into writer: inout JSONWriter) {
        writer.field("name", id.value)
        writer.field("model", id.value)
        writer.field("size", entry.sizeBytes ?? 0)
        writer.field("digest", digest)
    }

    private func writeDetails(into writer: inout JSONWriter) {
        writer.field("details", object: entry) { writer, entry in
            writer.field("parent_model", "")
            writer.field("format", "")
            writer.field("family", entry.architecture ?? "")
            writer.field("families", texts: entry.architecture.map { [$0] })
            writer.field("parameter_size", entry.parameterCount.map(Self.parameterSize) ?? "")
            writer.field("quantization_level", entry.quantization ?? "")
        }
    }

    /// The command line of Ollama takes the first twelve characters of each digest, and crashes if there are fewer.
    private var digest: String {
        guard let digest = entry.contentDigest, digest.utf8.count >= 12 else { return Self.unknownDigest }
        return digest
    }

    private static let unknownDigest = String(repeating: "0", count: 64)

    /// How long the endpoint keeps a model in memory is not known. Ollama writes a time that is centuries away for a model
    /// that stays. Its command line shows a time that is past, or none, as "Stopping...".
    private static let never = "2318-01-01T00:00:00Z"

    /// By Ollama's names.
    private var capabilities: [String] {
        let known = entry.capabilities ?? []
        // Encoders make no text. Their architectures are `bert`, `nomic-bert-moe`, and the like.
        if known.contains(.embeddings) || entry.architecture?.contains("bert") == true { return ["embedding"] }
        return ["completion"] + (known.contains(.tools) ? ["tools"] : []) + (known.contains(.vision) ? ["vision"] : [])
    }

    /// `7.6B`, `137M`: rounded to a tenth, as Ollama writes numbers of parameters.
    static func parameterSize(_ count: Int64) -> String {
        let units: [(size: Int64, letter: String)] = [
            (1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"),
        ]
        guard let unit = units.first(where: { count >= $0.size }) else { return String(count) }
        let tenths = (count / (unit.size / 100) + 5) / 10
        return "\(tenths / 10)" + (tenths % 10 == 0 ? "" : ".\(tenths % 10)") + unit.letter
    }
}
