import Foundation
import Logging
import Synchronization
import Testing

@testable import Launch

@Suite("Log lines")
struct LineLogHandlerTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ format: LineLogHandler.Format, level: Logger.Level = .info) -> (Logger, Lines) {
        let lines = Lines()
        let time = timespec(tv_sec: 1_763_850_997, tv_nsec: 7_000_000)
        let logger = Logger(label: "poller") {
            LineLogHandler(
                label: $0, format: format, level: level, write: { line, _ in lines.all.withLock { $0.append(line) } },
                now: { time })
        }
        return (logger, lines)
    }

    @Test("Text: time, level, label, message, values in order of their keys, always one line")
    func text() {
        let (logger, lines) = logger(.text)
        logger.warning("Poll\nfailed", metadata: ["url": "http://h/?a=b", "endpoint": "one", "reason": "two words\n"])
        #expect(
            lines.all.withLock { $0 } == [
                #"2025-11-22T22:36:37.007Z warning  poller Poll failed endpoint=one reason="two words\n" url="http://h/?a=b""#
                    + "\n"
            ])
    }

    /// Values may be strangers' words: a model's name in a request, a path.
    @Test(
        "A value cannot end its line, steer a terminal, or turn the text around",
        arguments: [LineLogHandler.Format.text, .json])
    func hiddenCharacters(format: LineLogHandler.Format) throws {
        let (logger, lines) = logger(format)
        for text in [
            "\u{7F}", "\u{85}", "\u{9B}31m", "\u{2028}", "\u{2029}", "\u{202E}", "\u{200B}", "\u{FEFF}", "\u{E0041}",
        ] {
            logger.info("Request", metadata: ["model": "a\(text)b", "plain": "ü日本"])
            let line = try #require(lines.all.withLock { $0.popLast() })
            let hidden = try #require(text.unicodeScalars.first)
            #expect(!line.unicodeScalars.contains(hidden) && line.contains(#"a\u"#) && line.contains("ü日本"), "\(line)")
        }
    }

    @Test("Empty values are left out", arguments: [LineLogHandler.Format.text, .json])
    func emptyValues(format: LineLogHandler.Format) throws {
        let (logger, lines) = logger(format)
        logger.info("Said", metadata: ["trace": "", "list": [], "nested": [:], "kept": "0"])
        let line = try #require(lines.all.withLock { $0.first })
        #expect(line.contains("kept"))
        for key in ["trace", "list", "nested"] { #expect(!line.contains(key)) }
    }

    @Test("JSON: an object a line, whatever the values hold")
    func json() throws {
        let (base, lines) = logger(.json)
        var logger = base
        logger[metadataKey: "pid"] = "7"
        logger.error("Said \"no\"\u{1}", metadata: ["list": ["a", "b"], "nested": ["k": "ü\n"], "pid": "8"])
        let line = try #require(lines.all.withLock { $0.first })
        #expect(line.hasSuffix("}\n") && !line.dropLast().contains("\n"))
        struct Line: Decodable, Equatable {
            struct Metadata: Decodable, Equatable {
                var list: [String]
                var nested: [String: String]
                var pid: String
            }
            var time: String
            var level: String
            var label: String
            var message: String
            var metadata: Metadata
        }
        #expect(
            try JSONDecoder().decode(Line.self, from: Data(line.utf8))
                == Line(
                    time: "2025-11-22T22:36:37.007Z", level: "error", label: "poller", message: "Said \"no\"\u{1}",
                    metadata: .init(list: ["a", "b"], nested: ["k": "ü\n"], pid: "8")))
    }

    @Test("Levels below the one asked for are not written")
    func level() {
        let (logger, lines) = logger(.text, level: .error)
        logger.warning("no")
        logger.error("yes")
        #expect(lines.all.withLock { $0.count } == 1)
    }
}
