import Testing

@testable import Registrar

@Suite struct RegistryDecisionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var stream: StreamView
        var adopt = false
        var decision: RegistryDecision
    }

    static let store = RegistryState(uuid: "mine", incarnation: 3, revision: 20, announced: 18)

    static func view(
        current: Bool = true, complete: Bool = true, registry: String? = "mine", incarnation: Int64? = 3,
        highest: Int64 = 20, new: Bool = false
    ) -> StreamView {
        StreamView(
            isCurrent: current, isComplete: complete, registry: registry, incarnation: incarnation,
            highestRevision: highest, isNew: new)
    }

    @Test(arguments: [
        Case(testDescription: "in step", stream: view(), decision: .proceed),
        Case(testDescription: "the stream is behind", stream: view(incarnation: 2, highest: 4), decision: .proceed),
        Case(testDescription: "not read to its end", stream: view(current: false), decision: .wait),
        Case(
            testDescription: "another's, not read to its end", stream: view(current: false, registry: "other"),
            decision: .wait),
        Case(testDescription: "another's", stream: view(registry: "other"), decision: .refuse(registry: "other")),
        Case(
            testDescription: "another's that is ahead", stream: view(registry: "other", highest: 99),
            decision: .refuse(registry: "other")),
        Case(
            testDescription: "another's, to be adopted", stream: view(registry: "other", incarnation: 7, highest: 5),
            adopt: true, decision: .restamp(above: 5, incarnation: 7)),
        Case(testDescription: "our own, to be adopted", stream: view(), adopt: true, decision: .proceed),
        Case(
            testDescription: "no checkpoint",
            stream: view(complete: false, registry: nil, incarnation: nil, highest: 0),
            decision: .beginIncarnation),
        Case(
            testDescription: "no checkpoint, but later records",
            stream: view(complete: false, registry: nil, incarnation: nil, highest: 21),
            decision: .restamp(above: 21, incarnation: 0)),
        Case(
            testDescription: "made anew, while what was on it before is held", stream: view(complete: false, new: true),
            decision: .beginIncarnation),
        Case(testDescription: "records missing", stream: view(complete: false), decision: .announceEverything),
        Case(
            testDescription: "an older copy of the database", stream: view(highest: 21),
            decision: .restamp(above: 21, incarnation: 3)),
        Case(
            testDescription: "an older copy, of an earlier incarnation", stream: view(incarnation: 4, highest: 20),
            decision: .restamp(above: 20, incarnation: 4)),
    ])
    func decisions(_ example: Case) {
        #expect(
            RegistryDecision(stream: example.stream, store: Self.store, adopt: example.adopt) == example.decision)
    }
}
