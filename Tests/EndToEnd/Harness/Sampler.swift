import Synchronization

/// Asks something again and again beside a test, and keeps what was wrong.
final class Sampler: Sendable {
    private struct State {
        var samples = 0
        var violations: [String] = []
    }
    private let state = Mutex(State())

    var samples: Int { state.withLock { $0.samples } }
    var violations: [String] { state.withLock { $0.violations } }

    /// Runs `body` while `sample` is asked each 50 ms; `sample` gives what is wrong, or nil.
    /// An error that `sample` throws is a violation as well.
    func during<T: Sendable>(
        _ sample: @escaping @Sendable () async throws -> String?, _ body: () async throws -> T
    ) async throws -> T {
        let asking = Task {
            while !Task.isCancelled {
                var violation: String?
                do {
                    violation = try await sample()
                } catch is CancellationError {
                    return
                } catch {
                    if Task.isCancelled { return }
                    violation = "\(error)"
                }
                state.withLock { state in
                    state.samples += 1
                    if let violation, state.violations.count < 20 { state.violations.append(violation) }
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        defer { asking.cancel() }
        return try await body()
    }
}

/// Holds that a gateway's version never goes back, nor its list empties.
final class GatewayWatch: Sendable {
    private let server: Server
    private let last = Mutex<(incarnation: Int, offset: Int)>((0, -1))

    init(_ node: Node) { server = node.server }

    @Sendable func sample() async throws -> String? {
        let answer = try await server.get("/v1/models")
        guard answer.status == 200 else { return "status \(answer.status): \(answer.text)" }
        if answer.text == #"{"object":"list","data":[]}"# { return "the list is empty" }
        guard let text = answer.header("X-Catalog-Version") else { return "no X-Catalog-Version" }
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2 else { return "X-Catalog-Version is \(text)" }
        return last.withLock { last in
            defer { last = (parts[0], parts[1]) }
            return (parts[0], parts[1]) < (last.incarnation, last.offset)
                ? "version went back to \(text) from \(last)" : nil
        }
    }
}
