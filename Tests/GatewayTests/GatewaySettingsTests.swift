import Launch
import Testing

@testable import Gateway

@Suite struct GatewaySettingsTests {
    private func settings(_ environment: [String: String]) throws -> GatewaySettings {
        try GatewaySettings(ProcessSettings(environment: environment))
    }

    @Test func defaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "127.0.0.1" && settings.port == 8400 && settings.adminKey == nil)
        #expect(!settings.allowsAnonymous)
    }

    @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
    func openOnLoopback(host: String) throws {
        #expect(try settings(["ROLLCALL_HOST": host]).adminKey == nil)
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.1.5", "gateway.example.org"])
    func elsewhereOnlyWithAKeyOrLeave(host: String) throws {
        #expect(throws: SettingError.self) { try settings(["ROLLCALL_HOST": host]) }
        #expect(try settings(["ROLLCALL_HOST": host, "ROLLCALL_ADMIN_KEY": "long-enough"]).adminKey == "long-enough")
        #expect(try settings(["ROLLCALL_HOST": host, "ROLLCALL_ALLOW_ANONYMOUS": "true"]).allowsAnonymous)
    }

    @Test func wrongValuesNameTheSettingAndNeverTheKey() throws {
        for (name, value) in [
            ("ROLLCALL_PORT", "65536"), ("ROLLCALL_PORT", "x"), ("ROLLCALL_ALLOW_ANONYMOUS", "maybe"),
            ("ROLLCALL_ADMIN_KEY", "short"), ("ROLLCALL_ADMIN_KEY", "with a space"),
        ] {
            let error = try #require(throws: SettingError.self) { try settings([name: value]) }
            #expect(error.description.hasPrefix(name))
            if name == "ROLLCALL_ADMIN_KEY" { #expect(!error.description.contains(value)) }
        }
    }
}
