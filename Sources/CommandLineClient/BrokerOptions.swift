import AMQP
import ArgumentParser
import Conventions
import FoundationEssentials
import Glibc

/// How to reach the broker: the settings of the processes, by their names.
struct BrokerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The broker; otherwise ROLLCALL_AMQP_URL or ROLLCALL_AMQP_URL_FILE, otherwise \(BrokerConvention.defaultURL).",
            valueName: "urls"))
    var amqpURL: String?

    @Option(help: ArgumentHelp("A file whose first line is the broker's URL.", valueName: "path"))
    var amqpURLFile: String?

    @Option(help: ArgumentHelp("Certificates (PEM) for amqps://; otherwise ROLLCALL_AMQP_CA_FILE.", valueName: "path"))
    var amqpCAFile: String?

    /// One connection, in the broker's list under the name of the command.
    func configuration(_ environment: [String: String]) throws -> ConnectionConfiguration {
        let urls = try text(environment).split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            .filter { !$0.isEmpty }
        var configuration = ConnectionConfiguration(urls: urls, name: "rollcall topology")
        if urls.contains(where: { $0.hasPrefix("amqps://") }) {
            let file =
                amqpCAFile ?? Self.given("ROLLCALL_AMQP_CA_FILE", environment) ?? BrokerConvention.systemCertificates
            configuration.tls = ConnectionConfiguration.TLS(caFile: file)
        }
        return configuration
    }

    /// The first of the arguments and the environment that says anything. Two at one place is an error, as it is with
    /// the processes: which one is meant?
    private func text(_ environment: [String: String]) throws -> String {
        let sources = [
            (amqpURL, amqpURLFile, "--amqp-url and --amqp-url-file"),
            (
                Self.given("ROLLCALL_AMQP_URL", environment), Self.given("ROLLCALL_AMQP_URL_FILE", environment),
                "ROLLCALL_AMQP_URL and ROLLCALL_AMQP_URL_FILE"
            ),
        ]
        for (url, file, names) in sources {
            if url != nil, file != nil { throw CommandFailure(.usage, "\(names) are both given; give one of them") }
            if let url { return url }
            if let file { return try SecretFile.firstLine(of: file) }
        }
        return BrokerConvention.defaultURL
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
