import Testing

@testable import AMQP

@Suite struct PublishTrackerTests {
    let start = ContinuousClock.now

    func tracker(_ count: Int, timeout: Duration = .seconds(5)) -> PublishTracker<Int> {
        var tracker = PublishTracker<Int>()
        for number in 1...count {
            tracker.published(number, messageID: "m\(number)", deadline: start + timeout * number)
        }
        return tracker
    }

    @Test func oneAckAnswersOne() {
        var tracker = tracker(3)
        #expect(tracker.answered(tag: 2, multiple: false) == [2])
        #expect(tracker.answered(tag: 2, multiple: false) == [])
        #expect(tracker.outstanding == 2)
        #expect(tracker.answered(tag: 1, multiple: false) == [1])
        #expect(tracker.answered(tag: 3, multiple: false) == [3])
        #expect(tracker.outstanding == 0)
    }

    @Test func multipleAnswersAllThatAreOpenUpToIt() {
        var tracker = tracker(5)
        #expect(tracker.answered(tag: 2, multiple: false) == [2])
        #expect(tracker.answered(tag: 4, multiple: true) == [1, 3, 4])
        #expect(tracker.answered(tag: 0, multiple: true) == [5])
        #expect(tracker.published(6, messageID: "m6", deadline: start) == 6)
    }

    @Test(arguments: [(UInt64(0), false), (4, false), (4, true), (.max, true)])
    func aNumberNeverGivenOutAnswersNone(_ tag: UInt64, _ multiple: Bool) {
        var tracker = tracker(3)
        #expect(tracker.answered(tag: tag, multiple: multiple) == [])
        #expect(tracker.outstanding == 3)
    }

    @Test func nothingSentMeansNothingAnswered() {
        var tracker = PublishTracker<Int>()
        #expect(tracker.answered(tag: 0, multiple: true) == [])
        #expect(tracker.returned(messageID: "m") == nil)
        #expect(tracker.nextDeadline == nil)
    }

    @Test func aReturnAnswersBeforeTheAckThatFollows() {
        var tracker = tracker(3)
        #expect(tracker.returned(messageID: "m2") == 2)
        #expect(tracker.returned(messageID: "m2") == nil)
        #expect(tracker.answered(tag: 3, multiple: true) == [1, 3])
    }

    @Test func aMessageSentTwiceIsReturnedInOrder() {
        var tracker = PublishTracker<Int>()
        tracker.published(1, messageID: "same", deadline: start + .seconds(1))
        #expect(tracker.expired(at: start + .seconds(1)) == [1])
        tracker.published(2, messageID: "same", deadline: start + .seconds(9))
        // The first return is for the first, whose time is over.
        #expect(tracker.returned(messageID: "same") == nil)
        #expect(tracker.returned(messageID: "same") == 2)
    }

    @Test func whatTakesTooLongExpiresInTheOrderOfTheDeadlines() {
        var tracker = tracker(3)
        #expect(tracker.nextDeadline == start + .seconds(5))
        #expect(tracker.expired(at: start + .seconds(4)) == [])
        #expect(tracker.expired(at: start + .seconds(10)) == [1, 2])
        #expect(tracker.outstanding == 1)
        // The broker's late answer is for nobody, and the numbers stay right.
        #expect(tracker.answered(tag: 2, multiple: true) == [])
        #expect(tracker.answered(tag: 3, multiple: false) == [3])
    }

    @Test func numbersGoOnAfterAllWereTaken() {
        var tracker = tracker(2)
        #expect(tracker.takeAll() == [1, 2])
        #expect(tracker.published(3, messageID: "m3", deadline: start) == 3)
        #expect(tracker.answered(tag: 3, multiple: true) == [3])
    }

    @Test(.timeLimit(.minutes(1))) func manyReturnsAreFoundInLinearTime() {
        let count = 20_000
        var tracker = tracker(count)
        let found = (1...count).compactMap { tracker.returned(messageID: "m\($0)") }
        #expect(found == Array(1...count))
        #expect(start.duration(to: .now) < .seconds(10))
    }
}
