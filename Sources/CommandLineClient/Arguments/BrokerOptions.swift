import AMQP
import ArgumentParser
import Conventions
import FoundationEssentials
import Glibc

/// How to reach the broker: the settings of the processes, by their names.
struct BrokerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The broker; otherwise ROLLCALL_AMQP_URL or ROLLCALL_AMQP_URL_FILE, otherwise that of make run in this "
                + "folder, otherwise \(BrokerConvention.defaultURL).", valueName: "urls"))
    var amqpURL: String?

    @Option(help: ArgumentHelp("A file whose first line is the broker's URL.", valueName: "path"))
    var amqpURLFile: String?

    @Option(help: ArgumentHelp("Certificates (PEM) for amqps://; otherwise ROLLCALL_AMQP_CA_FILE.", valueName: "path"))
    var amqpCAFile: String?

    /// Which broker it is: its address without user and password, and what says so.
    struct Place: Sendable, Hashable {
        let urls: [String]
        let source: String

        var description: String { urls.map(Self.address).joined(separator: ", ") + ", \(source)" }

        private static func address(_ url: String) -> String {
            // As BrokerURL takes a URL apart: a password may hold anything that is not a slash.
            let authority = url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" }
            return String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
        }
    }

    /// One connection, in the broker's list under the name of the command.
    func configuration(
        _ place: Place, _ environment: [String: String], name: String
    ) throws -> ConnectionConfiguration {
        let urls = place.urls
        var configuration = ConnectionConfiguration(urls: urls, name: name)
        if urls.contains(where: { $0.hasPrefix("amqps://") }) {
            let file =
                amqpCAFile ?? Self.given("ROLLCALL_AMQP_CA_FILE", environment) ?? BrokerConvention.systemCertificates
            configuration.tls = ConnectionConfiguration.TLS(caFile: file)
        }
        return configuration
    }

    /// The first of the arguments and the environment that says anything, otherwise the broker of `make run` in `folder`.
    /// Two at one place is an error, as it is with the processes: which one is meant?
    func place(_ environment: [String: String], folder: String) throws -> Place {
        if let given = try given(environment) { return given }
        if let local = LocalBroker.find(from: folder) {
            return Place(urls: [local.url], source: "which a run in \(local.folder) has started")
        }
        return Place(urls: [BrokerConvention.defaultURL], source: "the usual address")
    }

    private func given(_ environment: [String: String]) throws -> Place? {
        let sources = [
            (amqpURL, amqpURLFile, "--amqp-url", "--amqp-url-file"),
            (
                Self.given("ROLLCALL_AMQP_URL", environment), Self.given("ROLLCALL_AMQP_URL_FILE", environment),
                "ROLLCALL_AMQP_URL", "ROLLCALL_AMQP_URL_FILE"
            ),
        ]
        for (url, file, name, fileName) in sources {
            if url != nil, file != nil {
                throw CommandFailure(.usage, "\(name) and \(fileName) are both given; give one of them")
            }
            if let url { return Place(urls: Self.urls(url), source: "of \(name)") }
            if let file { return Place(urls: Self.urls(try SecretFile.firstLine(of: file)), source: "of \(fileName)") }
        }
        return nil
    }

    private static func urls(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }

    private static func given(_ name: String, _ environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Which deployment at the broker.
struct NamespaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Prefix of every queue name; otherwise ROLLCALL_NAMESPACE, otherwise rollcall.", valueName: "text"))
    var namespace: String?

    func value(_ environment: [String: String]) throws -> String {
        let text =
            namespace ?? environment["ROLLCALL_NAMESPACE"].flatMap { $0.isEmpty ? nil : $0 }
            ?? BrokerConvention.defaultNamespace
        guard BrokerConvention.isNamespace(text) else {
            throw CommandFailure(.usage, "the namespace is \(BrokerConvention.allowedNamespace)")
        }
        return text
    }
}
