import TestSupport
import Testing

@testable import Gateway

extension RelayMachine {
    fileprivate mutating func handle(_ input: Input) -> [Effect] {
        var effects: [Effect] = []
        handle(input, &effects)
        return effects
    }
}

/// The shell of a machine, reduced to bookkeeping: it does what the effects say, and complains if they make no sense.
private struct Shell {
    var machine = RelayMachine(model: "m", mayRepeatAfterSilence: true)
    var problems: [String] = []
    // What the outside still owes the machine.
    var isPlacing = false
    var mayWait = false
    var isConnecting = false
    // What is held.
    var leases = 0
    var connection: Bool?
    var isRequestSent = false
    // What the client has got.
    var ownAnswers = 0
    var heads = 0
    var ends = 0
    var broken = 0
    var asked = 0

    var isOver: Bool { machine.phase == .over }
    var hasAnswered: Bool { ownAnswers + heads > 0 }

    mutating func feed(_ input: RelayMachine.Input) {
        for effect in machine.handle(input) { perform(effect) }
        if isOver {
            if leases != 0 { problems.append("\(leases) leases are left behind \(input)") }
            if connection != nil { problems.append("a connection is left behind \(input)") }
        }
        if ownAnswers + heads > 1 { problems.append("a second head behind \(input)") }
        if ends + broken > 1 { problems.append("a second end behind \(input)") }
        if ends + broken > heads { problems.append("an end without a head behind \(input)") }
    }

    private mutating func perform(_ effect: RelayMachine.Effect) {
        switch effect {
        case .place(let mayWait):
            if isPlacing { problems.append("placed twice at once") }
            isPlacing = true
            self.mayWait = mayWait
        case .leaveLine:
            if !isPlacing { problems.append("left a line without waiting") }
            isPlacing = false
        case .connect:
            if leases != 1 { problems.append("connects with \(leases) leases") }
            if connection != nil { problems.append("connects with a connection") }
            isConnecting = true
        case .send:
            if connection == nil { problems.append("sends without a connection") }
            asked += 1
        case .release:
            leases -= 1
            if leases < 0 { problems.append("gave a lease back twice") }
        case .closeConnection, .keepConnection:
            // A connection that came late is told by `connected`, and closed by this effect.
            connection = nil
        case .reportSuspect, .requestPoll:
            if leases == 0 { problems.append("speaks of an endpoint behind its lease") }
        case .passAnswer: heads += 1
        case .respond: ownAnswers += 1
        case .finish: ends += 1
        case .breakOff: broken += 1
        }
    }

    /// Everything that may happen now.
    func possible() -> [RelayMachine.Input] {
        var inputs: [RelayMachine.Input] = []
        if isPlacing { inputs += [.placed, .placed, .placed, .notPlaced(nil), .notPlaced(.overloaded)] }
        if isConnecting {
            inputs += [.connected(isReused: false), .connected(isReused: true), .connectFailed, .unusable]
        }
        if connection != nil, machine.phase == .asking {
            for status in [200, 200, 200, 301, 400, 401, 404, 409, 429, 500, 502, 503, 504] {
                inputs.append(.answered(RetryRules.Answer(status: status, body: Array("model m not found".utf8))))
            }
            inputs += [.malformed, .closed(hasAnswerBegun: false), .closed(hasAnswerBegun: true)]
            if !isRequestSent { inputs += [.requestSent, .requestSent, .requestSent] }
        }
        if machine.phase == .relaying {
            inputs += [.answerEnded(isClean: true), .answerEnded(isClean: false), .answerBroke(.upstreamBroken)]
            if connection != nil { inputs.append(.closed(hasAnswerBegun: true)) }
        }
        return inputs + [.firstByteDeadline(waited: .seconds(1)), .clientGone, .cut]
    }

    /// Keeps the books for what the outside does with an input.
    mutating func happen(_ input: RelayMachine.Input) {
        switch input {
        case .placed:
            isPlacing = false
            leases += 1
        case .notPlaced: isPlacing = false
        case .connected:
            isConnecting = false
            connection = true
            isRequestSent = false
        case .connectFailed, .unusable: isConnecting = false
        case .requestSent: isRequestSent = true
        case .closed: connection = nil
        default: break
        }
        feed(input)
    }
}

@Suite struct RelayMachineTests {
    @Test func anyOrderOfEventsEndsInOneAnswer() {
        for seed in 0..<20_000 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var shell = Shell()
            shell.feed(.start)
            var steps: [String] = []
            var isGone = false
            while !shell.isOver, steps.count < 100 {
                // The rare ends are not drawn as often as all else, so that most histories are long.
                let inputs = shell.possible()
                let isRare = Int.random(in: 0..<12, using: &generator) == 0
                let input =
                    isRare
                    ? inputs.suffix(3).randomElement(using: &generator)! : inputs.randomElement(using: &generator)!
                if case .clientGone = input { isGone = true }
                steps.append("\(input)")
                shell.happen(input)
            }
            // What was on its way when all was over must be let go of as well.
            if shell.isPlacing, !isGone { shell.happen(.placed) }
            if shell.isConnecting { shell.happen(.connected(isReused: false)) }
            if !isGone, !shell.hasAnswered { shell.problems.append("no answer") }
            #expect(shell.problems.isEmpty, "seed \(seed): \(shell.problems) in \(steps)")
            #expect(shell.asked <= 4, "seed \(seed): the request was sent \(shell.asked) times in \(steps)")
            if !shell.problems.isEmpty { break }
        }
    }

    /// Answers that come are passed on or replaced; what the client gets in the end.
    @Test func aBrokenAnswerHasNoCleanEnd() {
        var shell = Shell()
        for input: RelayMachine.Input in [.placed, .connected(isReused: false), .requestSent] {
            if case .placed = input { shell.feed(.start) }
            shell.happen(input)
        }
        shell.happen(.answered(RetryRules.Answer(status: 200)))
        shell.happen(.answerBroke(.upstreamBroken))
        shell.happen(.answerEnded(isClean: true))
        #expect(shell.heads == 1 && shell.broken == 1 && shell.ends == 0 && shell.leases == 0)
        #expect(shell.problems.isEmpty, "\(shell.problems)")
    }

    /// A connection in the middle of a request is of no use to the next one.
    @Test func anAnswerBeforeTheRequestsEndClosesTheConnection() {
        var machine = RelayMachine(model: "m", mayRepeatAfterSilence: true)
        _ = machine.handle(.start)
        _ = machine.handle(.placed)
        _ = machine.handle(.connected(isReused: false))
        _ = machine.handle(.answered(RetryRules.Answer(status: 413)))
        let effects = machine.handle(.answerEnded(isClean: true))
        let kept = effects.contains { if case .keepConnection = $0 { true } else { false } }
        let closed = effects.contains { if case .closeConnection = $0 { true } else { false } }
        #expect(!kept && closed)
    }
}
