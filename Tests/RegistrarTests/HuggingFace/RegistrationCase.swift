import Catalog
import TestSupport

@testable import Registrar

/// A line of the table of what is registered: a repository and a request, and what comes of them.
struct RegistrationCase: Sendable, CustomStringConvertible {
    /// The content of a file of the repository.
    enum Content: Sendable {
        case fixture(String)
        case text(String)

        func bytes() throws -> [UInt8] {
            switch self {
            case .fixture(let name): try FixtureFolder.hub.body(name)
            case .text(let text): Array(text.utf8)
            }
        }

        var fixture: String? {
            guard case .fixture(let name) = self else { return nil }
            return name
        }
    }

    enum Source: Sendable {
        case fixture(String, adding: [String] = [], without: [String] = [])
        case tree(String, adding: [String] = [])
        case made(SampleRepository)

        func sample() throws -> SampleRepository {
            switch self {
            case .fixture(let name, let adding, let without):
                try SampleRepository(fixture: name, adding: adding, without: without)
            case .tree(let name, let adding): try SampleRepository(tree: name, adding: adding)
            case .made(let sample): sample
            }
        }

        var fixture: String? {
            switch self {
            case .fixture(let name, _, _), .tree(let name, _): name
            case .made: nil
            }
        }
    }

    let name: String
    let source: Source
    var filename: String?
    var quantization: String?
    var chatTemplate: String?
    var contents: [String: Content] = [:]
    /// `outcome`'s text.
    let expected: String

    var description: String { name }

    /// Files of the fixtures that it looks at.
    var fixtures: [String] { [source.fixture].compactMap { $0 } + contents.values.compactMap(\.fixture) }

    static let now: Int64 = 1_795_377_600_123

    func record() throws -> RegistrationRecord {
        let request = RegistrationRequest(
            repo: "org/name", filename: filename, quantization: quantization, chatTemplate: chatTemplate)
        let repository = try HubRepository(answer: try source.sample().answer)
        let reference = try RepositoryReference(request, hub: .standard)
        let selection = try ArtifactSelection.choose(
            from: repository, filename: reference.filename, quantization: reference.quantization)
        var read = RepositoryContents()
        while let needed = RegistrationRules.nextFile(for: request, selection: selection, contents: read) {
            read.set(needed.kind, try contents[needed.file.path]?.bytes())
        }
        return try RegistrationRules.record(
            for: request, reference: reference, repository: repository, selection: selection, contents: read,
            hub: .standard, now: Self.now)
    }

    /// What is chosen, or why nothing is, on one line.
    func outcome() throws -> String {
        do {
            return Self.line(of: try record())
        } catch let rejection as Rejection {
            return "\(rejection.status) \(rejection.error.code)"
        }
    }

    /// `gguf Q4_K_M 100: a.gguf + mmproj.gguf? | 2 others ! remote_code`: format, quantization, size; weights in their
    /// order; what else is listed besides configs, tokenizers, and templates, with `?` where it is optional; the number of
    /// alternatives; warnings other than the gate and the licence.
    static func line(of record: RegistrationRecord) -> String {
        let weights = record.manifest.files.filter { $0.role == .weights }.map(\.path)
        let others = record.manifest.files.filter { ![.weights, .config, .tokenizer, .chatTemplate].contains($0.role) }
            .map { "\($0.path)\($0.isOptional ? "?" : "")" }
        let usual: Set = ["license_missing", "gated_repository"]
        let warnings = record.warnings.map(\.code).filter { !usual.contains($0) }
        let size = record.sizeBytes.map(String.init) ?? "-"
        let list =
            weights.count > 3
            ? "\(weights[0]) … \(weights[weights.count - 1]) (\(weights.count))"
            : weights.joined(separator: ", ")
        return "\(record.format.rawValue) \(record.quantization ?? "-") \(size): \(list)"
            + (others.isEmpty ? "" : " + " + others.joined(separator: ", "))
            + (record.alternatives.isEmpty ? "" : " | \(record.alternatives.count) others")
            + (warnings.isEmpty ? "" : " ! " + warnings.joined(separator: ", "))
    }
}
