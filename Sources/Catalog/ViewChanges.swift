/// Which endpoints and keys changed in a catalog since a `CatalogViewBuilder` last looked at it.
///
/// The changes are relative to one state of one builder, which `base` names. They are noted only once a builder has
/// looked, so catalogs of which nobody makes views pay nothing.
struct ViewChanges: Sendable {
    /// 0: no builder has looked yet.
    private(set) var base: UInt64 = 0
    /// Slots of endpoints, each once.
    private(set) var endpoints: [Int] = []
    private(set) var hasNewKeys = false
    private var isNoted: [Bool] = []

    var isEmpty: Bool { endpoints.isEmpty && !hasNewKeys }

    /// What a view shows of the endpoint in `slot` may have changed.
    mutating func note(endpoint slot: Int) {
        guard base != 0 else { return }
        while isNoted.count <= slot { isNoted.append(false) }
        guard !isNoted[slot] else { return }
        isNoted[slot] = true
        endpoints.append(slot)
    }

    mutating func noteKeys() {
        if base != 0 { hasNewKeys = true }
    }

    mutating func restart(at base: UInt64) {
        self.base = base
        for slot in endpoints { isNoted[slot] = false }
        endpoints = []
        hasNewKeys = false
    }
}
