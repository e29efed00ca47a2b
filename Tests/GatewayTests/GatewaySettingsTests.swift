import Catalog
import Launch
import Testing

@testable import Gateway

@Suite struct GatewaySettingsTests {
    private func settings(_ environment: [String: String]) throws -> GatewaySettings {
        try GatewaySettings(ProcessSettings(environment: environment))
    }

    @Test func defaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "127.0.0.1" && settings.port == 8400)
        #expect(settings.access == AccessPolicy(listensOnLoopback: true))
        #expect(settings.tls == nil)
    }

    @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
    func openOnLoopback(host: String) throws {
        #expect(try settings(["ROLLCALL_HOST": host]).access.adminKey == nil)
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.1.5", "gateway.example.org"])
    func elsewhereOnlyWithAKeyOrLeave(host: String) throws {
        #expect(throws: SettingError.self) { try settings(["ROLLCALL_HOST": host]) }
        #expect(
            try settings(["ROLLCALL_HOST": host, "ROLLCALL_ADMIN_KEY": "long-enough"]).access.adminKey == "long-enough")
        #expect(try settings(["ROLLCALL_HOST": host, "ROLLCALL_ALLOW_ANONYMOUS": "true"]).host == host)
    }

    @Test func wrongValuesNameTheSettingAndNeverTheKey() throws {
        for (name, value) in [
            ("ROLLCALL_PORT", "65536"), ("ROLLCALL_PORT", "x"), ("ROLLCALL_ALLOW_ANONYMOUS", "maybe"),
            ("ROLLCALL_ADMIN_KEY", "short"), ("ROLLCALL_ADMIN_KEY", "with a space"),
            ("ROLLCALL_TLS_CERT_FILE", "a.pem"), ("ROLLCALL_TLS_KEY_FILE", "a.pem"), ("ROLLCALL_CORS_ORIGINS", "x"),
            ("ROLLCALL_KEYS_MAX_AGE", "9"), ("ROLLCALL_KEYS_MAX_AGE", "soon"), ("ROLLCALL_ANONYMOUS_SCOPES", "models"),
        ] {
            let error = try #require(throws: SettingError.self) { try settings([name: value]) }
            #expect(error.description.hasPrefix(name))
            if name == "ROLLCALL_ADMIN_KEY" { #expect(!error.description.contains(value)) }
        }
    }

    @Test(
        arguments: [
            ("models", nil, [Scope.models]), ("models, inference,endpoints:read", nil, AccessPolicy.open),
            (nil, "true", [.models, .endpointsRead]), ("inference", "true", AccessPolicy.open), (nil, "false", []),
            ("", nil, []),
        ] as [(String?, String?, [Scope])])
    func anonymousScopesAddUp(_ listed: String?, _ allowed: String?, _ expected: [Scope]) throws {
        var environment = ["ROLLCALL_ADMIN_KEY": "long-enough"]
        environment["ROLLCALL_ANONYMOUS_SCOPES"] = listed
        environment["ROLLCALL_ALLOW_ANONYMOUS"] = allowed
        #expect(try settings(environment).access.anonymousScopes == Set(expected))
    }

    @Test(arguments: ["admin", "models,admin", "Models", "models;inference", "models,", "all"])
    func nothingElseCanBeOpened(listed: String) throws {
        let error = try #require(throws: SettingError.self) {
            try settings(["ROLLCALL_ADMIN_KEY": "long-enough", "ROLLCALL_ANONYMOUS_SCOPES": listed])
        }
        #expect(error.description.hasPrefix("ROLLCALL_ANONYMOUS_SCOPES"))
        #expect(error.description.contains("models, inference, endpoints:read"))
    }

    @Test func tlsNeedsBothFiles() throws {
        let settings = try settings(["ROLLCALL_TLS_CERT_FILE": "a.pem", "ROLLCALL_TLS_KEY_FILE": "b.pem"])
        #expect(settings.tls == .init(certificate: "a.pem", privateKey: "b.pem"))
    }

    @Test func otherSitesAreListed() throws {
        #expect(try settings(["ROLLCALL_CORS_ORIGINS": "*"]).access.cors == .all)
        #expect(
            try settings(["ROLLCALL_CORS_ORIGINS": "https://a.example, HTTP://b:8080"]).access.cors
                == .only(["https://a.example", "http://b:8080"]))
        for wrong in [
            "https://a.example/", "*,https://a", "a.example", "https://", "https://a,", "https://u@a", "null",
        ] {
            #expect(throws: SettingError.self) { try settings(["ROLLCALL_CORS_ORIGINS": wrong]) }
        }
    }

    @Test func anAddressThatOthersReachIsNotLoopback() throws {
        let settings = try settings(["ROLLCALL_HOST": "0.0.0.0", "ROLLCALL_ALLOW_ANONYMOUS": "true"])
        #expect(!settings.access.listensOnLoopback)
    }

    @Test func keysMaxAgeIsOffByDefault() throws {
        #expect(try settings(["ROLLCALL_KEYS_MAX_AGE": "90"]).access.keysMaxAge == .seconds(90))
    }
}
