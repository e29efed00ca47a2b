import Foundation
import TestSupport
import Testing

@testable import JSON

/// The reader, the scanner, and the writer against Foundation's decoder, on generated and damaged documents: they accept and
/// refuse the same, and read the same values. The exceptions are the rules that `JSONReader` documents.
@Suite struct FoundationAgreementTests {
    private static let documents =
        ProcessInfo.processInfo.environment["ROLLCALL_FUZZ_COUNT"].flatMap { Int($0) } ?? 4000

    @Test(arguments: 0..<4) func agrees(seed: Int) {
        var maker = DocumentMaker(seed: UInt64(seed))
        var (accepted, refused) = (0, 0)
        for _ in 0..<Self.documents / 4 {
            let document = maker.next()
            let reference = Reference.read(document)
            switch (try? JSONReader.read(document), reference) {
            case (nil, nil): refused += 1
            case (nil, _?):
                #expect(
                    Rules.isOtherEncoding(document) || Rules.hasRepeatedKey(document)
                        || Rules.hasTrailingComma(document), "only Foundation takes \(shown(document))")
            case (let value?, nil):
                #expect(
                    Rules.hasHalfAPair(document) || Rules.hasInfinity(value), "only the reader takes \(shown(document))"
                )
            case (let value?, let reference?):
                accepted += 1
                #expect(
                    value.says(reference) || Rules.hasHalfAPair(document),
                    "\(value) and \(reference) of \(shown(document))")
                agreeAboutMembers(document, value)
                isWrittenAndRead(document, value)
            }
        }
        // Neither a generator of rubbish nor one of nothing else proves anything.
        #expect(accepted > Self.documents / 20 && refused > Self.documents / 20, "\(accepted) and \(refused)")
    }

    private func shown(_ document: [UInt8]) -> String { String(decoding: document, as: UTF8.self).debugDescription }

    /// The scanner finds the members that the reader reads.
    private func agreeAboutMembers(_ document: [UInt8], _ value: JSONValue) {
        guard let object = value.object, !document.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
        let members: [(String?, JSONValue)]? = try? document.withUnsafeBytes { bytes in
            var scanner = JSONKeyScanner(bytes)
            var members: [(String?, JSONValue)] = []
            while let member = try scanner.next() {
                let key = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[member.key]))
                let value = try JSONReader.read(UnsafeRawBufferPointer(rebasing: bytes[member.value]))
                members.append((key, value))
            }
            return members.filter { $0.0 != nil }
        }
        #expect(members?.map(\.0) == object.members.map(\.key), "keys of \(shown(document))")
        #expect(members?.map(\.1) == object.members.map(\.value), "values of \(shown(document))")
    }

    private func isWrittenAndRead(_ document: [UInt8], _ value: JSONValue) {
        guard !Rules.hasInfinity(value) else { return }
        var writer = JSONWriter()
        writer.value(value)
        #expect((try? JSONReader.read(writer.bytes)) == value, "\(writer.text) of \(shown(document))")
    }

    // MARK: The rules

    @Test func aKeyThatOccursTwice() throws {
        let document = Array(#"{"a":1,"a":2}"#.utf8)
        #expect(try JSONReader.read(document)["a"] == .integer(2))
        guard case .object(let reference)? = Reference.read(document) else {
            Issue.record("Foundation refuses a repeated key")
            return
        }
        #expect(reference["a"].map(JSONValue.integer(1).says) == true)
        // The reader looks at all of it.
        let broken = Array(#"{"a":1,"a":"\x"}"#.utf8)
        #expect(Reference.read(broken) != nil)
        #expect(throws: JSONProblem.self) { try JSONReader.read(broken) }
    }

    @Test func halfASurrogatePair() throws {
        let document = Array(#"{"a":"\ud83d","\udc00":1,"b":2}"#.utf8)
        #expect(Reference.read(document) == nil)
        #expect(try JSONReader.read(document) == .object(["a": .null, "b": .integer(2)]))
    }

    @Test(arguments: ["[1,]", "[1 , ]", #"{"a":1,}"#]) func aCommaBehindTheLast(text: String) {
        #expect(Reference.read(Array(text.utf8)) != nil)
        #expect(throws: JSONProblem.self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test func beyondTheRangeOfDouble() throws {
        #expect(Reference.read(Array("[1e999]".utf8)) == nil)
        #expect(try JSONReader.read(Array("[1e999]".utf8)) == .array([.number(.infinity)]))
    }

    @Test func otherEncodings() throws {
        let document = try #require("[1]".data(using: .utf16LittleEndian))
        #expect(Reference.read(Array(document)) != nil)
        #expect(throws: JSONProblem.self) { try JSONReader.read(Array(document)) }
    }

    @Test func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth)
        }
        for depth in [JSONCursor.maximumDepth - 1, JSONCursor.maximumDepth, JSONCursor.maximumDepth + 1] {
            let isTaken = depth <= JSONCursor.maximumDepth
            #expect((try? JSONReader.read(nested(depth)) != .null) == (isTaken ? true : nil), "\(depth)")
            #expect((Reference.read(nested(depth)) != nil) == isTaken, "\(depth)")
        }
    }
}

/// What the documentation of `JSONReader` excepts.
private enum Rules {
    static func isOtherEncoding(_ document: [UInt8]) -> Bool {
        document.starts(with: [0xFE, 0xFF]) || document.starts(with: [0xFF, 0xFE]) || document.prefix(4).contains(0)
    }

    static func hasTrailingComma(_ document: [UInt8]) -> Bool {
        String(decoding: document, as: UTF8.self).contains(/,\s*[\]}]/)
    }

    /// Of any object: Foundation reads the first value of a key and does not look at the others.
    static func hasRepeatedKey(_ document: [UInt8]) -> Bool {
        let keys = String(decoding: document, as: UTF8.self).matches(of: /"((?:[^"\\]|\\.)*)"\s*:/)
            .map { match in Array(match.1.utf8).withUnsafeBytes { JSONString.decode($0) } }
        return Set(keys).count < keys.count
    }

    static func hasHalfAPair(_ document: [UInt8]) -> Bool {
        String(decoding: document, as: UTF8.self).contains(/\\u[dD][89a-fA-F]/)
    }

    static func hasInfinity(_ value: JSONValue) -> Bool {
        switch value {
        case .number(let number): number.isInfinite
        case .array(let elements): elements.contains(where: hasInfinity)
        case .object(let object): object.members.contains { hasInfinity($0.value) }
        case .null, .bool, .integer, .string: false
        }
    }
}

/// What Foundation's decoder makes of a document.
private indirect enum Reference: Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([Reference])
    case object([String: Reference])

    static func read(_ document: [UInt8]) -> Reference? {
        try? JSONDecoder().decode(Reference.self, from: Data(document))
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let elements = try? value.decode([Reference].self) {
            self = .array(elements)
        } else {
            self = .object(try value.decode([String: Reference].self))
        }
    }
}

extension JSONValue {
    fileprivate func says(_ reference: Reference) -> Bool {
        switch (self, reference) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.integer(let one), .integer(let other)): one == other
        // Foundation reads 1.0 and 1e2 as integers if they are asked for, and rounds others that are too long for Double.
        case (.number(let one), .integer(let other)): abs(one - Double(other)) <= (abs(one) < 0x1p53 ? 0 : one.ulp)
        case (.number(let one), .number(let other)): one == other
        case (.string(let one), .string(let other)): Array(one.utf8) == Array(other.utf8)
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { $0.says($1) }
        case (.object(let one), .object(let other)):
            one.dictionary.count == other.count
                && one.dictionary.allSatisfy { key, value in
                    // Of a key that occurs twice either may count.
                    one.members.filter { $0.key == key }.contains { member in other[key].map(member.value.says) ?? false
                    }
                }
        default: false
        }
    }
}
