/// Hashes that are the same in every process. Swift's own `Hasher` is seeded anew in each, and all gateways must keep a
/// conversation on the same endpoint.
enum StableHash {
    /// FNV-1a, 64 bits. Its high bits are weak: mix the result before comparing it.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// The finaliser of SplitMix64: every bit of the input changes about half of the output's bits.
    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// SplitMix64. The system's generator may make a system call for each number, and this one is used under a lock.
struct SplitMixGenerator: RandomNumberGenerator, Sendable {
    /// What is added to the state for each number: 2^64 divided by the golden ratio.
    static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= Self.step
        return StableHash.mixed(state)
    }
}
