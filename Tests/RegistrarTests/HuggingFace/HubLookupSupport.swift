import Catalog
import Curl
import Synchronization

@testable import Registrar

/// What happened, in its order, from any task.
final class Notes<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])

    var all: [Element] { list.withLock { $0 } }
    func add(_ element: Element) { list.withLock { $0.append(element) } }
}

/// Asks a server of the test as if it were the Hub, with a token, and notes what it is told.
struct LookupProbe: Sendable {
    static let token = "hf_verysecret"

    let lookup: HubLookup
    private let client = HTTPClient()
    private let notedSteps = Notes<String>()
    private let notedWaits = Notes<Duration>()

    var steps: [String] { notedSteps.all }
    /// Between attempts; they take no time.
    var waits: [Duration] { notedWaits.all }

    init(
        _ url: String, token: String? = LookupProbe.token, change: (inout HubLimits) -> Void = { _ in }
    ) throws {
        var limits = HubLimits()
        change(&limits)
        let notedWaits = notedWaits
        lookup = HubLookup(
            hub: try HubAddress(url), token: token, client: client, limits: limits,
            pauses: HubPauses(sleep: { notedWaits.add($0) }, jitter: { 0.5 }))
    }

    func record(_ request: RegistrationRequest) async throws(Rejection) -> RegistrationRecord {
        try await lookup.record(for: request, now: RegistrationCase.now) { step in
            notedSteps.add(step)
        }
    }

    /// `404 repository_not_found`, or the line of what is registered.
    func outcome(_ request: RegistrationRequest = RegistrationRequest(repo: "Org/Name")) async -> String {
        do throws(Rejection) {
            return RegistrationCase.line(of: try await record(request))
        } catch {
            return "\(error.status) \(error.error.code)"
        }
    }

    func rejection(_ request: RegistrationRequest = RegistrationRequest(repo: "Org/Name")) async -> Rejection? {
        do throws(Rejection) {
            _ = try await record(request)
            return nil
        } catch {
            return error
        }
    }
}

extension SampleRepository {
    /// One GGUF file.
    static let small = SampleRepository(["a-Q4_0.gguf"])
    static let smallOutcome = "gguf Q4_0 100: a-Q4_0.gguf"
    /// Safetensors with an index.
    static let sharded = SampleRepository([
        "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "model.safetensors.index.json",
        "model-00001-of-00001.safetensors",
    ])
}

extension HubServer {
    /// A Hub with one repository: its answer, and its files by their paths.
    static func serving(_ sample: SampleRepository, files: [String: Action] = [:]) -> HubServer {
        HubServer { request in
            if request.target.hasPrefix("/api/models/") { return .answer(body: sample.answer) }
            let file = files.first { request.target.hasSuffix("/resolve/\(SampleRepository.commit)/\($0.key)") }
            return file?.value
                ?? .answer(status: 404, headers: ["X-Error-Code: EntryNotFound"], body: Array("Entry not found".utf8))
        }
    }
}
