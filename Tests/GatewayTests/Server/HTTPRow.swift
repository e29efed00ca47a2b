import Foundation
import TestSupport
import Testing

@testable import Gateway

/// One line of the table of requests: what a client sends, and what has to come back.
struct HTTPRow: Sendable, CustomTestStringConvertible {
    enum End: Sendable {
        /// Another request on the same connection is answered.
        case lives
        case closes
    }

    let name: String
    /// Pieces that are sent one after another, each once the answer before it has come if `waits` says so.
    let pieces: [[UInt8]]
    /// The statuses of the answers, in order.
    let statuses: [Int]
    let end: End
    var halfCloses = false

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ statuses: [Int], _ end: End, halfCloses: Bool = false) {
        self.init(name, [text], statuses, end, halfCloses: halfCloses)
    }

    init(_ name: String, _ pieces: [String], _ statuses: [Int], _ end: End, halfCloses: Bool = false) {
        self.name = name
        // Characters up to U+00FF are bytes.
        self.pieces = pieces.map { $0.unicodeScalars.map { UInt8($0.value) } }
        self.statuses = statuses
        self.end = end
        self.halfCloses = halfCloses
    }
}

/// An answer as it came over a socket.
struct RawAnswer: Sendable {
    var head: String
    var status: Int
    var body: [UInt8]

    func header(_ name: String) -> String? { RawRequest(head: head, body: []).header(name) }
}

extension RawSocket {
    /// The next answer; nil if the connection ends before its end.
    func readAnswer(isHead: Bool = false) -> RawAnswer? {
        guard let head = readHead(), let status = Int(head.dropFirst(9).prefix(3)) else { return nil }
        var answer = RawAnswer(head: head, status: status, body: [])
        if isHead || status < 200 || status == 204 || status == 304 { return answer }
        if answer.header("transfer-encoding") != nil {
            guard let body = readChunked() else { return nil }
            answer.body = body
        } else if let length = answer.header("content-length").flatMap({ Int($0) }) {
            answer.body = read(length)
            if answer.body.count < length { return nil }
        } else {
            answer.body = Array(readRest().utf8)
        }
        return answer
    }
}

extension HTTPRow {
    /// Sends the row to a gateway and checks everything that it says. Blocks.
    func run(port: Int) -> [String] {
        let socket = RawSocket.connect(port: port)
        defer { socket.close() }
        var problems: [String] = []
        var rest = statuses[...]
        for (index, piece) in pieces.enumerated() {
            _ = socket.write(piece)
            // A client that was told to go on sends the next piece then; one that cuts its request just goes on.
            if index < pieces.count - 1, rest.first == 100 {
                let answer = socket.readAnswer()
                if answer?.status != 100 { problems.append("no 100 but \(answer?.status ?? 0)") }
                rest = rest.dropFirst()
            }
        }
        if halfCloses { socket.finishSending() }
        for status in rest {
            guard let answer = socket.readAnswer() else {
                problems.append("no answer where \(status) should be")
                return problems
            }
            if answer.status != status { problems.append("\(answer.status) and not \(status): \(answer.head)") }
            problems += shape(answer)
        }
        return problems + ending(socket)
    }

    /// Every answer has an id, and every error the one shape.
    private func shape(_ answer: RawAnswer) -> [String] {
        var problems: [String] = []
        if answer.header("x-request-id") == nil, answer.status >= 200 { problems.append("no X-Request-Id") }
        guard answer.status >= 400 else { return problems }
        let whole = try? JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        let error = whole?["error"] as? [String: Any]
        if error.map({ Set($0.keys) }) != ["message", "type", "param", "code"] {
            problems.append("not the shape of errors: \(String(decoding: answer.body, as: UTF8.self))")
        }
        if answer.status == 405, answer.header("allow") == nil { problems.append("405 without Allow") }
        return problems
    }

    private func ending(_ socket: RawSocket) -> [String] {
        switch end {
        case .closes:
            let more = socket.readRest()
            return more.isEmpty ? [] : ["more came before the end: \(more.prefix(200))"]
        case .lives:
            _ = socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            let next = socket.readAnswer()
            return next?.status == 200 ? [] : ["the connection is dead: \(next?.status ?? 0)"]
        }
    }
}
