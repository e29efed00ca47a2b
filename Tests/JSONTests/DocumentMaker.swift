import TestSupport

/// Makes JSON documents and damages most of them.
struct DocumentMaker {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func next() -> [UInt8] {
        var document: [UInt8] = []
        if chance(20) { document += [0xEF, 0xBB, 0xBF] }
        let depth = chance(200) ? 505 + pick(12) : 0
        document += [UInt8](repeating: 0x5B, count: depth)
        add(space(), to: &document)
        addValue(depth: 0, to: &document)
        add(space(), to: &document)
        document += [UInt8](repeating: 0x5D, count: depth)
        if !chance(3) { for _ in 0...pick(3) { damage(&document) } }
        return document
    }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func chance(_ oneIn: Int) -> Bool { pick(oneIn) == 0 }

    private mutating func one(of texts: [String]) -> String { texts[pick(texts.count)] }

    private func add(_ text: String, to document: inout [UInt8]) { document.append(contentsOf: text.utf8) }

    private mutating func space() -> String { one(of: ["", "", "", " ", "\n\t", "\r\n  "]) }

    private mutating func addValue(depth: Int, to document: inout [UInt8]) {
        switch pick(depth > 3 ? 6 : 9) {
        case 0: add(one(of: ["true", "false", "null"]), to: &document)
        case 1...2: add(number(), to: &document)
        case 3...5: addString(to: &document)
        case 6: addList("[", "]", depth: depth, to: &document) { $0.addValue(depth: depth + 1, to: &$1) }
        default:
            addList("{", "}", depth: depth, to: &document) { maker, document in
                // Few keys, so that some occur twice.
                if maker.chance(3) {
                    maker.addString(to: &document)
                } else {
                    maker.add(
                        maker.one(of: [#""a""#, #""b""#, #""\u0061""#, #""model""#, #""""#, #""ä""#]), to: &document)
                }
                maker.add(maker.space() + ":" + maker.space(), to: &document)
                maker.addValue(depth: depth + 1, to: &document)
            }
        }
    }

    private mutating func addList(
        _ opening: String, _ closing: String, depth: Int, to document: inout [UInt8],
        _ element: (inout DocumentMaker, inout [UInt8]) -> Void
    ) {
        add(opening + space(), to: &document)
        for index in 0..<pick(4) {
            if index > 0 { add(space() + "," + space(), to: &document) }
            element(&self, &document)
        }
        add(space() + closing, to: &document)
    }

    private mutating func number() -> String {
        if chance(3) { return String(Int64(bitPattern: random.next()) >> pick(64)) }
        if chance(3) { return "\(Double(bitPattern: random.next() & ~(1 << 62)))" }
        return one(of: [
            "0", "-0", "1", "-1.5", "0.1", "1.0", "-0.25e-3", "1E9", "1e+2", "9223372036854775807",
            "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1e308", "1e309", "-1e400", "1e-400",
            "123456789012345678901234567890", "0.1e1", "5e-324", "100000000000000000000000e-10",
        ])
    }

    private mutating func addString(to document: inout [UInt8]) {
        add("\"", to: &document)
        for _ in 0..<pick(6) {
            add(
                one(of: [
                    "a", "model", "{", "}", "[", "]", ":", ",", " ", "/", "ä", "€", "\u{1F600}", "e\u{301}", "\u{7F}",
                    "\u{2028}", #"\""#, #"\\"#, #"\/"#, #"\n"#, #"\b"#, #"\u00e4"#, #"\u0000"#, #"\uD83D\uDE00"#,
                    #"\ud83d"#, #"\ude00"#, #"\u2028"#,
                ]), to: &document)
        }
        add("\"", to: &document)
    }

    private mutating func damage(_ document: inout [UInt8]) {
        guard !document.isEmpty else { return }
        let place = pick(document.count)
        let end = min(document.count, place + 1 + pick(6))
        let structural = Array(#"{}[]",:\0123456789.eE+-tfnu/ "#.utf8)
        switch pick(10) {
        case 0: document.remove(at: place)
        case 1: document[place] = structural[pick(structural.count)]
        case 2: document.insert(structural[pick(structural.count)], at: place)
        case 3: document.removeSubrange(place...)
        case 4: document[place] = UInt8(truncatingIfNeeded: random.next())
        case 5: document[place] ^= 1 << UInt8(pick(8))
        case 6: document.insert(contentsOf: document[place..<end], at: place)
        case 7: document.removeSubrange(place..<end)
        case 8:
            let closing = document.indices.filter { document[$0] == 0x5D || document[$0] == 0x7D }
            if !closing.isEmpty { document.insert(0x2C, at: closing[pick(closing.count)]) }
        default: add(one(of: [",", "]", "}", "\0", " ", "x", "//", "\u{FEFF}"]), to: &document)
        }
    }
}
