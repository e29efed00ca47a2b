import AMQP
import FoundationEssentials
import Logging
import Synchronization

/// The thin driver: feeds the machine and does what it says.
extension CatalogFollower {
    /// Session after session, until the task is cancelled.
    func follow() async {
        var problem: String?
        while !Task.isCancelled {
            do throws(AMQPError) {
                guard case .subscribe(let start) = change({ $0.begin() }) else {
                    let image = try await newestImage()
                    change { $0.start(from: image, now: .now, wallClock: Self.wallClock) }
                    continue
                }
                let subscription = try await consuming.subscribe(
                    to: brokerMap.catalog, prefetch: configuration.prefetch, arguments: start.arguments)
                problem = nil
                await follow(subscription, from: start)
                await subscription.cancel()
            } catch {
                change { $0.lost(error.message) }
                // Once for each reason, however often it is tried. Of a lost connection the process speaks itself.
                let isKnown = error.code.concernsConnection || problem == error.message
                logger.log(
                    level: isKnown ? .debug : .warning, "The catalog stream cannot be read",
                    metadata: ["stream": "\(brokerMap.catalog)", "reason": "\(error.message)"])
                problem = error.message
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
            var actions = change { $0.subscribed(start, now: .now) }
            logger.debug("Following the catalog stream", metadata: ["start": "\(start)"])
            var alarm: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
            defer { alarm?.task.cancel() }
            perform(actions, inbox, &group)
            if actions.contains(.resubscribe) { return group.cancelAll() }
            setAlarm(&alarm, inbox)
            for await _ in inbox.signals {
                let content = inbox.take()
                let batch = await decode(content.deliveries)
                actions = handle(content, batch)
                for delivery in content.deliveries { subscription.acknowledge(delivery) }
                if actions.contains(.resubscribe) {
                    logger.info(
                        "The catalog is read anew",
                        metadata: ["reason": "\(state.withLock { $0.machine.reason } ?? "unknown")"])
                    break
                }
                perform(actions, inbox, &group)
                if let reason = content.end {
                    change { $0.lost(reason) }
                    break
                }
                setAlarm(&alarm, inbox)
            }
            if Task.isCancelled { change { $0.lost("stopped") } }
            group.cancelAll()
        }
    }

    static func receive(from subscription: Subscription, into inbox: FollowerInbox) async {
        do throws(AMQPError) {
            var deliveries = subscription.makeAsyncIterator()
            while let delivery = try await deliveries.next() { inbox.add(delivery) }
            inbox.end("the subscription has ended")
        } catch {
            inbox.end(error.message)
        }
    }

    /// Changes what a view shows of the session.
    @discardableResult
    func change<T: Sendable>(_ body: (inout FollowerMachine) -> T) -> T {
        let value = state.withLock { body(&$0.machine) }
        publishView()
        return value
    }

    /// Tells the machine, then publishes a view, then tells those who wait and those who listen.
    ///
    /// A backlog is applied slice by slice, and the lock given back between two slices: others read the catalog there, in
    /// the state after some message. Waiters are asked only at the end.
    func handle(
        _ content: FollowerInbox.Content, _ batch: [FollowerMachine.Incoming]
    ) -> [FollowerMachine.Action] {
        let now = ContinuousClock.now
        let wallClock = Self.wallClock
        var outcome = Outcome()
        for mark in content.marks {
            state.withLock { state in
                if mark.isSent {
                    state.machine.markSent(id: mark.id, now: now)
                } else {
                    state.machine.markFailed(id: mark.id, now: now)
                }
            }
        }
        var rest = batch[...]
        while !rest.isEmpty {
            outcome += state.withLock { state in
                state.isViewBehind = true
                return state.machine.receive(&rest, until: Self.sliceEnd(), now: now, wallClock: wallClock)
            }
        }
        if !batch.isEmpty { outcome += state.withLock { $0.machine.settle(now: now) } }
        if !outcome.actions.contains(.resubscribe) { outcome += state.withLock { $0.machine.tick(now: now) } }
        publishView(&outcome.effects)
        let listeners = state.withLock { state in
            state.isViewBehind = false
            state.catalogRequests += outcome.effects.count { $0 == .catalogRequested }
            askWaiters(&state)
            return Array(state.listeners.values)
        }
        if !outcome.effects.isEmpty { for listener in listeners { listener.yield(outcome.effects) } }
        return outcome.actions
    }

    /// Milliseconds since 1970.
    static var wallClock: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    private struct Outcome {
        var actions: [FollowerMachine.Action] = []
        var effects: [CatalogEffect] = []

        static func += (
            left: inout Outcome, right: (actions: [FollowerMachine.Action], effects: [CatalogEffect])
        ) {
            left.actions += right.actions
            left.effects += right.effects
        }
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
        if actions.contains(.requestCatalog) { requestCatalog() }
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

    private func requestCatalog() {
        let reason = readiness.reason ?? "unknown"
        logger.warning(
            "The catalog stream does not hold everything: it is asked for", metadata: ["reason": "\(reason)"])
        do throws(AMQPError) {
            // A request that is lost is repeated.
            _ = try publish(.catalogRequested(CatalogRequest(reason: reason)))
        } catch {
            logger.debug("The request is not sent", metadata: ["reason": "\(error.message)"])
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
        case .first: ["x-stream-offset": .string("first")]
        }
    }
}
