import ArgumentParser
import Curl
import Testing

@testable import CommandLineClient

@Suite("What is printed")
struct TextTests {
    @Test("Columns are as wide as their widest cell, numbers are on the right, and nothing trails")
    func table() {
        var table = Table(["NAME", ">SIZE", "NOTE"])
        table.add(["a", "4.4 GiB", nil])
        table.add(["longer", nil, "x"])
        table.add(["b", "1 B", ""])
        #expect(
            table.text == """
                NAME       SIZE  NOTE
                a       4.4 GiB  -
                longer        -  x
                b           1 B

                """)
        var fields = FieldList()
        fields.add("name", "a")
        fields.add("size in all", nil)
        #expect(fields.text == "name         a\nsize in all  -\n")
    }

    @Test(
        "Sizes in binary units",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_188, "9.9 KiB"), (10_189, "10 KiB"),
            (1_048_064, "1.0 MiB"), (4_683_074_240, "4.4 GiB"), (47_144_846_024, "44 GiB"),
            (5_000_000_000_000_000, "4547 TiB"),
        ])
    func bytes(count: Int64, text: String) {
        #expect(HumanText.bytes(count) == text)
    }

    @Test("Parameters as they are spoken of, and what is not known")
    func numbers() {
        #expect(HumanText.parameters(999_885_952) == "1.0B")
        #expect(HumanText.parameters(23_572_403_200) == "24B")
        #expect(HumanText.parameters(124_000_000) == "124M")
        #expect(HumanText.parameters(12) == "12")
        #expect(HumanText.bytes(nil) == nil && HumanText.bytes(-1) == nil && HumanText.parameters(nil) == nil)
    }

    @Test("A model's name cannot steer the terminal")
    func control() {
        #expect(HumanText.clean("a\u{1B}[2Jb\nc\u{202E}d") == "a?[2Jb?c?d")
        #expect(HumanText.clean("Größe 大") == "Größe 大")
        var table = Table(["ID"])
        table.add(["x\u{7}"])
        #expect(table.text == "ID\nx?\n")
        #expect(!CommandFailure(.failure, "a\u{1B}[2J").description.contains("\u{1B}"))
    }

    @Test(
        "Statuses and their exit codes",
        arguments: [
            (400, 65), (413, 65), (422, 65), (401, 77), (403, 77), (404, 66), (409, 73), (429, 75), (503, 75),
            (504, 75), (500, 1), (502, 1), (405, 1), (302, 1),
        ] as [(Int, Int32)])
    func statuses(status: Int, code: Int32) {
        #expect(ExitReason(status: status).rawValue == code)
        #expect(code == 1 || ExitReason.help.contains("\(status)"))
    }

    @Test(
        "Operations' errors and their exit codes",
        arguments: [
            ("invalid_request_error", 65), ("authentication_error", 77), ("permission_error", 77),
            ("not_found_error", 66), ("conflict_error", 73), ("rate_limit_error", 75), ("service_unavailable", 75),
            ("upstream_error", 1), ("", 1),
        ] as [(String, Int32)])
    func types(type: String, code: Int32) {
        #expect(ExitReason(errorType: type).rawValue == code)
    }

    @Test("Failed transfers and their exit codes, each of them in the help")
    func transfers() {
        for code in [HTTPError.Code.resolve, .connect, .connectTimeout, .tls, .reset, .truncated] {
            #expect(ExitReason(code) == .unreachable)
        }
        #expect(
            ExitReason(.timeout) == .tryAgain && ExitReason(.invalidURL) == .usage && ExitReason(.other) == .failure)
        for status in ExitReason.allCases { #expect(ExitReason.help.contains("\(status.rawValue)  ")) }
        #expect(Rollcall.helpMessage().contains("69  no gateway could be reached"))
    }
}
