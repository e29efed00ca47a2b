import FoundationEssentials
import Testing

@testable import Catalog

@Suite struct JSONTextTests {
    @Test(arguments: [
        ("", "\"\""), ("a/b", "\"a/b\""), ("\"\\", #""\"\\""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
        ("\u{0}\u{1}\u{1F}\u{7F}", "\"\\u0000\\u0001\\u001f\u{7F}\""), ("e\u{301}\u{1F600}", "\"e\u{301}\u{1F600}\""),
    ])
    func escapesOnlyWhatMustBe(text: String, expected: String) throws {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        #expect(bytes == Array(expected.utf8))
        let read = try JSONDecoder().decode(String.self, from: Data(bytes))
        #expect(Array(read.utf8) == Array(text.utf8))
    }
}
