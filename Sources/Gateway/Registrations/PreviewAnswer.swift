import Catalog
import HTTPTypes
import JSON

/// What a registration would make of a repository, and where in the fleet it would fit.
struct PreviewAnswer {
    private let preview: RegistrationPreview
    private let warnings: [RegistrationWarning]
    /// Whether the model fits into an endpoint's memory; nil if nobody knows.
    private let endpoints: [(memory: EndpointMemory, fits: Bool?)]

    init(_ preview: RegistrationPreview, in catalog: borrowing Catalog) {
        self.preview = preview
        let memory = catalog.endpointMemory
        let required = preview.requiredMemoryBytes
        warnings =
            preview.warnings
            + RegistrationWarning.ofMemory(required: required, greatest: memory.compactMap(\.bytes).max())
        endpoints = memory.map { memory in
            guard let required, let bytes = memory.bytes else { return (memory, nil) }
            return (memory, required <= bytes)
        }
    }

    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { write(into: &$0) }
        return writer.bytes
    }

    func write(into writer: inout JSONWriter) {
        writer.field("dry_run", true)
        writer.field("name", preview.name)
        writer.field("repo", preview.repo)
        writer.field("commit", preview.commit)
        writer.field("format", preview.format.rawValue)
        writer.field("quantization", preview.quantization)
        writer.field("size_bytes", preview.sizeBytes)
        writer.field("required_memory_bytes", preview.requiredMemoryBytes)
        writer.field("parameter_count", preview.parameterCount)
        writer.field("context_length", preview.contextLength)
        writer.field("architecture", preview.architecture)
        writer.field("license", preview.license)
        writer.field("has_chat_template", preview.hasChatTemplate)
        writer.field("chosen_because", preview.chosenBecause)
        writer.field("files", objects: preview.files) { writer, file in
            writer.field("path", file.path)
            writer.field("role", file.role.rawValue)
            writer.field("size_bytes", file.sizeBytes)
            writer.field("optional", file.isOptional)
        }
        writer.field("alternatives", objects: preview.alternatives) { writer, choice in
            writer.field("filename", choice.filename)
            writer.field("quantization", choice.quantization)
            writer.field("size_bytes", choice.sizeBytes)
        }
        writer.field("warnings", objects: warnings) { writer, warning in
            writer.field("code", warning.code)
            writer.field("message", warning.message)
        }
        writer.field("endpoints", objects: endpoints) { writer, endpoint in
            writer.field("id", endpoint.memory.endpoint)
            writer.field("name", endpoint.memory.name)
            writer.field("gpu_memory_bytes", endpoint.memory.bytes)
            if let fits = endpoint.fits { writer.field("fits", fits) } else { writer.field("fits", nil as String?) }
        }
    }
}

extension HTTPFailure {
    /// A registrar of an earlier version answered with an operation that has no preview.
    static let registrarTooOld = HTTPFailure(
        .internalServerError, code: "command_failed",
        "The registrar did not say what it would register: bring it to the gateway's version.")
}
