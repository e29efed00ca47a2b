/// Which endpoint a request goes to, and what this gateway knows of each for that. Pure: no clock, no lock, no chance
/// but what is handed in. Nothing of it ever enters the list of models.
struct EndpointChooser: Sendable {
    /// An endpoint that could take a request.
    struct Candidate: Sendable, Hashable {
        /// Of the endpoint.
        var id: String
        /// The last poll failed: it is asked only where no online one is left.
        var isDegraded = false
        /// As many requests as it takes at once; nil for any number.
        var maximum: Int?
    }

    enum Choice: Sendable, Hashable {
        /// The candidate with this index; a place there is taken.
        case chosen(Int)
        /// There are candidates, and all of them are full.
        case full
        /// There is none.
        case none
    }

    private struct Load: Sendable {
        var inFlight = 0
        /// Average time to the first byte in seconds, later ones weighing more; nil before the first.
        var latency: Double?
        var observed: ContinuousClock.Instant?
        var isSuspect = false

        var isIdle: Bool { inFlight == 0 && latency == nil && !isSuspect }
    }

    /// The weight of the newest time in the average.
    static let weightOfNewest = 0.2
    /// By how much an endpoint was slower than the fastest counts half after this many seconds without an answer, and
    /// nothing after twice as long: none is shut out by one slow answer.
    static let halfLife = 30.0
    /// Times within this factor of the shortest count as equal to it: they are noisy.
    static let tolerance = 1.25
    /// A conversation is not kept on an endpoint that has this many in flight and more than its share.
    static let stickyMinimum = 4

    private var loads: [String: Load] = [:]

    func inFlight(_ id: String) -> Int { loads[id]?.inFlight ?? 0 }
    func isSuspect(_ id: String) -> Bool { loads[id]?.isSuspect ?? false }

    /// Takes a place at the best of `candidates`.
    ///
    /// Only those of the best rank count: online ones before degraded ones before suspects. Among those with a free
    /// place, `sticky` is kept on one endpoint by rendezvous hashing, the same on every gateway, unless that one has far
    /// more than its share; without it the least of (in flight + 1) × time to the first byte wins, and chance among equals.
    mutating func choose(
        among candidates: [Candidate], sticky: String? = nil, now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Choice {
        guard let best = candidates.map(rank).min() else { return .none }
        let free = candidates.indices.filter { index in
            let candidate = candidates[index]
            return rank(candidate) == best && inFlight(candidate.id) < candidate.maximum ?? .max
        }
        guard !free.isEmpty else { return .full }
        let index =
            sticky.flatMap { kept($0, among: free, candidates) }
            ?? cheapest(among: free, candidates, now: now, using: &generator)
        loads[candidates[index].id, default: Load()].inFlight += 1
        return .chosen(index)
    }

    private func rank(_ candidate: Candidate) -> Int {
        isSuspect(candidate.id) ? 2 : candidate.isDegraded ? 1 : 0
    }

    private func kept(_ key: String, among free: [Int], _ candidates: [Candidate]) -> Int? {
        let total = free.reduce(0) { $0 + inFlight(candidates[$1].id) }
        let share = max(Self.stickyMinimum, (3 * (total + 1) + 2 * free.count - 1) / (2 * free.count))
        return free.filter { inFlight(candidates[$0].id) < share }.max { left, right in
            let scores = (Self.score(key, candidates[left].id), Self.score(key, candidates[right].id))
            return scores.0 == scores.1 ? candidates[left].id < candidates[right].id : scores.0 < scores.1
        }
    }

    /// FNV-1a of both texts, then mixed (the finalizer of SplitMix64), since FNV's high bits are weak.
    static func score(_ key: String, _ id: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }

    private func cheapest(
        among free: [Int], _ candidates: [Candidate], now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Int {
        guard free.count > 1 else { return free[0] }
        let fastest = max(0.001, free.compactMap { loads[candidates[$0].id]?.latency }.min() ?? 0.001)
        let costs = free.map { index in
            let load = loads[candidates[index].id] ?? Load()
            return Double(load.inFlight + 1) * Self.weight(load, fastest: fastest, now: now)
        }
        let least = costs.min() ?? 0
        let equals = free.indices.filter { costs[$0] <= least }
        return free[equals[Int.random(in: equals.indices, using: &generator)]]
    }

    /// How many times as long as the fastest it takes. One that is not known yet counts as the fastest: it is tried.
    private static func weight(_ load: Load, fastest: Double, now: ContinuousClock.Instant) -> Double {
        guard let latency = load.latency, let observed = load.observed else { return 1 }
        let halves = (now - observed).inSeconds / halfLife
        let faded = 1 + (latency / fastest - 1) * max(0, 1 - halves / 2)
        return faded <= tolerance ? 1 : faded
    }

    /// Gives a place back.
    mutating func release(_ id: String) {
        guard let load = loads[id], load.inFlight > 0 else { return }
        loads[id]?.inFlight -= 1
        if loads[id]?.isIdle == true { loads[id] = nil }
    }

    /// An answer's first byte came this long after the request was sent.
    mutating func observe(_ id: String, firstByte: Duration, now: ContinuousClock.Instant) {
        let seconds = firstByte.inSeconds
        var load = loads[id] ?? Load()
        load.latency = load.latency.map { $0 + (seconds - $0) * Self.weightOfNewest } ?? seconds
        load.observed = now
        loads[id] = load
    }

    /// It could not be connected to: behind all others until it is trusted again.
    mutating func suspect(_ id: String) { loads[id, default: Load()].isSuspect = true }

    /// Its newest snapshot counts again. False where it was no suspect.
    mutating func trust(_ id: String) -> Bool {
        guard loads[id]?.isSuspect == true else { return false }
        loads[id]?.isSuspect = false
        if loads[id]?.isIdle == true { loads[id] = nil }
        return true
    }

    /// Its record is gone: only what is in flight is still counted.
    mutating func forget(_ id: String) {
        guard let load = loads[id] else { return }
        loads[id] = load.inFlight > 0 ? Load(inFlight: load.inFlight) : nil
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
