import Catalog
import Testing

@Suite struct QuotedTextTests {
    @Test func whatChangesTheRestIsNotShown() {
        #expect(QuotedText.of("a/b:7b caf\u{E9}") == "\"a/b:7b caf\u{E9}\"")
        #expect(QuotedText.of("a\u{0}\n\u{202E}\u{200B}\u{2028}\u{E000}b") == "\"a??????b\"")
        #expect(
            QuotedText.plain(String(repeating: "x", count: 90), atMost: 80) == String(repeating: "x", count: 80) + "…")
        #expect(QuotedText.plain("abc", atMost: 3) == "abc")
    }
}
