import AMQP
import FoundationEssentials
import Logging
import Synchronization

/// The newest image: read by a process that starts, made by the active scheduler.
extension CatalogFollower {
    /// How far the catalog that is served has been applied; nil if no process may start from it: it is not complete, or not
    /// current, or its stream is being made anew.
    public var imageProgress: LogProgress? { state.withLock { $0.machine.imageProgress } }

    /// The catalog that is served, to be made an image of, outside of the lock. nil if `imageProgress` is nil.
    public func imageSource() -> (source: ImageSource, progress: LogProgress)? {
        state.withLock { state in
            state.machine.imageProgress.map { (state.machine.catalog.imageSource, $0) }
        }
    }

    /// How long the first message of the image stream may take. An empty stream sends none, and nothing says that it is
    /// empty. The broker sends the last chunk as soon as it has confirmed the subscription.
    private static let firstPartPatience = Duration.seconds(1)
    private static let partPatience = Duration.seconds(3)

    /// nil if there is no image that this process can start from.
    ///
    /// Throws if the broker is lost meanwhile.
    func newestImage() async throws(AMQPError) -> CatalogImage.Content? {
        let begun = ContinuousClock.now
        var search = ImageSearch()
        var step = ImageSearch.Step.wait
        var start = FieldValue.string("last")
        while true {
            switch step {
            case .wait:
                do throws(AMQPError) {
                    step = try await read(from: start, &search)
                } catch {
                    // A queue that is not there, or a right that is missing, does not come back by itself.
                    guard error.code == .cancelled || error.code == .channelClosed else { throw error }
                    sayWithoutImages(error)
                    return nil
                }
            case .read(let from):
                start = .integer(from)
                step = .wait
            case .found(let id, let parts):
                do {
                    let content = try CatalogImage.content(of: parts)
                    say(content, since: begun)
                    return content
                } catch {
                    logger.warning(
                        "An image of the catalog is broken, and an older one is looked for",
                        metadata: ["reason": "\((error as? BrokenImage)?.reason ?? "\(error)")"])
                    step = search.reject(id)
                }
            case .nothing:
                sayThereIsNone()
                return nil
            }
        }
    }

    /// One subscription to the image stream: until the search has an answer, or wants another start.
    private func read(
        from start: FieldValue, _ search: inout ImageSearch
    ) async throws(AMQPError) -> ImageSearch.Step {
        let subscription = try await consuming.subscribe(
            to: brokerMap.images, prefetch: 8, arguments: ["x-stream-offset": start])
        let inbox = FollowerInbox()
        let receiving = Task { await Self.receive(from: subscription, into: inbox) }
        let result = await withTaskCancellationHandler {
            await Self.search(&search, inbox, subscription)
        } onCancel: {
            inbox.end("stopped")
        }
        receiving.cancel()
        await subscription.cancel()
        return try result.get()
    }

    private static func search(
        _ search: inout ImageSearch, _ inbox: FollowerInbox, _ subscription: Subscription
    ) async -> Result<ImageSearch.Step, AMQPError> {
        var deadline = ContinuousClock.now + (search.isWaitingForFirst ? firstPartPatience : partPatience)
        var alarm = wake(inbox, at: deadline)
        defer { alarm.cancel() }
        for await _ in inbox.signals {
            let content = inbox.take()
            for delivery in content.deliveries {
                subscription.acknowledge(delivery)
                guard let offset = delivery.streamOffset else { continue }
                let step = search.received(ImagePart(delivery.message), at: offset)
                if step != .wait { return .success(step) }
            }
            if let reason = content.end { return .failure(AMQPError(.connectionLost, reason)) }
            if !content.deliveries.isEmpty {
                deadline = .now + partPatience
                alarm.cancel()
                alarm = wake(inbox, at: deadline)
            } else if ContinuousClock.now >= deadline {
                return .success(search.timedOut())
            }
        }
        return .failure(AMQPError(.stopped, "stopped"))
    }

    private static func wake(_ inbox: FollowerInbox, at deadline: ContinuousClock.Instant) -> Task<Void, Never> {
        Task {
            // Cancelled if another deadline takes its place.
            do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
            inbox.wake()
        }
    }

    private func say(_ content: CatalogImage.Content, since begun: ContinuousClock.Instant) {
        let milliseconds = begun.duration(to: .now) / .milliseconds(1)
        logger.info(
            "Starting from an image of the catalog",
            metadata: [
                "offset": "\(content.position.offset)", "bytes": "\(content.size)", "ms": "\(Int(milliseconds))",
            ])
    }

    private func sayThereIsNone() {
        logger.info("There is no image of the catalog yet: the whole catalog stream is read")
    }

    /// The stream is made by the first poller, or by `rollcall topology apply`. A right that is missing needs a person.
    private func sayWithoutImages(_ error: AMQPError) {
        if error.code == .cancelled { return sayThereIsNone() }
        guard var metadata = logLimits.admit("images") else { return }
        metadata["stream"] = "\(brokerMap.images)"
        metadata["reason"] = "\(error.message)"
        logger.warning(
            """
            Images of the catalog cannot be read, and the whole catalog stream is read instead: give this broker user \
            the rights of `rollcall topology rights`
            """, metadata: metadata)
    }
}
