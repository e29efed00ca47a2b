import Testing

@testable import Registrar

@Suite struct RegistrarActivityTests {
    @Test("A proposal is made only when the last one has come back, or is long gone")
    func proposals() {
        let activity = RegistrarActivity()
        let now = ContinuousClock.now
        #expect(!activity.mayPropose(now: now), "not subscribed")
        activity.subscribed(DeliveryInbox())
        #expect(activity.mayPropose(now: now))
        activity.proposed("a", at: now)
        #expect(!activity.mayPropose(now: now + .seconds(4)))
        activity.delivered(ids: ["another's"])
        #expect(!activity.mayPropose(now: now + .seconds(4)))
        #expect(activity.mayPropose(now: now + .seconds(5)), "another registrar has got it")
        activity.delivered(ids: ["x", "a"])
        #expect(activity.mayPropose(now: now + .seconds(1)))
        activity.proposed("b", at: now)
        activity.unsubscribed()
        activity.subscribed(DeliveryInbox())
        #expect(activity.mayPropose(now: now))
    }
}
