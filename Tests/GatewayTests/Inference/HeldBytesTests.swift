import Catalog
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import Gateway

@Suite struct HeldBytesTests {
    @Test func theBudgetIsKept() {
        let budget = HeldBytes(limit: 100)
        #expect(budget.reserve(60) && !budget.reserve(41) && budget.reserve(40) && budget.held == 100)
        #expect(!budget.reserve(1) && budget.reserve(0) && !budget.reserve(.max))
        budget.release(60)
        #expect(budget.held == 40 && budget.reserve(60))
    }

    @Test func aShareGivesBackOnce() {
        let budget = HeldBytes(limit: 100)
        do {
            var share = HeldBytesShare(of: budget)
            let grown = [share.grow(by: 30), share.grow(by: 80), share.grow(by: 20)]
            #expect(grown == [true, false, true])
            #expect(share.bytes == 50 && budget.held == 50)
            share.giveBack()
            #expect(share.bytes == 0 && budget.held == 0)
            share.giveBack()
            _ = share.grow(by: 10)
            #expect(budget.held == 10)
        }
        #expect(budget.held == 0)
        #expect(HTTPFailure.overloaded.status.code == 503 && HTTPFailure.overloaded.error.code == "overloaded")
        #expect(HTTPFailure.overloaded.headers[.retryAfter] == "1")
    }

    @Test func threadsNeverHoldMore() {
        let budget = HeldBytes(limit: 1000)
        let tooMany = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var generator = SmallGenerator(state: UInt64(thread))
            for _ in 0..<5000 {
                var share = HeldBytesShare(of: budget)
                for _ in 0..<4 { _ = share.grow(by: .random(in: 0...200, using: &generator)) }
                if budget.held > 1000 { tooMany.add(1, ordering: .relaxed) }
            }
        }
        #expect(tooMany.load(ordering: .relaxed) == 0 && budget.held == 0)
    }
}
