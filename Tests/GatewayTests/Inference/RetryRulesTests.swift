import Catalog
import HTTPTypes
import Testing

@testable import Gateway

@Suite struct RetryRulesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let event: RetryRules.Event
        var mayRepeat = true
        var progress = RetryRules.Progress()
        /// "pass", a code, "same, else <code>", "next, else pass", or "next, else <code>".
        let next: String
        let result: AnswerResult
        var pollsNow = false
        var isSilence = false
    }

    private static func answer(
        _ status: Int, retryAfter: String? = nil, _ body: String = "", sentWhole: Bool = true
    ) -> RetryRules.Event {
        .answered(
            RetryRules.Answer(status: status, retryAfter: retryAfter, body: Array(body.utf8), sentWhole: sentWhole))
    }

    private static let third = RetryRules.Progress(endpoints: 3)
    private static let silentBefore = RetryRules.Progress(endpoints: 2, silences: 1)
    private static let silent = "502 upstream_unreachable"

    /// Nothing of an answer came.
    static let failures = [
        Row(
            testDescription: "no connection", event: .unreachable, mayRepeat: false,
            next: "next, else 502 upstream_unreachable", result: .unreachable),
        Row(
            testDescription: "no connection to the third", event: .unreachable, progress: third,
            next: "502 upstream_unreachable", result: .unreachable),
        Row(
            testDescription: "a key that cannot be unsealed", event: .unusableKey,
            next: "next, else 502 upstream_unreachable", result: .failed),
        Row(
            testDescription: "silence", event: .closed(sentWhole: true, isReused: false), next: "next, else \(silent)",
            result: .failed, isSilence: true),
        Row(
            testDescription: "silence of the third", event: .closed(sentWhole: true, isReused: false), progress: third,
            next: silent, result: .failed, isSilence: true),
        Row(
            testDescription: "silence for the second time", event: .closed(sentWhole: true, isReused: false),
            progress: silentBefore, next: silent, result: .failed, isSilence: true),
        Row(
            testDescription: "silence, and the path takes minutes", event: .closed(sentWhole: true, isReused: false),
            mayRepeat: false, next: silent, result: .failed, isSilence: true),
        Row(
            testDescription: "silence of a kept connection", event: .closed(sentWhole: true, isReused: true),
            next: "same, else \(silent)", result: .unknown, isSilence: true),
        Row(
            testDescription: "silence of a kept connection of the third",
            event: .closed(sentWhole: true, isReused: true), progress: third, next: "same, else \(silent)",
            result: .unknown, isSilence: true),
        Row(
            testDescription: "silence of a kept connection after another silence",
            event: .closed(sentWhole: true, isReused: true), progress: silentBefore, next: silent, result: .unknown,
            isSilence: true),
        Row(
            testDescription: "silence of a kept connection, and the path takes minutes",
            event: .closed(sentWhole: true, isReused: true), mayRepeat: false, next: silent, result: .unknown,
            isSilence: true),
        Row(
            testDescription: "closed before the request's end", event: .closed(sentWhole: false, isReused: false),
            mayRepeat: false, next: "next, else \(silent)", result: .failed),
        Row(
            testDescription: "a kept connection closed before the request's end",
            event: .closed(sentWhole: false, isReused: true), mayRepeat: false, progress: silentBefore,
            next: "same, else \(silent)", result: .unknown),
        Row(testDescription: "no HTTP", event: .malformed, next: "502 upstream_invalid", result: .failed),
        Row(
            testDescription: "deadline", event: .deadline(waited: .seconds(10)), next: "504 upstream_timeout",
            result: .failed),
        Row(
            testDescription: "deadline after a long time in the queue", event: .deadline(waited: .seconds(9)),
            next: "504 upstream_timeout", result: .unknown),
    ]

    static let answers = [
        Row(testDescription: "200", event: answer(200), next: "pass", result: .succeeded),
        Row(testDescription: "204", event: answer(204), next: "pass", result: .succeeded),
        Row(
            testDescription: "200 before the request's end", event: answer(200, sentWhole: false), next: "pass",
            result: .succeeded),
        Row(testDescription: "101", event: answer(101), next: "502 upstream_invalid", result: .failed),
        Row(testDescription: "000", event: answer(0), next: "502 upstream_invalid", result: .failed),
        Row(testDescription: "600", event: answer(600), next: "502 upstream_invalid", result: .failed),
        Row(testDescription: "300", event: answer(300), next: "502 upstream_redirect", result: .failed),
        Row(testDescription: "307", event: answer(307), next: "502 upstream_redirect", result: .failed),
        Row(testDescription: "400", event: answer(400, "the model"), next: "pass", result: .refused),
        Row(testDescription: "413", event: answer(413, sentWhole: false), next: "pass", result: .refused),
        Row(testDescription: "401", event: answer(401), next: "next, else 502 upstream_unauthorized", result: .failed),
        Row(testDescription: "403", event: answer(403), next: "next, else 502 upstream_unauthorized", result: .failed),
        Row(
            testDescription: "401 of the third", event: answer(401), progress: third, next: "502 upstream_unauthorized",
            result: .failed),
        Row(
            testDescription: "401 before the request's end", event: answer(401, sentWhole: false), next: "pass",
            result: .failed),
        Row(
            testDescription: "404 of the path", event: answer(404, #"{"detail":"Not Found"}"#), next: "pass",
            result: .refused),
        Row(
            testDescription: "404 of a response", event: answer(404, #"{"error":"Response 'r' not found"}"#),
            next: "pass", result: .refused),
        Row(
            testDescription: "404 of a model", event: answer(404, #"{"error":"Model 'x' not found"}"#),
            next: "next, else pass", result: .refused, pollsNow: true),
        Row(
            testDescription: "404 with the model's id", event: answer(404, "unknown: Acme/Tiny:7B"),
            next: "next, else pass", result: .refused, pollsNow: true),
        Row(
            testDescription: "404 of a model from the third", event: answer(404, "model"), progress: third,
            next: "pass", result: .refused, pollsNow: true),
        Row(
            testDescription: "409", event: answer(409), next: "next, else pass", result: .refused, pollsNow: true),
        Row(
            testDescription: "429", event: answer(429, retryAfter: "7"), mayRepeat: false, next: "next, else pass",
            result: .full(.seconds(7))),
        Row(
            testDescription: "429 of the third", event: answer(429), progress: third, next: "pass",
            result: .full(.seconds(1))),
        Row(testDescription: "500", event: answer(500), next: "pass", result: .failed),
        Row(testDescription: "501", event: answer(501), next: "pass", result: .failed),
        Row(testDescription: "502", event: answer(502), mayRepeat: false, next: "next, else pass", result: .failed),
        Row(testDescription: "503", event: answer(503), mayRepeat: false, next: "next, else pass", result: .failed),
        Row(testDescription: "503 of the third", event: answer(503), progress: third, next: "pass", result: .failed),
        Row(testDescription: "504", event: answer(504), next: "next, else pass", result: .failed),
        Row(
            testDescription: "504, and the path takes minutes", event: answer(504), mayRepeat: false, next: "pass",
            result: .failed),
        Row(testDescription: "507", event: answer(507), next: "pass", result: .failed),
    ]

    @Test(arguments: failures + answers) func rows(_ row: Row) {
        let request = RetryRules.Request(model: "acme/tiny:7b", mayRepeatAfterSilence: row.mayRepeat)
        let decision = RetryRules.decide(row.event, request, row.progress)
        #expect(Self.text(decision.next) == row.next)
        #expect(decision.result == row.result)
        #expect(decision.pollsNow == row.pollsNow && decision.isSilence == row.isSilence)
        #expect(decision.reportsSuspect == (row.event == .unreachable))
    }

    private static func text(_ next: RetryDecision.Next) -> String {
        switch next {
        case .passOn: "pass"
        case .fail(let failure): text(failure)
        case .sameEndpoint(let failure): "same, else \(text(failure))"
        case .another(.passOn): "next, else pass"
        case .another(.fail(let failure)): "next, else \(text(failure))"
        }
    }

    private static func text(_ failure: HTTPFailure) -> String { "\(failure.status.code) \(failure.error.code)" }

    @Test(
        arguments: [
            (nil, 1000), ("", 1000), ("0", 0), ("0.25", 250), ("30", 30_000), ("31", 30_000), ("1e300", 30_000),
            ("inf", 30_000),
            ("nan", 1000), ("-1", 1000), ("Wed, 21 Oct 2015 07:28:00 GMT", 1000),
        ] as [(String?, Int64)])
    func retryAfter(text: String?, milliseconds: Int64) {
        #expect(RetryRules.retryAfter(text) == .milliseconds(milliseconds))
    }

    /// A request that kills whatever gets it reaches two endpoints at most, however the connections were.
    @Test(arguments: [[false, false], [true, false], [false, true], [true, true]])
    func aKillerReachesTwoEndpointsAtMost(kept: [Bool]) {
        let request = RetryRules.Request(model: "m", mayRepeatAfterSilence: true)
        var progress = RetryRules.Progress()
        var sent = 0
        attempts: for isReused in kept + [false, false] {
            sent += 1
            let decision = RetryRules.decide(.closed(sentWhole: true, isReused: isReused), request, progress)
            if decision.isSilence { progress.silences += 1 }
            switch decision.next {
            case .another: progress.endpoints += 1
            case .sameEndpoint: continue
            case .fail, .passOn: break attempts
            }
        }
        #expect(sent == 2 && progress.endpoints <= 2)
    }

    /// What is far behind in a body, or long, costs nothing.
    @Test func onlyTheBeginningOfABodyIsRead() {
        #expect(RetryRules.needsBody(404) && !RetryRules.needsBody(500))
        let late = String(repeating: " ", count: RetryRules.prefixBytes) + "model"
        let request = RetryRules.Request(model: String(repeating: "x", count: 5000), mayRepeatAfterSilence: true)
        #expect(!RetryRules.decide(Self.answer(404, late), request, RetryRules.Progress()).pollsNow)
        let nameless = RetryRules.Request(model: "", mayRepeatAfterSilence: true)
        #expect(!RetryRules.decide(Self.answer(404, "x"), nameless, RetryRules.Progress()).pollsNow)
    }
}
