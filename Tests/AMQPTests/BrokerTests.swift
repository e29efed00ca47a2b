import Testing

/// Everything that needs the shared broker, one after another: it is one node, and some tests count descriptors.
@Suite(.enabled(if: LiveBroker.isAvailable), .serialized, .timeLimit(.minutes(1))) struct BrokerTests {}
