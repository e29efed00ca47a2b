import Glibc
import Threads

/// Looks at a topology, or declares it, item by item, on one connection of its own that is closed afterwards. For tools:
/// a `Connection` does for itself what it needs.
public struct TopologyVisit: Sendable {
    public enum Item: Sendable, Hashable {
        case exchange(String)
        case queue(String)
        case binding(queue: String, exchange: String)
    }

    public enum Finding: Sendable, Hashable {
        /// It is there; where it was declared, with the same arguments.
        case found
        /// It was missing and has been declared.
        case made
        /// A binding that is there now; the broker does not tell whether it was before.
        case bound
        case missing
        /// It is there with other arguments, which cannot be changed; the broker's text says which.
        case different(String)
        /// The user may not declare it.
        case refused(String)
    }

    public struct Report: Sendable, Hashable {
        public var item: Item
        public var finding: Finding
    }

    private let urls: [BrokerURL]
    private let configuration: ConnectionConfiguration
    private let topology: Topology

    /// Throws `configuration` where a URL or the CA file cannot be used.
    public init(configuration: ConnectionConfiguration, topology: Topology) throws(AMQPError) {
        urls = try configuration.checkedURLs()
        self.configuration = configuration
        self.topology = topology
    }

    /// Declares everything. What another item's failure does not prevent is declared all the same.
    ///
    /// Throws `accessRefused` where the login is refused, and `connectionLost` where no broker can be reached.
    public func apply() async throws(AMQPError) -> [Report] {
        let topology = topology
        return try await visit { (broker) throws(AMQPError) in
            var reports: [Report] = []
            for exchange in topology.exchanges {
                let wasThere = try broker.isThere(exchange, channel: 1)
                let finding = Self.finding(try broker.declare(exchange, channel: 1), wasThere ? .found : .made)
                reports.append(Report(item: .exchange(exchange.name), finding: finding))
            }
            for queue in topology.queues {
                let wasThere = try broker.isThere(queue, channel: 1)
                let finding = Self.finding(try broker.declare(queue, channel: 1), wasThere ? .found : .made)
                reports.append(Report(item: .queue(queue.name), finding: finding))
            }
            for binding in topology.bindings {
                let finding = Self.finding(try broker.bind(binding, channel: 1), .bound)
                reports.append(
                    Report(item: .binding(queue: binding.queue, exchange: binding.exchange), finding: finding))
            }
            return reports
        }
    }

    /// Looks for the exchanges and the queues, and changes nothing. Needs no rights. Bindings cannot be asked for, nor
    /// arguments. Throws as `apply` does.
    public func check() async throws(AMQPError) -> [Report] {
        let topology = topology
        return try await visit { (broker) throws(AMQPError) in
            var reports: [Report] = []
            for exchange in topology.exchanges {
                let isThere = try broker.isThere(exchange, channel: 1)
                reports.append(Report(item: .exchange(exchange.name), finding: isThere ? .found : .missing))
            }
            for queue in topology.queues {
                let isThere = try broker.isThere(queue, channel: 1)
                reports.append(Report(item: .queue(queue.name), finding: isThere ? .found : .missing))
            }
            return reports
        }
    }

    private static func finding(_ refusal: BrokerHandle.Refusal?, _ done: Finding) -> Finding {
        switch refusal {
        case nil: done
        case let refusal? where refusal.code == 403: .refused(refusal.text)
        case let refusal? where refusal.code == 404: .missing
        case let refusal?: .different(refusal.text)
        }
    }

    /// Tries each URL once, on a thread of its own: the library blocks.
    private func visit(
        _ body: @escaping @Sendable (BrokerHandle) throws(AMQPError) -> [Report]
    ) async throws(AMQPError) -> [Report] {
        let (urls, configuration) = (urls.shuffled(), configuration)
        let result = OneShot<Result<[Report], AMQPError>>()
        let thread = OwnedThread(name: "amqp") {
            var failure = AMQPError(.connectionLost, "there is no broker URL")
            for url in urls {
                do throws(AMQPError) {
                    let broker = try BrokerHandle.open(url, configuration)
                    try broker.openChannel(1)
                    let reports = try body(broker)
                    broker.close(timeout: .seconds(1))
                    result.resolve(.success(reports))
                    return
                } catch {
                    failure = AMQPError(error.code, "\(url.address): \(error.message)")
                }
            }
            result.resolve(.failure(failure))
        }
        await thread.join()
        return try await result.value(ifCancelled: .failure(AMQPError(.stopped, "cancelled"))).get()
    }
}

extension ConnectionConfiguration {
    /// The URLs, read. Throws `configuration` where one of them or the CA file cannot be used.
    func checkedURLs() throws(AMQPError) -> [BrokerURL] {
        if urls.isEmpty { throw AMQPError(.configuration, "there is no broker URL") }
        var read: [BrokerURL] = []
        for text in urls { read.append(try BrokerURL(text)) }
        guard read.contains(where: \.isSecure) else { return read }
        guard let tls else {
            throw AMQPError(.configuration, "a broker URL with amqps:// needs a CA file")
        }
        if access(tls.caFile, R_OK) != 0 { throw AMQPError(.configuration, "the CA file cannot be read") }
        return read
    }
}
