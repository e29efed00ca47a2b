import Catalog
import JSON

/// A registered model as clients see it. Whatever is not known is null, so that every record has the same fields.
struct RegistrationAnswer {
    /// How much of a registration is part of the answer.
    enum Detail {
        /// The record alone.
        case record
        /// The record, and its live state in the fleet.
        case live
        /// All of it: the record, its live state, and the chat template, which may be as long as all the rest of a
        /// hundred records.
        case whole
    }

    let view: RegistrationView
    /// Names of the endpoints of `view.verifications`, in their order; nil for an endpoint that was removed.
    let verifiedEndpoints: [String?]

    init(_ view: RegistrationView, in catalog: borrowing Catalog) {
        self.view = view
        var names: [String?] = []
        for result in view.verifications { names.append(catalog.endpointName(id: result.endpoint)) }
        verifiedEndpoints = names
    }

    func encoded(_ detail: Detail) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writeRecord(into: &writer)
            if detail != .record { writeLive(into: &writer) }
            if detail == .whole { writer.field("chat_template", view.record.chatTemplate) }
        }
        return writer.bytes
    }

    private func writeRecord(into writer: inout JSONWriter) {
        let record = view.record
        writer.field("name", record.name)
        writer.field("repo", record.repo)
        writer.field("display_name", record.displayName)
        writer.field("requested_revision", record.requestedRevision)
        writer.field("commit", record.commit)
        writer.field("format", record.format.rawValue)
        writer.field("quantization", record.quantization)
        writer.field("size_bytes", record.sizeBytes)
        writer.field("required_memory_bytes", record.requiredMemoryBytes)
        writer.field("parameter_count", record.parameterCount)
        writer.field("context_length", record.contextLength)
        writer.field("architecture", record.architecture)
        writer.field("license", record.license)
        writer.field("has_chat_template", record.chatTemplate != nil)
        writer.field("chosen_because", record.chosenBecause)
        writer.field("alternatives", objects: record.alternatives) { writer, choice in
            writer.field("filename", choice.filename)
            writer.field("quantization", choice.quantization)
            writer.field("size_bytes", choice.sizeBytes)
        }
        writer.field("warnings", objects: view.warnings) { writer, warning in
            writer.field("code", warning.code)
            writer.field("message", warning.message)
        }
        writer.field("drift", object: record.drift) { Self.write($1, into: &$0) }
        writer.field("manifest_url", "/v0/models/registry/\(record.name)/manifest.json")
        writer.field("created_at", Timestamp.text(seconds: record.createdAt))
        writer.field("revision", record.revision)
    }

    private static func write(_ drift: RepositoryDrift, into writer: inout JSONWriter) {
        writer.field("commit", drift.commit)
        writer.field("detected_at", Timestamp.text(milliseconds: drift.detectedAt))
        writer.field("changes", objects: drift.changes) { writer, change in
            writer.field("path", change.path)
            writer.field("change", change.change.rawValue)
        }
    }

    private func writeLive(into writer: inout JSONWriter) {
        writer.field("status", view.status.rawValue)
        writer.field("endpoints", objects: view.serving) { writer, endpoint in
            writer.field("id", endpoint.endpoint)
            writer.field("name", endpoint.name)
            writer.field("model", endpoint.model.value)
            writer.field("state", endpoint.state.rawValue)
        }
        writer.field("hf_info", object: view.record.hub) { writer, hub in
            writer.field("downloads", hub.downloads)
            writer.field("likes", hub.likes)
            writer.field("last_modified", hub.lastModified)
            writer.field("fetched_at", Timestamp.text(milliseconds: hub.fetchedAt))
            writer.field("stale", hub.isStale)
        }
        let verifications = Array(zip(view.verifications, verifiedEndpoints))
        writer.field("verification", objects: verifications) { writer, verification in
            Self.write(verification.0, of: verification.1, into: &writer)
        }
    }

    private static func write(_ result: VerifyResult, of endpoint: String?, into writer: inout JSONWriter) {
        writer.field("endpoint", endpoint)
        writer.field("endpoint_id", result.endpoint)
        writer.field("model", result.model.value)
        writer.field("outcome", result.outcome.rawValue)
        writer.field("tokens", result.tokens)
        writer.field("latency_ms", result.latencyMilliseconds)
        writer.field("text", result.text)
        writer.field("error", object: result.error) { writer, error in
            writer.field("code", error.code)
            writer.field("message", error.message)
        }
        writer.field("at", Timestamp.text(milliseconds: result.at))
    }
}
