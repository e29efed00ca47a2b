/// An endpoint that could take a request.
protocol EndpointCandidate {
    var id: String { get }
    /// Its last poll failed.
    var isDegraded: Bool { get }
    /// As many requests as it takes at once; nil for any number.
    var maximum: Int? { get }
    /// Its share of requests beside the others', at least 1.
    var weight: Int { get }
}

/// Which endpoint a request goes to, and what this gateway knows of each for that. Pure: time and chance are handed in.
/// Nothing of it ever enters the list of models.
///
/// A choice among n candidates takes O(n) time and, once its scratch memory has grown, allocates nothing: it is made
/// under a lock that all event loops share.
struct EndpointChooser: Sendable {
    /// A place that a request has taken at an endpoint.
    struct Grant: Sendable, Hashable {
        /// Of the candidate.
        let index: Int
        /// Where the endpoint's load is. It stays there while the request is in flight.
        let slot: Int
        let pass: EndpointBreaker.Pass
    }

    enum Choice: Sendable, Hashable {
        case chosen(Grant)
        /// There are candidates, and all of the best rank are full.
        case full
        /// There is no candidate, or all are excluded.
        case none
    }

    /// Lower ranks are asked first. A suspect comes last: a request to it most likely costs a connect timeout. A tripped
    /// endpoint comes behind a degraded one, since its answers failed, not only a poll.
    enum Rank {
        static let healthy = 0
        static let degraded = 1
        static let tripped = 2
        static let suspect = 3
        static let none = 4
    }

    /// The penalty for slowness falls in a straight line while an endpoint gives no answers: to half after this many
    /// seconds, to nothing after twice as long. One slow answer must not exclude an endpoint for good.
    static let halfTime = 30.0
    /// Times of at most this factor, or this many seconds, above the shortest one count as equal to it: they are noisy.
    static let equalFactor = 1.25
    static let equalSeconds = 0.025
    /// A conversation is not kept on an endpoint that has this many in flight and more than its share.
    static let stickyMinimum = 4.0
    /// The load of an endpoint that was no candidate for so many seconds is dropped. What it says is out of date by then,
    /// and its record may be gone.
    static let keptSeconds = 600.0

    var loads: [EndpointLoad] = []
    var slots: [String: Int] = [:]
    var vacant: [Int] = []
    private var sweepsAt = 64
    /// The slot of each candidate; negative for one that is out of question.
    private var scratch: [Int] = []
    private var origin: ContinuousClock.Instant?

    /// Takes a place at the best of `candidates`.
    ///
    /// A tripped endpoint whose trial is due goes first, unless the request has failed elsewhere. Otherwise only candidates of the best rank count. Among those with room, `sticky` is kept on one endpoint
    /// by rendezvous hashing, the same on every gateway, unless that one has far more than its share. Without `sticky` the
    /// least cost wins: (in flight + 1) × relative time to the first byte ÷ weight.
    ///
    /// Chance decides between equal costs. Taking the least recently used one would need no chance, but gateways that
    /// start together would then all ask the same endpoints in the same order.
    mutating func choose<Candidate: EndpointCandidate>(
        among candidates: [Candidate], sticky: UInt64? = nil, excluding excluded: [String] = [],
        now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> Choice {
        let now = seconds(now)
        let (best, trial) = survey(candidates, excluded, now)
        guard best != Rank.none else { return .none }
        if let trial, excluded.isEmpty { return take(trial, now) }
        let field = narrow(candidates, to: best, now)
        guard field.count > 0 else { return .full }
        if let sticky, let index = kept(sticky, candidates, field) { return take(index, now) }
        return take(cheapest(candidates, field, now, using: &generator), now)
    }

    private mutating func take(_ index: Int, _ now: Double) -> Choice {
        let slot = scratch[index]
        loads[slot].inFlight += 1
        return .chosen(Grant(index: index, slot: slot, pass: loads[slot].breaker.pass(at: now)))
    }

    /// Finds the load of each candidate that is not excluded, the best rank, and the trial that is due for longest.
    private mutating func survey<Candidate: EndpointCandidate>(
        _ candidates: [Candidate], _ excluded: [String], _ now: Double
    ) -> (best: Int, trial: Int?) {
        scratch.removeAll(keepingCapacity: true)
        var best = Rank.none
        var trial: Int?
        var trialAt = Double.infinity
        for index in candidates.indices {
            let id = candidates[index].id
            guard excluded.isEmpty || !excluded.contains(id) else {
                scratch.append(-1)
                continue
            }
            let slot = slot(of: id, now)
            scratch.append(slot)
            let rank = rank(slot, isDegraded: candidates[index].isDegraded)
            best = min(best, rank)
            if rank == Rank.tripped, loads[slot].breaker.isTrialDue(at: now), loads[slot].breaker.trialAt < trialAt,
                loads[slot].hasRoom(candidates[index].maximum, at: now)
            {
                trial = index
                trialAt = loads[slot].breaker.trialAt
            }
        }
        return (best, trial)
    }

    private func rank(_ slot: Int, isDegraded: Bool) -> Int {
        if loads[slot].isSuspect { return Rank.suspect }
        if loads[slot].breaker.isTripped { return Rank.tripped }
        return isDegraded ? Rank.degraded : Rank.healthy
    }

    /// The candidates that are left, taken together.
    private struct Field {
        var count = 0
        var inFlight = 0
        var weight = 0
        /// The shortest known time to the first byte.
        var fastest = Double.infinity
    }

    /// Leaves only candidates of rank `best` that have room.
    private mutating func narrow<Candidate: EndpointCandidate>(
        _ candidates: [Candidate], to best: Int, _ now: Double
    ) -> Field {
        var field = Field()
        for index in scratch.indices where scratch[index] >= 0 {
            let slot = scratch[index]
            guard rank(slot, isDegraded: candidates[index].isDegraded) == best,
                loads[slot].hasRoom(candidates[index].maximum, at: now)
            else {
                scratch[index] = -1
                continue
            }
            field.count += 1
            field.inFlight += loads[slot].inFlight
            field.weight += max(1, candidates[index].weight)
            field.fastest = min(field.fastest, loads[slot].latency ?? .infinity)
        }
        return field
    }

    /// The candidate with the highest score of those that have no more than half as many again as their share.
    private func kept<Candidate: EndpointCandidate>(
        _ sticky: UInt64, _ candidates: [Candidate], _ field: Field
    ) -> Int? {
        let perWeight = 1.5 * Double(field.inFlight + 1) / Double(field.weight)
        var kept: Int?
        var highest: UInt64 = 0
        for index in scratch.indices where scratch[index] >= 0 {
            let slot = scratch[index]
            let share = (perWeight * Double(max(1, candidates[index].weight))).rounded(.up)
            guard Double(loads[slot].inFlight) < max(Self.stickyMinimum, share) else { continue }
            let score = StableHash.mixed(StableHash.mixed(sticky) ^ loads[slot].hash)
            if let best = kept {
                guard score >= highest else { continue }
                if score == highest && candidates[index].id < candidates[best].id { continue }
            }
            kept = index
            highest = score
        }
        return kept
    }

    private func cheapest<Candidate: EndpointCandidate>(
        _ candidates: [Candidate], _ field: Field, _ now: Double, using generator: inout some RandomNumberGenerator
    ) -> Int {
        let equal = max(Self.equalFactor * field.fastest, field.fastest + Self.equalSeconds)
        var chosen = -1
        var least = Double.infinity
        var equals = 0
        for index in scratch.indices where scratch[index] >= 0 {
            let slot = scratch[index]
            let cost =
                (loads[slot].presence(at: now) + 1) * slowness(slot, equal, now)
                / Double(max(1, candidates[index].weight))
            if cost < least {
                (chosen, least, equals) = (index, cost, 1)
            } else if cost == least {
                equals += 1
                if Int.random(in: 0..<equals, using: &generator) == 0 { chosen = index }
            }
        }
        return chosen
    }

    /// How many times as long as the fastest one it takes. An endpoint that is not known yet counts as the fastest, so
    /// that it is tried.
    private func slowness(_ slot: Int, _ equal: Double, _ now: Double) -> Double {
        guard let latency = loads[slot].latency, latency > equal else { return 1 }
        let fading = max(0, 1 - (now - loads[slot].observed) / (2 * Self.halfTime))
        return 1 + (latency / equal - 1) * fading
    }

    // MARK: Loads

    /// Of the endpoint, made if there is none.
    mutating func slot(of id: String, _ now: Double) -> Int {
        if let slot = slots[id] {
            loads[slot].used = now
            return slot
        }
        if slots.count >= sweepsAt { sweep(now) }
        let load = EndpointLoad(id: id, now: now)
        if let slot = vacant.popLast() {
            loads[slot] = load
            slots[id] = slot
            return slot
        }
        loads.append(load)
        slots[id] = loads.count - 1
        return loads.count - 1
    }

    /// Drops loads that were not used for long. The next sweep is due when there are twice as many as are left, so a
    /// sweep costs O(1) for each new load.
    private mutating func sweep(_ now: Double) {
        for slot in loads.indices where loads[slot].inFlight == 0 && now - loads[slot].used > Self.keptSeconds {
            drop(slot)
        }
        sweepsAt = max(64, 2 * slots.count)
    }

    mutating func drop(_ slot: Int) {
        // A vacant slot keeps the load of the one before; it is in no table any more.
        guard slots[loads[slot].id] == slot else { return }
        slots[loads[slot].id] = nil
        vacant.append(slot)
    }

    /// Seconds on the chooser's own clock, which begins with the first time that it hears of. Arithmetic with `Duration`
    /// has 128 bits, too slow for each candidate.
    mutating func seconds(_ now: ContinuousClock.Instant) -> Double {
        guard let origin else {
            origin = now
            return 0
        }
        return (now - origin).inSeconds
    }
}

extension Duration {
    /// `Duration` divides by converting both numbers in a way that works for every type, some 500 instructions.
    var inSeconds: Double {
        let high = Int64(truncatingIfNeeded: attoseconds &>> 64)
        let low = UInt64(truncatingIfNeeded: attoseconds)
        return (Double(high) * 0x1p64 + Double(low)) / 1e18
    }
}
