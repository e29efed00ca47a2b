import Conventions
import JSON

/// Endpoints as people read them.
enum EndpointText {
    /// The last column, which says why an endpoint is not online, is there only if one has something to say.
    static func list(_ answer: JSONValue) throws -> String {
        let endpoints = try answer.records("endpoints")
        let errors = endpoints.map { error($0["last_error"]) }
        let hasErrors = errors.contains { $0 != nil }
        var table = Table(
            ["NAME", "KIND", "STATE", ">MODELS", ">LATENCY", "LAST OK", "BASE URL"] + (hasErrors ? ["ERROR"] : []))
        for (endpoint, error) in zip(endpoints, errors) {
            let columns = [
                endpoint["name"].text, endpoint["kind"].text, state(endpoint), endpoint["model_count"].text,
                HumanText.milliseconds(endpoint["latency_ms"].integer), endpoint["last_ok_at"].text,
                endpoint["base_url"].text,
            ]
            table.add(columns + (hasErrors ? [error] : []))
        }
        return table.text
    }

    /// Advice for the endpoints whose last poll failed, one line each; for the first `maximumAdvice` of them.
    static func advice(_ answer: JSONValue) -> [String] {
        let lines = answer["endpoints"].elements.compactMap { endpoint -> String? in
            guard let name = endpoint["name"].string, let code = endpoint["last_error"]["code"].string else {
                return nil
            }
            return PollAdvice.text(for: code, endpoint: name).map { HumanText.clean("\(name): \($0)") }
        }
        return lines.isEmpty ? [] : ["", "To do:"] + lines.prefix(maximumAdvice).map { "  " + $0 }
    }

    private static let maximumAdvice = 10

    static func record(_ endpoint: JSONValue) -> String {
        var fields = FieldList()
        fields.add("name", endpoint["name"].text)
        fields.add("id", endpoint["id"].text)
        fields.add("base url", endpoint["base_url"].text)
        fields.add("kind", endpoint["kind"].text)
        fields.add("state", state(endpoint))
        fields.add("models", endpoint["model_count"].text)
        fields.add("latency", HumanText.milliseconds(endpoint["latency_ms"].integer))
        fields.add("last polled", endpoint["last_polled_at"].text)
        fields.add("last ok", endpoint["last_ok_at"].text)
        fields.add("failures", endpoint["consecutive_failures"].text)
        fields.add("last error", error(endpoint["last_error"]))
        fields.add("labels", labels(endpoint["labels"]))
        fields.add("poll every", endpoint["poll_interval_seconds"].text.map { "\($0) s" })
        fields.add("concurrency", endpoint["max_concurrency"].text)
        fields.add("has key", endpoint["has_api_key"].text)
        fields.add("poller", endpoint["poller"].text)
        fields.add("revision", endpoint["revision"].text)
        let models = endpoint["models"].elements
        guard !models.isEmpty else { return fields.text }
        var table = Table(["MODEL", ">CONTEXT", "QUANT"])
        for model in models {
            table.add([
                model["id"].text ?? model.text, model["context_length"].text, model["quantization"].text,
            ])
        }
        return fields.text + "\n" + table.text
    }

    private static func state(_ endpoint: JSONValue) -> String? {
        endpoint["state"].text.map { endpoint["draining"].bool == true ? "\($0), draining" : $0 }
    }

    static func error(_ error: JSONValue) -> String? {
        guard let message = error["message"].text else { return error["code"].text ?? error.text }
        return error["code"].text.map { "\(message) (\($0))" } ?? message
    }

    private static func labels(_ labels: JSONValue) -> String? {
        HumanText.list((labels.object?.sorted ?? []).map { "\($0.key)=\($0.value.text ?? "")" })
    }
}
