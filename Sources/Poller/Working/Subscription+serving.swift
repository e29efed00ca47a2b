import AMQP

extension Subscription {
    /// Works on deliveries side by side until the subscription ends, or `mayGoOn` says no when the next one comes. What
    /// is unfinished then is cancelled, and goes back to the queue with the subscription.
    func serve(
        while mayGoOn: @Sendable () async -> Bool, do work: @escaping @Sendable (Delivery) async -> Void
    ) async throws(AMQPError) {
        let failure = await withDiscardingTaskGroup(returning: AMQPError?.self) { group in
            var failure: AMQPError?
            var deliveries = makeAsyncIterator()
            do throws(AMQPError) {
                while let delivery = try await deliveries.next(), await mayGoOn() {
                    group.addTask { await work(delivery) }
                }
            } catch {
                failure = error
            }
            // Before the work is cancelled, so that none of it is taken to be done.
            await cancel()
            group.cancelAll()
            return failure
        }
        if let failure { throw failure }
    }
}
