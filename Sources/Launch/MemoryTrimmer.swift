import CMalloc
import Glibc
import ServiceLifecycle

/// Gives memory back to the operating system after a peak.
///
/// The C library keeps most of what a program frees, below blocks that are still in use, so that a process would stay
/// as large as it ever was (malloc_trim(3)). Giving it back locks each heap for a moment, so it is done only when the
/// process has little to do, and only if there is much to give.
struct MemoryTrimmer: Service {
    var interval = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown { await trimUntilCancelled() }
    }

    private func trimUntilCancelled() async {
        var rule = MemoryTrimRule()
        var usedBefore = MemoryUse.processorTime
        while true {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            let used = MemoryUse.processorTime
            let isQuiet = (used - usedBefore) * 4 < interval
            usedBefore = used
            if isQuiet { Self.trim(by: &rule) }
        }
    }

    static func trim(by rule: inout MemoryTrimRule) {
        guard rule.isDue(MemoryUse.now) else { return }
        malloc_trim(0)
        rule.trimmed(MemoryUse.now)
    }
}

/// When it is worth to trim.
struct MemoryTrimRule {
    /// Bytes above what is in use that need not be given back.
    static let spare = 8 << 20

    /// What could not be given back the last time: blocks in use lie between it.
    private var kept = 0

    /// More than `spare`, and more than a quarter of what is in use, could be given back.
    func isDue(_ use: MemoryUse) -> Bool { use.unused - kept > max(Self.spare, use.used / 4) }

    /// - Parameter use: after the trim
    mutating func trimmed(_ use: MemoryUse) { kept = max(0, use.unused) }
}

/// The memory of this process, in bytes.
struct MemoryUse {
    /// Of the process alone, in physical memory: not the program, and not files.
    var resident: Int
    /// Of all blocks that are allocated.
    var used: Int

    /// Resident and not allocated.
    var unused: Int { resident - used }

    static var now: MemoryUse {
        let heap = mallinfo2()
        return MemoryUse(resident: residentBytes, used: Int(heap.uordblks) + Int(heap.hblkhd))
    }

    /// The second and third number of /proc/self/statm are pages: all that are resident, and those of files (proc(5)).
    private static var residentBytes: Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        let text = String(unsafeUninitializedCapacity: 256) { max(0, read(file, $0.baseAddress, $0.count)) }
        let pages = text.split(separator: " ").prefix(3).compactMap { Int($0) }
        return pages.count == 3 ? (pages[1] - pages[2]) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// Processor time of all threads since the process began.
    static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
