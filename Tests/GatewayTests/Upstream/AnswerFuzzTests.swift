import Foundation
import NIOCore
import Testing

@testable import Gateway

/// Nearly right answers, cut anywhere.
@Suite struct AnswerFuzzTests {
    @Test func findsWhatNIOFinds() throws {
        var mutator = AnswerMutator(seed: 2026)
        var differences: Set<DeliberateDifference> = []
        for number in 0..<Self.count {
            let bytes = mutator.next()
            let isHeadRequest = mutator.pick(16) == 0
            let ours = OurAnswer.decode(mutator.cut(bytes), isHeadRequest: isHeadRequest)
            let reference = try ReferenceAnswer.decode(bytes, isHeadRequest: isHeadRequest)
            if ours.answer == reference { continue }
            let difference = DeliberateDifference.between(ours, reference, of: bytes)
            try #require(difference != nil, "Answer \(number) \(Self.quoted(bytes)): \(ours), but NIO: \(reference)")
            if let difference { differences.insert(difference) }
        }
        if Self.count >= 20_000 { #expect(differences == Set(DeliberateDifference.allCases)) }
    }

    /// However the bytes are cut, the client has the same payload and the same end: all of it, or in an event stream
    /// all whole events.
    @Test func passesTheSameHoweverItIsCut() throws {
        var mutator = AnswerMutator(seed: 7)
        for number in 0..<Self.count {
            let bytes = mutator.next()
            let isHeadRequest = mutator.pick(16) == 0
            let whole = OurAnswer.decode([ByteBuffer(bytes: bytes)], isHeadRequest: isHeadRequest)
            let passed = PassedAnswer.pass(
                reads: mutator.cut(bytes), isHeadRequest: isHeadRequest, clientMinorVersion: mutator.pick(2))
            let fault = Self.check(passed, against: whole)
            try #require(fault == nil, "Answer \(number) \(Self.quoted(bytes)): \(fault ?? ""): \(passed)")
        }
    }

    /// Returns what is wrong.
    private static func check(_ passed: PassedAnswer, against whole: OurAnswer) -> String? {
        guard whole.framing != nil else { return passed.framing == nil ? nil : "has a head" }
        let client = passed.decoded()
        let places = whole.isEventStream ? EventPlaces(whole.answer.body) : nil
        let hasEnded = whole.answer.hasEnded && places?.isComplete ?? true
        let expected = hasEnded ? whole.answer.body.count : places?.last ?? whole.answer.body.count
        if client.payload != Array(whole.answer.body.prefix(expected)) { return "payload" }
        if passed.passedPayload != expected { return "count of payload" }
        if case .ended = passed.end {
            if !hasEnded || passed.errorEvent != nil { return "ended" }
        } else if hasEnded || (passed.errorEvent != nil) != whole.isEventStream {
            return "broken"
        }
        if passed.framing != .close, client.isWhole != hasEnded { return "the client's end" }
        guard let places else { return nil }
        for size in passed.sizes {
            // The prefix that ends in an undecided CR has no place between events until the next byte.
            let payload = passed.decoded(Array(passed.bytes.prefix(size))).payload
            if !places.isBetween[payload.count], payload.count != expected { return "stands inside an event" }
        }
        return nil
    }

    private static func quoted(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }

    private static var count: Int {
        ProcessInfo.processInfo.environment["ROLLCALL_FUZZ_COUNT"].flatMap { Int($0) } ?? 20_000
    }
}
