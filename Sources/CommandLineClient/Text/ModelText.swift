import JSON

/// Models and registrations as people read them.
enum ModelText {
    /// Of `/v1/models`: what can be used now.
    static func list(_ answer: JSONValue) throws -> String {
        var table = Table(["ID", ">CONTEXT", "OWNED BY", "ENDPOINTS", "REGISTRATION"])
        for model in try answer.records("data") {
            table.add([
                model["id"].text, model["context_length"].text, model["owned_by"].text,
                HumanText.list(model["endpoints"].elements.compactMap(\.text)), model["registration"].text,
            ])
        }
        return table.text
    }

    /// One of them.
    static func entry(_ model: JSONValue) -> String {
        var fields = FieldList()
        fields.add("id", model["id"].text)
        fields.add("owned by", model["owned_by"].text)
        fields.add("context length", model["context_length"].text)
        // Endpoints that agree have no largest one.
        if let largest = model["context_length_max"].text { fields.add("at most", largest) }
        fields.add("endpoints", HumanText.list(model["endpoints"].elements.compactMap(\.text)))
        fields.add("registration", model["registration"].text)
        if let capabilities = HumanText.list(model["capabilities"].elements.compactMap(\.text)) {
            fields.add("capabilities", capabilities)
        }
        if let targets = HumanText.list(model["alias_for"].elements.compactMap(\.text)) {
            fields.add("alias for", targets)
        }
        return fields.text
    }

    /// Of `/v0/models/hub`.
    static func registrations(_ answer: JSONValue) throws -> String {
        var table = Table(["NAME", "STATUS", "FORMAT", "QUANT", ">SIZE", ">MEMORY", "ENDPOINTS", "NOTES"])
        for record in try answer.records("models") {
            table.add([
                record["name"].text, record["status"].text, record["format"].text, record["quantization"].text,
                HumanText.bytes(record["size_bytes"].integer),
                HumanText.bytes(record["required_memory_bytes"].integer), endpoints(record), notes(record),
            ])
        }
        return table.text
    }

    static func record(_ record: JSONValue) -> String {
        var fields = FieldList()
        fields.add("name", record["name"].text)
        fields.add("repository", record["repo"].text)
        fields.add("display name", record["display_name"].text)
        fields.add("status", record["status"].text)
        fields.add("revision", record["requested_revision"].text)
        addFacts(of: record, to: &fields)
        fields.add("registered", record["created_at"].text)
        fields.add("downloads", hubNumber(record, "downloads"))
        fields.add("likes", hubNumber(record, "likes"))
        fields.add("endpoints", endpoints(record))
        addWarnings(of: record, to: &fields)
        return fields.text + alternatives(record) + drift(record["drift"]) + verification(record)
    }

    /// What a registration would make; nothing is registered.
    static func preview(_ answer: JSONValue) -> String {
        var files = Table(["ROLE", "FILE", ">SIZE", "NEEDED"])
        for file in answer["files"].elements {
            files.add([
                file["role"].text, file["path"].text, HumanText.bytes(file["size_bytes"].integer),
                file["optional"].bool == true ? "optional" : "yes",
            ])
        }
        var endpoints = Table(["ENDPOINT", ">GPU MEMORY", "FITS"])
        for endpoint in answer["endpoints"].elements {
            endpoints.add([
                endpoint["name"].text, HumanText.bytes(endpoint["gpu_memory_bytes"].integer),
                endpoint["fits"].bool.map { $0 ? "yes" : "no" } ?? "unknown",
            ])
        }
        let fleet = answer["endpoints"].elements.isEmpty ? "" : "\n" + endpoints.text
        var fields = FieldList()
        fields.add("name", answer["name"].text)
        fields.add("repository", answer["repo"].text)
        addFacts(of: answer, to: &fields)
        addWarnings(of: answer, to: &fields)
        return fields.text + "\n" + files.text + alternatives(answer) + fleet
            + "\nNothing was registered (--dry-run).\n"
    }

    /// What a registration and a preview of one both say.
    private static func addFacts(of record: JSONValue, to fields: inout FieldList) {
        fields.add("commit", record["commit"].text)
        fields.add("format", record["format"].text)
        fields.add("quantization", record["quantization"].text)
        fields.add("size", HumanText.bytes(record["size_bytes"].integer))
        fields.add("memory needed", HumanText.bytes(record["required_memory_bytes"].integer))
        fields.add("parameters", HumanText.parameters(record["parameter_count"].integer))
        fields.add("context length", record["context_length"].text)
        fields.add("architecture", record["architecture"].text)
        fields.add("license", record["license"].text)
        fields.add("chosen because", record["chosen_because"].text)
    }

    private static func addWarnings(of record: JSONValue, to fields: inout FieldList) {
        for warning in record["warnings"].elements { fields.add("warning", EndpointText.error(warning)) }
    }

    /// What a look at the repository has found.
    static func refreshed(_ record: JSONValue) -> String {
        let found = drift(record["drift"])
        guard found.isEmpty else {
            return String(found.dropFirst())
                + "\nTo apply this: rollcall models refresh \(HumanText.clean(record["name"].text ?? "NAME")) --apply\n"
        }
        return "\(HumanText.clean(record["name"].text ?? "it")) is up to date"
            + (record["commit"].text.map { " at \(HumanText.clean($0))" } ?? "") + "\n"
    }

    /// Empty where nothing is verified.
    static func verification(_ record: JSONValue) -> String {
        let results = record["verification"].elements
        guard !results.isEmpty else { return "" }
        var table = Table(["VERIFIED ON", "MODEL", "OUTCOME", ">TOKENS", ">LATENCY", "AT", "TEXT OR ERROR"])
        for result in results {
            table.add([
                result["endpoint"].text, result["model"].text, result["outcome"].text, result["tokens"].text,
                HumanText.milliseconds(result["latency_ms"].integer), result["at"].text,
                EndpointText.error(result["error"]) ?? result["text"].text,
            ])
        }
        return "\n" + table.text
    }

    private static func endpoints(_ record: JSONValue) -> String? {
        HumanText.list(record["endpoints"].elements.compactMap { $0["name"].text ?? $0.text })
    }

    private static func notes(_ record: JSONValue) -> String? {
        var notes = record["warnings"].elements.compactMap { $0["code"].text }
        if record["drift"]["commit"].text != nil { notes.append("repository_changed") }
        return HumanText.list(notes)
    }

    private static func hubNumber(_ record: JSONValue, _ key: String) -> String? {
        let info = record["hf_info"]
        return info[key].text.map { info["stale"].bool == true ? "\($0) (the Hub is away)" : $0 }
    }

    private static func alternatives(_ record: JSONValue) -> String {
        let others = record["alternatives"].elements
        guard !others.isEmpty else { return "" }
        var table = Table(["ALSO THERE", "FILE", ">SIZE"])
        for other in others {
            table.add([
                other["quantization"].text, other["filename"].text, HumanText.bytes(other["size_bytes"].integer),
            ])
        }
        return "\n" + table.text
    }

    /// Empty where the repository is where it was.
    private static func drift(_ drift: JSONValue) -> String {
        guard let commit = drift["commit"].text else { return "" }
        var fields = FieldList()
        fields.add("changed to", commit)
        fields.add("seen", drift["detected_at"].text)
        for change in drift["changes"].elements { fields.add(change["change"].text ?? "changed", change["path"].text) }
        return "\n" + fields.text
    }
}
