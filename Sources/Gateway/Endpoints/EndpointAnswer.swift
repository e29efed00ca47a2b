import Catalog
import JSON

/// An endpoint as clients see it: its record and what its last polls say. Whatever is not known is null, so that
/// every record has the same fields. The sealed key is never part of it.
struct EndpointAnswer {
    let view: EndpointView

    /// Only the models that `caller` may see are listed and counted.
    init(_ view: EndpointView, for caller: Caller = .admin) { self.view = caller.visible(view) }

    /// As the record says, or as a poll has found out.
    static func kind(of view: EndpointView) -> EndpointKind { view.snapshot?.health.kind ?? view.record.kind }

    /// - Parameter listsModels: whether the list of models is part of the answer
    func encoded(listsModels: Bool = false) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writeRecord(into: &writer)
            writeHealth(into: &writer)
            if listsModels {
                writer.field("models", objects: view.snapshot?.models ?? []) { Self.write($1, into: &$0) }
            }
        }
        return writer.bytes
    }

    private func writeRecord(into writer: inout JSONWriter) {
        let record = view.record
        writer.field("id", record.id)
        writer.field("name", record.name)
        writer.field("base_url", record.baseURL)
        writer.field("kind", Self.kind(of: view).rawValue)
        writer.field("labels", texts: record.labels)
        writer.field("poll_interval_seconds", record.pollIntervalSeconds)
        writer.field("max_concurrency", record.maxConcurrency)
        writer.field("draining", record.draining)
        writer.field("has_api_key", record.sealedAPIKey != nil)
        writer.field("created_at", Timestamp.text(seconds: record.createdAt))
        writer.field("revision", record.revision)
    }

    private func writeHealth(into writer: inout JSONWriter) {
        let health = view.snapshot?.health
        writer.field("state", view.state.rawValue)
        writer.field("model_count", view.snapshot?.models.count ?? 0)
        writer.field("latency_ms", health?.latencyMilliseconds)
        writer.field("last_polled_at", health.map { Timestamp.text(milliseconds: $0.observedAt) })
        writer.field("last_ok_at", health?.lastOKAt.map(Timestamp.text(milliseconds:)))
        writer.field("consecutive_failures", health?.failures ?? 0)
        writer.field("last_error", object: health?.error) { writer, error in
            writer.field("code", error.code)
            writer.field("message", error.message)
        }
        writer.field("poller", health?.poller)
    }

    private static func write(_ model: ModelEntry, into writer: inout JSONWriter) {
        writer.field("id", model.id.value)
        writer.fieldIfKnown("owned_by", model.ownedBy)
        writer.fieldIfKnown("context_length", model.contextLength.map(Int64.init))
        writer.fieldIfKnown("context_length_max", model.contextLengthMax.map(Int64.init))
        writer.fieldIfKnown("quantization", model.quantization)
        writer.fieldIfKnown("parameter_count", model.parameterCount)
        writer.fieldIfKnown("architecture", model.architecture)
        if let loaded = model.loaded { writer.field("loaded", loaded) }
        if let capabilities = model.capabilities { writer.field("capabilities", texts: capabilities.names) }
        writer.fieldIfKnown("parent", model.parent)
        if let aliases = model.aliases { writer.field("aliases", texts: aliases.map(\.value)) }
        writer.field("first_seen", model.firstSeen)
    }
}

extension Caller {
    fileprivate func visible(_ view: EndpointView) -> EndpointView {
        guard models != nil else { return view }
        var view = view
        view.snapshot?.models.removeAll { !allows(model: $0.id) }
        return view
    }
}
