import Conventions
import Crypto
import Glibc
import Synchronization

/// All simulated endpoints: the truth that a catalog of them must come to.
final class Fleet: Sendable {
    struct State: Sendable {
        var endpoints: [String: SimulatedEndpoint] = [:]
        /// The names in the order of creation: what the seeded change picks from.
        var names: [String] = []
        var generator: SeededGenerator
        var isChurning: Bool
        var changes = 0
    }

    let pool: ModelPool
    let seed: UInt64
    /// Changes a second while it churns.
    let churnRate: Double
    let now: @Sendable () -> Int64
    let state: Mutex<State>

    /// - Parameters:
    ///   - churnRate: changes a second in the whole fleet; 0 for none until asked for
    ///   - now: milliseconds since 1970
    init(pool: ModelPool, seed: UInt64 = 1, churnRate: Double = 0, now: @escaping @Sendable () -> Int64) {
        self.pool = pool
        self.seed = seed
        self.churnRate = churnRate
        self.now = now
        state = Mutex(State(generator: SeededGenerator(seed: seed), isChurning: churnRate > 0))
    }

    /// Makes `count` endpoints named `sim-0000`, …, each with `models` models.
    ///
    /// - Parameter ports: the first endpoints get one each
    func populate(count: Int, models: Int, mix: KindMix, ports: [Int] = []) {
        let width = max(4, String(max(0, count - 1)).utf8.count)
        state.withLock { state in
            for index in 0..<count {
                let digits = String(index)
                let name = "sim-" + String(repeating: "0", count: width - digits.utf8.count) + digits
                let kind = mix.kind(of: index)
                let drawn = pool.draw(models, kind: kind, using: &state.generator)
                var endpoint = SimulatedEndpoint(name: name, kind: kind, models: drawn)
                if index < ports.count { endpoint.port = ports[index] }
                state.put(endpoint)
            }
        }
    }

    func endpoint(_ name: String) -> SimulatedEndpoint? {
        state.withLock { $0.endpoints[name] }
    }

    /// Creates it, or replaces the one of that name, which keeps its port.
    func put(_ endpoint: SimulatedEndpoint) {
        state.withLock { state in
            var endpoint = endpoint
            endpoint.port = state.endpoints[endpoint.name]?.port
            // Answers that are in work end some time, and are then counted off.
            if var streams = state.endpoints[endpoint.name]?.streams {
                streams.reset()
                endpoint.streams = streams
            }
            state.put(endpoint)
        }
    }

    /// Changes one; nil where there is none of that name.
    func update(_ name: String, _ change: (inout SimulatedEndpoint) -> Void) -> SimulatedEndpoint? {
        state.withLock { state in
            guard var endpoint = state.endpoints[name] else { return nil }
            change(&endpoint)
            state.endpoints[name] = endpoint
            return endpoint
        }
    }

    func remove(_ name: String) -> Bool {
        state.withLock { state in
            guard state.endpoints.removeValue(forKey: name) != nil else { return false }
            state.names.removeAll { $0 == name }
            return true
        }
    }

    func resetCounters() {
        state.withLock { state in
            for name in state.names { state.endpoints[name]?.resetCounters() }
        }
    }

    /// Notes something of an endpoint, if it is still there.
    func note(_ name: String, _ change: (inout SimulatedEndpoint) -> Void) {
        state.withLock { state in
            // In place: the endpoint's lists are not copied.
            if let index = state.endpoints.index(forKey: name) { change(&state.endpoints.values[index]) }
        }
    }

    /// µs since 1970.
    static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Notes what a request tells of its client, and gives the endpoint as it is now.
    ///
    /// - Parameter route: where the request is for inference
    func visit(_ name: String, path: String, route: InferenceRoute?, key: String?) -> SimulatedEndpoint? {
        let digest = key.map { key in SHA256.hash(data: Array(key.utf8)).hexadecimal }
        let time = now()
        return state.withLock { state in
            guard let kind = state.endpoints[name]?.kind else { return nil }
            if kind.listPaths.contains(path) { state.endpoints[name]?.noteList(path: path, at: time) }
            if let route { state.endpoints[name]?.noteInference(route) }
            if let digest { state.endpoints[name]?.noteKey(digest: digest) }
            return state.endpoints[name]
        }
    }
}

extension Fleet.State {
    fileprivate mutating func put(_ endpoint: SimulatedEndpoint) {
        if endpoints.updateValue(endpoint, forKey: endpoint.name) == nil { names.append(endpoint.name) }
    }
}
