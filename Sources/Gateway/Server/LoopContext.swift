import Catalog
import Glibc
import NIOCore

/// Something with deadlines, looked at now and then instead of by a timer of its own: setting a timer for each request
/// and each chunk costs more than a look at a number.
protocol Expirable: AnyObject {
    /// Ends what has taken too long.
    func expire(_ now: NIODeadline)
    /// Its place in the list of a `DeadlineSweep`; -1 while it is in none.
    var sweepIndex: Int { get set }
}

/// Something that has written bytes to its channel and not sent them yet.
protocol Flushable: AnyObject {
    func flush()
}

extension Channel {
    /// Bytes that were written and that the operating system has not taken yet. To be asked on the channel's event loop.
    var pendingBytes: Int {
        do {
            return try syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            return 0  // The channel is closed.
        }
    }
}

/// Looks at the deadlines of its members at fixed intervals, as long as it has any. A deadline is noticed at most one
/// interval late.
final class DeadlineSweep {
    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private(set) var members: [any Expirable] = []
    private var isScheduled = false

    init(eventLoop: any EventLoop, interval: TimeAmount) {
        self.eventLoop = eventLoop
        self.interval = interval
    }

    func add(_ member: any Expirable) {
        guard member.sweepIndex < 0 else { return }
        member.sweepIndex = members.count
        members.append(member)
        schedule()
    }

    func remove(_ member: any Expirable) {
        let index = member.sweepIndex
        guard index >= 0 else { return }
        member.sweepIndex = -1
        let last = members.removeLast()
        guard index < members.count else { return }
        members[index] = last
        last.sweepIndex = index
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: interval) { bound.value.sweep() }
    }

    private func sweep() {
        isScheduled = false
        let now = NIODeadline.now()
        // A member may leave, or another one may join, while it is looked at.
        for member in members where member.sweepIndex >= 0 { member.expire(now) }
        if !members.isEmpty { schedule() }
    }
}

/// What the connections of one event loop share. Used on that loop only.
final class LoopContext {
    let eventLoop: any EventLoop
    let pool: UpstreamPool
    /// Client connections: times of tens of seconds.
    let connections: DeadlineSweep
    /// Requests that are at an endpoint or wait for one: times that tests set to a fraction of a second.
    let exchanges: DeadlineSweep
    let targets: UpstreamTargets
    /// For one head at a time: whoever writes one clears it first and takes the buffer before anything else happens.
    let headWriter = HeadWriter()
    /// In the order in which they were written to.
    private var unflushed: [any Flushable] = []
    private let allocator = ByteBufferAllocator()
    private var date: (seconds: Int, text: String) = (-1, "")
    private var poolSweep: RepeatedTask?

    init(eventLoop: any EventLoop, pool: UpstreamPool, keyRing: KeyRing?) {
        self.eventLoop = eventLoop
        self.pool = pool
        targets = UpstreamTargets(keyRing: keyRing, pool: pool)
        connections = DeadlineSweep(eventLoop: eventLoop, interval: .milliseconds(500))
        exchanges = DeadlineSweep(eventLoop: eventLoop, interval: .milliseconds(25))
        let bound = NIOLoopBound(pool, eventLoop: eventLoop)
        poolSweep = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.closeExpired(.now())
        }
    }

    func shutdown() {
        poolSweep?.cancel()
        pool.closeAll()
    }

    /// Flushes a connection once all events that the loop was woken for have been handled. So the writes to many
    /// connections follow one another: the first one wakes whoever waits for them, and the others find it awake.
    func flushSoon(_ connection: any Flushable) {
        unflushed.append(connection)
        guard unflushed.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.flush() }
    }

    private func flush() {
        // A flush that fails closes its connection, which may lead to writes on others.
        let connections = unflushed
        unflushed = []
        for connection in connections { connection.flush() }
    }

    /// Seconds since 1970, as the kernel's tick has them.
    var currentSecond: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        return now.tv_sec
    }

    /// The value of a `Date` field (RFC 9110, 5.6.7), made once a second.
    var currentDate: String {
        let now = currentSecond
        if now != date.seconds { date = (now, Self.httpDate(now)) }
        return date.text
    }

    func makeBuffer(capacity: Int) -> ByteBuffer { allocator.buffer(capacity: capacity) }

    /// What was written of a head.
    func makeBuffer(_ head: HeadWriter) -> ByteBuffer { head.buffer(allocator) }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`. `seconds` since 1970.
    static func httpDate(_ seconds: Int) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return "\(day) \(Int(parts.tm_year) + 1900) \(time) GMT"
    }
}
