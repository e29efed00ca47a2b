import Synchronization

/// A list that threads add to.
final class Record<Element: Sendable>: Sendable {
    private let held = Mutex<[Element]>([])
    func add(_ element: Element) { held.withLock { $0.append(element) } }
    var all: [Element] { held.withLock { $0 } }
}
