import AMQP
import Launch
import Logging
import Testing

@testable import Launch

private typealias Plan = LaunchPlan<SampleProcess>

private func run(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> (
    process: SampleProcess, settings: ProcessSettings, common: CommonSettings
) {
    guard case .run(let process, let settings, let common) = Plan(arguments: arguments, environment: environment) else {
        throw Unexpected(plan: "\(Plan(arguments: arguments, environment: environment))")
    }
    return (process, settings, common)
}

private func refusal(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> (
    code: Int32, line: String
) {
    guard case .refuse(let code, let line) = Plan(arguments: arguments, environment: environment) else {
        throw Unexpected(plan: "\(Plan(arguments: arguments, environment: environment))")
    }
    return (code, line)
}

private func printed(_ arguments: [String], _ environment: [String: String] = [:]) throws -> String {
    guard case .print(let text) = Plan(arguments: arguments, environment: environment) else {
        throw Unexpected(plan: "\(Plan(arguments: arguments, environment: environment))")
    }
    return text
}

private struct Unexpected: Error { let plan: String }

@Suite("Where values come from")
struct PrecedenceTests {
    @Test("Nothing given: the defaults")
    func defaults() throws {
        let (process, _, common) = try run()
        #expect(process.port == 8400)
        #expect(process.isAnonymous == false)
        #expect(process.interval == .seconds(10))
        #expect(process.adminKey == nil)
        #expect(common.amqpURLs == ["amqp://guest:guest@127.0.0.1:5672/"])
        #expect(common.namespace == "rollcall")
        #expect(common.logger.logLevel == .info)
    }

    @Test("Argument over environment over file over default", arguments: ["yaml", "json"])
    func precedence(format: String) throws {
        let text =
            format == "yaml"
            ? "port: 1\npoll_interval: 1.5\nnamespace: from-file\n"
            : #"{"port": 1, "poll_interval": 1.5, "namespace": "from-file"}"#
        try withFile(text, named: "rollcall.\(format)") { path in
            let environment = ["ROLLCALL_PORT": "2", "ROLLCALL_POLL_INTERVAL": "2.5"]
            let (process, settings, common) = try run(["--config", path, "--port=3"], environment)
            #expect(process.port == 3)
            #expect(process.interval == .milliseconds(2500))
            #expect(common.namespace == "from-file")
            #expect(settings.unknownNames.isEmpty)
            #expect(try run([], ["ROLLCALL_CONFIG": path]).process.port == 1)
        }
    }

    @Test("An empty value counts as not given")
    func empty() throws {
        #expect(try run(["--port="], ["ROLLCALL_PORT": ""]).process.port == 8400)
    }

    @Test("Values with commas and YAML lists are one value")
    func lists() throws {
        let both = "a=http://h:1,b=http://h:2"
        #expect(try run(["--endpoints", both]).process.endpoints == both)
        #expect(try run([], ["ROLLCALL_ENDPOINTS": both]).process.endpoints == both)
        try withFile("endpoints:\n  - a=http://h:1\n  - b=http://h:2\n") { path in
            let process = try run(["--config", path]).process
            #expect(process.endpoints == both)
        }
    }

    @Test("A value may contain = and begin with a dash")
    func oddValues() throws {
        #expect(try run(["--admin-key=a=b"]).process.adminKey == "a=b")
        #expect(try run(["--admin-key", "-x"]).process.adminKey == "-x")
    }

    @Test(
        "A flag may stand alone",
        arguments: [["--allow-anonymous"], ["--allow-anonymous", "true"], ["--allow-anonymous=yes"]])
    func flags(arguments: [String]) throws {
        #expect(try run(arguments + ["--port", "1"]).process.isAnonymous == true)
    }

    @Test("A secret may be the first line of a file, and comes from one place only")
    func secretFile() throws {
        try withFile("  hush \nsecond line\n") { path in
            #expect(try run([], ["ROLLCALL_ADMIN_KEY_FILE": path]).process.adminKey == "hush")
            #expect(try run(["--admin-key-file", path]).process.adminKey == "hush")
            let (code, line) = try refusal(["--admin-key", "loud"], ["ROLLCALL_ADMIN_KEY_FILE": path])
            #expect(code == 78)
            #expect(line.contains("ROLLCALL_ADMIN_KEY: given twice"))
            #expect(!line.contains("loud") && !line.contains("hush"))
        }
        #expect(try refusal([], ["ROLLCALL_ADMIN_KEY_FILE": "/nowhere/key"]).code == 78)
        try withFile("\n \n") { path in
            let code = try refusal([], ["ROLLCALL_ADMIN_KEY_FILE": path]).code
            #expect(code == 78)
        }
    }
}

@Suite("What is refused")
struct RefusalTests {
    @Test(
        "Wrong arguments end with 64 and name the nearest",
        arguments: [
            (["--prot", "1"], "unknown argument --prot; did you mean --port?"),
            (["--alow-anonymous"], "did you mean --allow-anonymous?"),
            (["--chek-config"], "did you mean --check-config?"),
            (["--entirely-something-else"], "unknown argument --entirely-something-else ("),
            (["serve"], "unexpected argument \"serve\""),
            (["--port"], "--port needs a value (integer)"),
            (["--port", "--check-config"], "--port needs a value (integer)"),
            (["--port", "1", "--port=2"], "--port is given twice"),
        ])
    func usage(arguments: [String], expected: String) throws {
        let (code, line) = try refusal(arguments)
        #expect(code == 64)
        #expect(line.contains(expected))
        #expect(!line.contains("\n"))
    }

    @Test(
        "Wrong values end with 78 and say key, value, and what it may be",
        arguments: [
            ("ROLLCALL_PORT", "abc", "ROLLCALL_PORT: \"abc\" is not valid; it may be an integer from 1 to 65535"),
            ("ROLLCALL_PORT", "70000", "\"70000\" is not valid; it may be an integer from 1 to 65535"),
            ("ROLLCALL_PORT", "1\n2", "\"1 2\""),
            ("ROLLCALL_POLL_INTERVAL", "nan", "a number of seconds from 0.1 to 3600.0"),
            ("ROLLCALL_ALLOW_ANONYMOUS", "maybe", "true or false"),
            ("ROLLCALL_NAMESPACE", "Caps", "1 to 40 of a-z"),
            ("ROLLCALL_NAMESPACE", String(repeating: "a", count: 41), "1 to 40 of a-z"),
            ("ROLLCALL_LOG_LEVEL", "loud", "trace, debug, info, notice, warning, error, critical"),
            ("ROLLCALL_LOG_FORMAT", "xml", "text, json"),
            ("ROLLCALL_AMQP_CA_FILE", "/nowhere/ca.pem", "the path of a readable file"),
            ("ROLLCALL_CONFIG", "/nowhere/rollcall.yaml", "cannot read /nowhere/rollcall.yaml"),
        ])
    func values(name: String, value: String, expected: String) throws {
        let (code, line) = try refusal([], [name: value])
        #expect(code == 78)
        #expect(line.hasPrefix("\(name): "))
        #expect(line.contains(expected))
        #expect(!line.contains("\n"))
    }

    @Test(
        "A broker's URL that is none is refused without being shown",
        arguments: [
            "http://u:pa55word@h", "amqp://", "amqp://u:pa55word@", "amqp://u:pa55word@h:0/", "amqp://u:pa55word@h:x",
            "amqp://ok,u:pa55word@h", ",",
        ])
    func brokerURLs(url: String) throws {
        let (code, line) = try refusal([], ["ROLLCALL_AMQP_URL": url])
        #expect(code == 78)
        #expect(line == "ROLLCALL_AMQP_URL: the value given is not valid; it may be \(BrokerURL.allowed)")
    }

    @Test(
        "A file that is no mapping is refused on one line that quotes nothing of it",
        arguments: [
            "admin_key: [pa55word\n", "pa55word", "admin_key: 'pa55word\n", "port: {deep: [[1]]}", "",
        ])
    func files(text: String) throws {
        try withFile(text) { path in
            let (code, line) = try refusal(["--config", path])
            #expect(code == 78)
            #expect(!line.contains("\n") && !line.contains("pa55word"))
        }
    }

    @Test("Names that nobody reads are noted with the nearest; names of other processes are not")
    func unknownNames() throws {
        try withFile("prot: 1\nport: 5\ndatabase_url: sqlite:x\nhf_endpoint: https://hub.example\nhf_token: x\n") {
            path in
            let environment = [
                "ROLLCALL_LOGLEVEL": "debug", "ROLLCALL_DATABASE_URL": "sqlite:x", "ROLLCALL_TEST_ANYTHING": "1",
                "ROLLCALL_ADMIN_KEY_FIEL": "x", "HOME": "/",
            ]
            let settings = try run(["--config", path], environment).settings
            #expect(
                settings.unknownNames == [
                    .init(name: "ROLLCALL_ADMIN_KEY_FIEL", source: "environment", nearest: "ROLLCALL_ADMIN_KEY_FILE"),
                    .init(name: "ROLLCALL_LOGLEVEL", source: "environment", nearest: "ROLLCALL_LOG_LEVEL"),
                    .init(name: "prot", source: "file", nearest: "port"),
                ])
        }
    }
}

@Suite("Authorities of endpoints")
struct EndpointAuthoritiesTests {
    private func file(_ path: String) throws -> String? {
        try EndpointAuthorities.file(ProcessSettings(environment: ["ROLLCALL_ENDPOINT_CA_FILE": path]))
    }

    @Test("A file with certificates is taken, any other refused by name")
    func file() throws {
        #expect(try file("") == nil)
        try withFile("Acme\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n") { path in
            let given = try file(path)
            #expect(given == path)
        }
        for (text, reason) in [("-----BEGIN PRIVATE KEY-----\n", "with certificates (PEM)"), ("", "with certificates")]
        {
            try withFile(text) { path in
                let error = #expect(throws: SettingError.self) { try file(path) }
                #expect(error?.description.hasPrefix("ROLLCALL_ENDPOINT_CA_FILE: ") == true)
                #expect(error?.description.contains(reason) == true)
            }
        }
        let error = #expect(throws: SettingError.self) { try file("/nowhere/ca.pem") }
        #expect(error?.description.contains("\"/nowhere/ca.pem\" is not valid") == true)
    }
}

@Suite("What is printed")
struct PrintedTests {
    @Test("The help has every setting with type, default, and meaning")
    func help() throws {
        let text = try printed(["--help", "--nonsense"])
        for setting in SampleProcess.settings + CommonSettings.settings {
            #expect(text.contains("\(setting.argument) "))
            #expect(text.contains(setting.name))
            #expect(text.contains(setting.meaning))
        }
        #expect(text.contains("--port <integer>\n      Port to listen on.\n      [ROLLCALL_PORT; default 8400]"))
        #expect(text.contains("[ROLLCALL_ADMIN_KEY; secret]"))
        #expect(text.contains("--admin-key-file <path>"))
        #expect(text.hasPrefix("A process of the tests.\n"))
    }

    @Test("The version")
    func version() throws { #expect(try printed(["--version"]) == "rollcall-sample 0.1.0\n") }

    @Test("--check-config shows what is in effect and no secret")
    func checkConfig() throws {
        let text = try printed(
            ["--check-config", "--port", "99"],
            [
                "ROLLCALL_AMQP_URL": "amqp://me:pa55word@one:5672/v,amqps://two", "ROLLCALL_ADMIN_KEY": "hush",
                "ROLLCALL_PROT": "1", "ROLLCALL_AMQP_CA_FILE": "/dev/null",
            ])
        #expect(text.hasPrefix("configuration ok\n"))
        #expect(text.contains("\nROLLCALL_PORT=99\n"))
        #expect(text.contains("\nROLLCALL_POLL_INTERVAL=10\n"))
        #expect(text.contains("\nROLLCALL_ADMIN_KEY=(set)\n"))
        #expect(text.contains("\nROLLCALL_SECRET_KEY=(not set)\n"))
        #expect(text.contains("\nROLLCALL_AMQP_URL=amqp://me:***@one:5672/v,amqps://two\n"))
        #expect(text.contains("warning: ROLLCALL_PROT in the environment is unknown; did you mean ROLLCALL_PORT?"))
        #expect(!text.contains("pa55word") && !text.contains("hush"))
        #expect(try refusal(["--check-config", "--port", "0"]).code == 78)
    }

    @Test(
        "Passwords in URLs are replaced",
        arguments: [
            ("amqp://u:p@h/v", "amqp://u:***@h/v"), ("amqp://h/v", "amqp://h/v"), ("amqps://u@h", "amqps://u@h"),
            ("amqp://u:p/q@r@h:1/", "amqp://u:***@h:1/"), ("amqp://u:p:q@h", "amqp://u:***@h"),
        ])
    func redaction(url: String, shown: String) { #expect(BrokerURL.redacted(url) == shown) }
}

@Suite("Connections")
struct ConnectionTests {
    @Test("Two connections are told apart by name; TLS has a CA file")
    func connection() throws {
        let common = try run([], ["ROLLCALL_AMQP_URL": "amqps://h", "ROLLCALL_AMQP_CA_FILE": "/dev/null"]).common
        let publish = common.connection(role: "sample", use: "publish", heartbeat: .seconds(5))
        #expect(publish.name.hasPrefix("sample@") && publish.name.hasSuffix(" publish"))
        #expect(publish.heartbeat == .seconds(5))
        #expect(publish.urls == ["amqps://h"])
        #expect(publish.tls?.caFile == "/dev/null")
        let plain = try run().common.connection(role: "sample", use: "consume", heartbeat: .seconds(1))
        #expect(plain.tls == nil)
    }
}
