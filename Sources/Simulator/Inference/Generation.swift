/// What a simulated server generates for one choice: text or the call of a tool, in tokens.
///
/// The same request gives the same tokens, streamed or not. A word of the greeting is a token, so are four characters of
/// JSON, and so is the name of a tool.
struct Generation: Sendable {
    /// Why it ends.
    enum Ending: Sendable, Equatable {
        /// Nothing more was to be said.
        case end
        /// The limit was reached.
        case limit
        /// One of the request's texts to stop at came.
        case stop(String)
    }

    static let mostTokens = 100_000
    private static let charactersOfJSON = 4

    /// The tool that is called. Its name is the first token, and the arguments follow.
    let tool: String?
    private(set) var ending = Ending.end
    /// Those of a text that goes on come again and again.
    private let pieces: [String]
    private let pieceCount: Int

    /// Without any token: what a server says that cannot generate and does not know it.
    static let empty = Generation(pieces: [], count: 0)

    /// What an endpoint says to whoever asks for nothing else.
    static func greeting(of endpoint: String) -> Generation {
        let words = greetingWords(endpoint)
        return Generation(pieces: words, count: words.count)
    }

    private init(pieces: [String], count: Int, tool: String? = nil) {
        self.pieces = pieces
        pieceCount = count
        self.tool = tool
    }

    /// - Parameters:
    ///   - chunkBytes: length of each token's text; 0 for the usual
    ///   - fillsLimit: whether a text goes on up to the request's limit
    init(for request: InferenceRequest, endpoint: String, chunkBytes: Int, fillsLimit: Bool) throws(InvalidValue) {
        let size = chunkBytes > 0 ? chunkBytes : Self.charactersOfJSON
        if let call = try request.toolUse.call(after: request.conversation) {
            self.init(Self.cut(call.arguments, size), tool: call.name, limit: request.limit)
        } else if let text = try request.format.answer(of: endpoint) {
            self.init(Self.cut(text, size), limit: request.limit, stops: request.stops)
        } else {
            let words = chunkBytes > 0 ? [String(repeating: "x", count: chunkBytes)] : Self.greetingWords(endpoint)
            let usual = chunkBytes > 0 ? Self.greetingTokens : words.count
            let count = fillsLimit ? min(request.limit ?? usual, Self.mostTokens) : usual
            self.init(words, count: count, isEndless: fillsLimit, limit: request.limit, stops: request.stops)
        }
    }

    /// - Parameters:
    ///   - count: how many pieces the whole text has; by default as many as there are
    ///   - isEndless: whether only the limit has ended it
    private init(
        _ whole: [String], count: Int? = nil, isEndless: Bool = false, tool: String? = nil, limit: Int?,
        stops: [String] = []
    ) {
        let all = count ?? whole.count
        let allowed = limit.map { tool == nil ? $0 : $0 - 1 } ?? .max
        let kept = min(all, allowed)
        if let cut = Self.stopped(whole, kept, stops) {
            self.init(pieces: cut.pieces, count: cut.pieces.count)
            ending = .stop(cut.stop)
        } else {
            self.init(pieces: whole, count: kept, tool: tool)
            if kept < all || (isEndless && kept == limit) { ending = .limit }
        }
    }

    var tokens: Int { pieceCount + (tool == nil ? 0 : 1) }

    /// The text of each token, up to where they come again; that of a tool's name is empty.
    var round: [String] { (tool == nil ? [] : [""]) + pieces.prefix(pieceCount) }

    /// All of the text, or of the arguments.
    var text: String {
        if pieceCount == pieces.count { return pieces.joined() }
        return (0..<pieceCount).reduce(into: "") { $0 += pieces[$1 % pieces.count] }
    }

    private static let greetingTokens = greetingWords("").count

    private static func greetingWords(_ endpoint: String) -> [String] {
        ["Hello", " from", " \(endpoint),"] + restOfGreeting
    }

    private static let restOfGreeting = [
        " a", " simulated", " server", " that", " gives", " the", " same", " answer", " to", " each", " of", " its",
        " clients.",
    ]

    private static func cut(_ text: String, _ size: Int) -> [String] {
        var rest = text[...]
        var pieces: [String] = []
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return pieces
    }

    /// The pieces before the first of `stops`; nil if none of them comes.
    private static func stopped(_ whole: [String], _ count: Int, _ stops: [String]) -> (pieces: [String], stop: String)?
    {
        guard !stops.isEmpty, !whole.isEmpty else { return nil }
        // In a text that repeats itself each stop begins within the first round, if it comes at all.
        let longest = stops.map(\.count).max() ?? 0
        let pieces = (0..<min(count, whole.count + longest)).map { whole[$0 % whole.count] }
        let text = pieces.joined()
        let found = stops.compactMap { stop in text.firstRange(of: stop).map { ($0.lowerBound, stop) } }
        guard let (end, stop) = found.min(by: { $0.0 < $1.0 }) else { return nil }
        var left = text.distance(from: text.startIndex, to: end)
        var kept: [String] = []
        for piece in pieces where left > 0 {
            kept.append(String(piece.prefix(left)))
            left -= piece.count
        }
        return (kept, stop)
    }
}
