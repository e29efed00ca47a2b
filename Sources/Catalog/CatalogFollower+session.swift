import AMQP
import FoundationEssentials
import Logging
import Synchronization

/// The thin driver: feeds the machine and does what it says.
extension CatalogFollower {
    /// Session after session, until the task is cancelled.
    func follow() async {
        var losses = LogLimit()
        while !Task.isCancelled {
            let start = state.withLock { $0.machine.begin() }
            do throws(AMQPError) {
                let subscription = try await consuming.subscribe(
                    to: brokerMap.catalog, prefetch: configuration.prefetch, arguments: start.arguments)
                await follow(subscription, from: start)
                await subscription.cancel()
            } catch {
                state.withLock { $0.machine.lost(error.message) }
                if let left = losses.admit(.now) {
                    logger.info(
                        "Cannot follow the catalog stream",
                        metadata: ["reason": "\(error.message)", "left_out": "\(left)"])
                }
                // The queue is gone, or the broker refuses: connections make the queue anew, and there is no event
                // that says so. Cut short by cancellation, and the loop sees that.
                do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
            }
        }
    }

    /// One session: until the subscription ends or the machine wants another one.
    private func follow(_ subscription: Subscription, from start: FollowerMachine.Start) async {
        let inbox = FollowerInbox()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await Self.receive(from: subscription, into: inbox) }
            var actions = state.withLock { $0.machine.subscribed(start, now: .now) }
            logger.info("Following the catalog stream", metadata: ["start": "\(start)"])
            var malformed = LogLimit()
            var alarm: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
            defer { alarm?.task.cancel() }
            perform(actions, inbox, &group)
            if actions.contains(.resubscribe) { return group.cancelAll() }
            setAlarm(&alarm, inbox)
            for await _ in inbox.signals {
                let content = inbox.take()
                let batch = await decode(content.deliveries, &malformed)
                actions = handle(content, batch)
                for delivery in content.deliveries { subscription.acknowledge(delivery) }
                if actions.contains(.resubscribe) { break }
                perform(actions, inbox, &group)
                if let reason = content.end {
                    state.withLock { $0.machine.lost(reason) }
                    break
                }
                setAlarm(&alarm, inbox)
            }
            if Task.isCancelled { state.withLock { $0.machine.lost("stopped") } }
            group.cancelAll()
        }
    }

    private static func receive(from subscription: Subscription, into inbox: FollowerInbox) async {
        do throws(AMQPError) {
            var deliveries = subscription.makeAsyncIterator()
            while let delivery = try await deliveries.next() { inbox.add(delivery) }
            inbox.end("the subscription has ended")
        } catch {
            inbox.end(error.message)
        }
    }

    /// Tells the machine, then those who listen.
    private func handle(
        _ content: FollowerInbox.Content, _ batch: [FollowerMachine.Incoming]
    ) -> [FollowerMachine.Action] {
        let now = ContinuousClock.now
        let wallClock = Int64(Date().timeIntervalSince1970 * 1000)
        let (actions, effects, listeners) = state.withLock { state in
            for mark in content.marks {
                if mark.isSent {
                    state.machine.markSent(id: mark.id)
                } else {
                    state.machine.markFailed(id: mark.id, now: now)
                }
            }
            var actions: [FollowerMachine.Action] = []
            var effects: [CatalogEffect] = []
            if !batch.isEmpty { (actions, effects) = state.machine.received(batch, now: now, wallClock: wallClock) }
            if !actions.contains(.resubscribe) {
                let late = state.machine.tick(now: now)
                actions += late.actions
                effects += late.effects
            }
            publishList(&state, &effects)
            askWaiters(&state)
            return (actions, effects, Array(state.listeners.values))
        }
        if !effects.isEmpty { for listener in listeners { listener.yield(effects) } }
        return actions
    }

    /// Encodes the list where it may have changed and somebody serves it; `modelsChanged` is then exact.
    private func publishList(_ state: inout State, _ effects: inout [CatalogEffect]) {
        guard state.servesList, effects.contains(.modelsChanged) else { return }
        let old = list.withLock { $0?.etag }
        if encodeList(&state).etag == old { effects.removeAll { $0 == .modelsChanged } }
    }

    private func askWaiters(_ state: inout State) {
        for (id, isDone) in state.waiters where isDone(state.machine.catalog) {
            state.waiters[id] = nil
            state.abandon[id] = nil
        }
    }

    private func perform(
        _ actions: [FollowerMachine.Action], _ inbox: FollowerInbox, _ group: inout TaskGroup<Void>
    ) {
        for case .publishMark(let id) in actions {
            do throws(AMQPError) {
                let receipt = try publish(.syncMark(SyncMark(id: id)), timeout: .seconds(2))
                group.addTask {
                    do throws(AMQPError) {
                        try await receipt.confirmed()
                        inbox.answer(mark: id, isSent: true)
                    } catch {
                        inbox.answer(mark: id, isSent: false)
                    }
                }
            } catch {
                inbox.answer(mark: id, isSent: false)
            }
        }
    }

    private func setAlarm(
        _ alarm: inout (at: ContinuousClock.Instant, task: Task<Void, Never>)?, _ inbox: FollowerInbox
    ) {
        let deadline = state.withLock { $0.machine.nextDeadline }
        guard deadline != alarm?.at else { return }
        alarm?.task.cancel()
        alarm = deadline.map { deadline in
            let task = Task {
                // Cancelled where another deadline takes its place.
                do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
                inbox.wake()
            }
            return (deadline, task)
        }
    }
}

extension FollowerMachine.Start {
    /// Of the consumer; see RabbitMQ's documentation of streams, "Consuming".
    fileprivate var arguments: [String: FieldValue] {
        switch self {
        case .resume(let offset): ["x-stream-offset": .integer(offset)]
        case .window(let seconds): ["x-stream-offset": .string("\(seconds)s")]
        case .first: ["x-stream-offset": .string("first")]
        }
    }
}

/// At most one log entry in ten seconds, which says how many were left out before it.
struct LogLimit: Sendable {
    private var last: ContinuousClock.Instant?
    private var leftOut = 0

    /// The number left out so far where an entry may be made now.
    mutating func admit(_ now: ContinuousClock.Instant) -> Int? {
        if let last, last.duration(to: now) < .seconds(10) {
            leftOut += 1
            return nil
        }
        last = now
        defer { leftOut = 0 }
        return leftOut
    }
}
