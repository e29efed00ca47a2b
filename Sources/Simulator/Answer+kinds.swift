import JSON
import Launch

/// A JSON string with its quotes.
func quoted(_ text: String) -> String {
    String(decoding: JSONString.encode(text), as: UTF8.self)
}

/// The time that servers say where they do not say "now": a simulated file's age must not change between answers.
private let fixedTime: Int64 = 1_735_142_223

extension Answer {
    private static func list(_ entries: [String]) -> Answer {
        json(#"{"object":"list","data":["# + entries.joined(separator: ",") + "]}")
    }

    /// FastAPI: unknown paths are 404 with `detail`. `created` is the time of the answer.
    static func vllm(_ models: [SimulatedModel], _ request: Request) -> Answer {
        switch request.path {
        case "/v1/models" where request.isRead:
            return list(
                models.map { model in
                    let length = model.contextLength.map { #","max_model_len":\#($0)"# } ?? ""
                    return #"{"id":\#(quoted(model.id)),"object":"model","created":\#(request.now),"owned_by":"vllm","#
                        + #""root":\#(quoted(model.id)),"parent":null\#(length)}"#
                })
        case "/version" where request.isRead: return json(#"{"version":"0.11.0"}"#)
        case "/health" where request.isRead: return Answer(body: "")
        case "/v1/models", "/version", "/health": return json(#"{"detail":"Method Not Allowed"}"#, status: 405)
        default: return json(#"{"detail":"Not Found"}"#, status: 404)
        }
    }

    /// `created` is the time of the answer; what is known of the file is in `meta`.
    static func llamacpp(_ models: [SimulatedModel], _ request: Request) -> Answer {
        switch request.path {
        case "/v1/models" where request.isRead, "/models" where request.isRead:
            return list(
                models.map { model in
                    let length = model.contextLength.map { #""n_ctx_train":\#($0),"# } ?? ""
                    let parameters = model.parameters ?? 8_030_261_312
                    return #"{"id":\#(quoted(model.id)),"object":"model","created":\#(request.now),"#
                        + #""owned_by":"llamacpp","meta":{"vocab_type":2,"n_vocab":128256,\#(length)"n_embd":4096,"#
                        + #""n_params":\#(parameters),"size":\#(parameters / 8 * 5)}}"#
                })
        case "/props" where request.isRead:
            return json(
                #"{"default_generation_settings":{"id":0,"n_ctx":\#(models.first?.contextLength ?? 4096)},"#
                    + #""total_slots":1,"model_path":\#(quoted(models.first?.id ?? "")),"chat_template":"","#
                    + #""modalities":{"vision":false},"build_info":"b6000-simulated"}"#)
        case "/health" where request.isRead: return json(#"{"status":"ok"}"#)
        default:
            return json(
                #"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#, status: 404)
        }
    }

    /// Unknown paths are Gin's plain 404; an empty `/v1/models` has `"data":null`.
    static func ollama(_ models: [SimulatedModel], _ request: Request) -> Answer {
        switch request.path {
        case "/" where request.isRead: return text("Ollama is running")
        case "/api/version" where request.isRead: return json(#"{"version":"0.12.3"}"#)
        case "/api/tags" where request.isRead:
            return json(#"{"models":["# + models.map(ollamaEntry).joined(separator: ",") + "]}")
        case "/api/ps" where request.isRead:
            let loaded = models.filter { $0.isLoaded == true }.map(ollamaEntry)
            return json(#"{"models":["# + loaded.joined(separator: ",") + "]}")
        case "/v1/models" where request.isRead:
            guard !models.isEmpty else { return json(#"{"object":"list","data":null}"#) }
            return list(
                models.map { model in
                    #"{"id":\#(quoted(model.id)),"object":"model","created":\#(fixedTime),"owned_by":"library"}"#
                })
        case "/api/show" where request.method == "POST": return ollamaShow(models, request)
        default: return text("404 page not found", status: 404)
        }
    }

    private static func ollamaDetails(_ model: SimulatedModel) -> String {
        let billions = (model.parameters ?? 0) / 1_000_000_000
        let size = model.parameters == nil ? "" : "\(billions).0B"
        return #"{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"\#(size)","#
            + #""quantization_level":\#(quoted(model.quantization ?? "unknown"))}"#
    }

    private static func ollamaEntry(_ model: SimulatedModel) -> String {
        #"{"name":\#(quoted(model.id)),"model":\#(quoted(model.id)),"modified_at":"2024-12-25T15:57:03.5Z","#
            + #""size":\#((model.parameters ?? 8_000_000_000) / 8 * 5),"digest":"\#(String(repeating: "a8", count: 32))","#
            + #""details":\#(ollamaDetails(model))}"#
    }

    private static func ollamaShow(_ models: [SimulatedModel], _ request: Request) -> Answer {
        // The id is looked for as it would be written: enough for a body of one or two fields.
        guard let model = models.first(where: { request.body.contains(quoted($0.id)) }) else {
            return json(#"{"error":"model not found"}"#, status: 404)
        }
        let length = model.contextLength.map { #","llama.context_length":\#($0)"# } ?? ""
        let parameters = model.parameters.map { #","general.parameter_count":\#($0)"# } ?? ""
        return json(
            #"{"details":\#(ollamaDetails(model)),"model_info":{"general.architecture":"llama"\#(parameters)\#(length)},"#
                + #""capabilities":["completion"]}"#)
    }

    /// Unknown paths are 200 with an error in the body.
    static func lmstudio(_ models: [SimulatedModel], _ request: Request) -> Answer {
        switch request.path {
        case "/v1/models" where request.isRead:
            let entries = models.map {
                #"{"id":\#(quoted($0.id)),"object":"model","owned_by":"organization_owner"}"#
            }
            return json(#"{"data":["# + entries.joined(separator: ",") + #"],"object":"list"}"#)
        case "/api/v0/models" where request.isRead: return list(models.map(lmstudioEntry))
        default:
            if request.isRead, let id = request.path.split(separator: "/", maxSplits: 3).dropFirst(3).first,
                request.path.hasPrefix("/api/v0/models/"), let model = models.first(where: { $0.id == id })
            {
                return json(lmstudioEntry(model))
            }
            let message = "Unexpected endpoint or method. (\(request.method) \(request.path))"
            return json(#"{"error":\#(quoted(message))}"#)
        }
    }

    private static func lmstudioEntry(_ model: SimulatedModel) -> String {
        let length = model.contextLength.map { #","max_context_length":\#($0)"# } ?? ""
        let quantization = model.quantization.map { #","quantization":\#(quoted($0))"# } ?? ""
        return #"{"id":\#(quoted(model.id)),"object":"model","type":"llm","publisher":"simulated","arch":"llama","#
            + #""compatibility_type":"gguf"\#(quantization),"#
            + #""state":"\#(model.isLoaded == true ? "loaded" : "not-loaded")"\#(length)}"#
    }

    /// Says of a model nothing but who owns it. With `gpu_memory_bytes` it is xLLM, which also describes its machine.
    static func openai(_ endpoint: SimulatedEndpoint, _ request: Request) -> Answer {
        if request.path == "/v0/system", request.isRead, let memory = endpoint.behaviour.gpuMemoryBytes {
            return system(gpuMemoryBytes: memory)
        }
        guard request.path == "/v1/models", request.isRead else {
            let message = "Invalid URL (\(request.method) \(request.path))"
            return json(
                #"{"error":{"message":\#(quoted(message)),"type":"invalid_request_error","param":null,"code":null}}"#,
                status: 404)
        }
        return list(
            endpoint.models.map { model in
                #"{"id":\#(quoted(model.id)),"object":"model","created":\#(fixedTime),"owned_by":"simulated"}"#
            })
    }

    /// What xLLM says of its machine: one GPU, of which a quarter is in use.
    private static func system(gpuMemoryBytes: Int) -> Answer {
        json(
            #"{"device":{"device_type":"gpu","gpu_devices":[{"name":"Simulated GPU","#
                + #""total_memory_bytes":\#(gpuMemoryBytes),"used_memory_bytes":\#(gpuMemoryBytes / 4)}]}}"#)
    }
}
