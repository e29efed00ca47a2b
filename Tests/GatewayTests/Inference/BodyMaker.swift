/// Bodies by chance, made of what parsers are known to stumble over. The values are `cheap` and `expensive`.
enum BodyMaker {
    private static let jsonTypes = [
        "application/json", "application/json; charset=utf-8", "application/json; charset=utf-7",
        "application/json; x=\"; charset=utf-7\"", "application/json; charset=utf-8; charset=utf-7",
    ]
    private static let jsonKeys = [
        "model", "model", "model", "model", "MODEL", "Model", #"mod\u0065l"#, #"\u004dodel"#, #"model\u0000"#,
        "model\0",
        " model", "ｍodel", "mod\u{1}el", #"mod\el"#, "+AG0-odel", "messages", "stream", "user", "x", #"x\""#, "",
    ]
    private static let jsonValues = [
        #""cheap""#, #""expensive""#, #""expensive""#, #""che\u0061p""#, #""cheap\u0000""#, "null", "1", "true",
        #"{"model":"expensive"}"#, #"["model",{"MODEL":"expensive"}]"#, #""\",\"model\":\"expensive""#, #""\\""#,
    ]
    private static let jsonBits = [
        "{", "}", "[", "]", "\"", ":", ",", "\\", "'", "\0", "/*", "*/", "\n", "\u{FEFF}", "model",
        #","model":"expensive""#,
        #"{"model":"expensive"}"#,
    ]

    static func json(_ generator: inout SmallGenerator) -> (body: [UInt8], type: String) {
        let members = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            "\"\(pick(jsonKeys, &generator))\":\(pick(jsonValues, &generator))"
        }
        let first = chance(2, &generator) ? #""model":"cheap""# : members[0]
        var body = Array("{\(([first] + members.dropFirst()).joined(separator: ","))}".utf8)
        if chance(8, &generator) { body = [0xEF, 0xBB, 0xBF] + body }
        damage(&body, jsonBits, &generator)
        if chance(8, &generator) { body.insert(0xFF, at: Int.random(in: 0...body.count, using: &generator)) }
        return (body, chance(2, &generator) ? jsonTypes[0] : pick(jsonTypes, &generator))
    }

    private static let formTypes = [
        "multipart/form-data; boundary=AAA", "multipart/form-data; boundary=\"AAA\"; x=y",
        "multipart/form-data; boundary=BBB; boundary=AAA", "multipart/form-data; BOUNDARY=BBB; boundary=AAA",
        "multipart/form-data; boundary=AAA; boundary*=utf-8''BBB", "multipart/form-data; xboundary=BBB; boundary=AAA",
        "multipart/form-data; boundary=AAA; x=\"boundary=BBB\"",
    ]
    private static let queries = ["model=expensive", "a=b", "model", "MODEL=expensive", "a=b&model=expensive"]
    private static let disposition = "Content-Disposition: form-data"
    private static let names = [
        #"; name="model""#, #"; name="model""#, "; name=model", #"; name="MODEL""#, #"; name="x""#, #"; name="file""#,
        #"; NAME="model""#, "; name*=utf-8''model", "; name*0=mod; name*1=el", #"; name="mod%65l""#, "; name=<model>",
        #"; name="mod\el""#, #"; x="; name=model; y=""#, #"; a="\"; b=""#, "", "; name='model'", #"; name=" model""#,
    ]
    private static let files = [
        #"; filename="a""#, #"; filename="""#, "; filename*=utf-8''a", #"; filename="; name=model; ""#, "; filename=a",
        #"; filename="a\"; name="model"; b="""#, #"; filename="C:\a""#,
    ]
    private static let moreLines = [
        disposition + #"; name="model""#, disposition + #"; name="x""#, "content-disposition: form-data; name=model",
        "Content-Type: text/plain", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: 8bit", "Content-Length: 5", "Content-Length: 9", " folded; name=\"model\"", "X: y",
    ]
    private static let formBits = [
        "\r\n", "\n", "\r", "\t", " ", ";", "\"", "\\", "=", "*", "--AAA", "\r\n--AAA\r\n", "\n--AAA\n", "\r--AAA\r",
        "--",
        "--AAA--\r\n", "\0", "Content-Disposition: form-data; name=\"model\"", "\r\n\r\n", "\n\nexpensive", "x",
    ]

    static func form(_ generator: inout SmallGenerator) -> (body: [UInt8], type: String, query: String) {
        var parts = (0..<Int.random(in: 0...2, using: &generator)).map { _ in part(&generator) }
        let good = "--AAA\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncheap\r\n"
        parts.insert(good, at: Int.random(in: 0...parts.count, using: &generator))
        var text = parts.joined() + (chance(6, &generator) ? "--AAA--" : "--AAA--\r\n")
        if chance(8, &generator) { text += text.replacing("AAA", with: "BBB").replacing("cheap", with: "expensive") }
        var body = Array(text.utf8)
        damage(&body, formBits, &generator)
        let type = chance(4, &generator) ? pick(formTypes, &generator) : formTypes[0]
        return (body, type, chance(8, &generator) ? pick(queries, &generator) : "")
    }

    private static func part(_ generator: inout SmallGenerator) -> String {
        var rest = (0..<Int.random(in: 1...8, using: &generator) / 4).map { _ in pick(names, &generator) }.joined()
        if rest.isEmpty { rest = chance(2, &generator) ? pick(names, &generator) : #"; name="x""# }
        if chance(3, &generator) { rest += pick(files, &generator) }
        var lines = [disposition + rest]
        if chance(3, &generator) { lines.insert(pick(moreLines, &generator), at: chance(2, &generator) ? 0 : 1) }
        let hasOddBreak = chance(12, &generator)
        return "--AAA\r\n\(lines.joined(separator: hasOddBreak ? "\n" : "\r\n"))\r\n\r\nexpensive\r\n"
    }

    /// Half of the bodies stay as they are; the others lose or get a few bytes.
    private static func damage(_ body: inout [UInt8], _ bits: [String], _ generator: inout SmallGenerator) {
        for _ in 0..<max(0, Int.random(in: -2...2, using: &generator)) where !body.isEmpty {
            let index = Int.random(in: body.indices, using: &generator)
            if chance(3, &generator) {
                body.removeSubrange(index..<min(body.count, index + Int.random(in: 1...3, using: &generator)))
            } else {
                body.insert(contentsOf: Array(pick(bits, &generator).utf8), at: index)
            }
        }
    }

    private static func pick(_ texts: [String], _ generator: inout SmallGenerator) -> String {
        texts[Int.random(in: texts.indices, using: &generator)]
    }

    /// True once in `number` times.
    private static func chance(_ number: Int, _ generator: inout SmallGenerator) -> Bool {
        Int.random(in: 0..<number, using: &generator) == 0
    }
}
