import FoundationEssentials

/// How long a server asks to be left alone.
enum RetryAdvice {
    /// More than this is no advice.
    static let maximum = 86_400

    /// Seconds by `Retry-After` (RFC 9110, section 10.2.3), else by the Hub's `RateLimit: "api";r=0;t=55`; nil where
    /// neither says. A `RateLimit` that leaves requests (`r`) says nothing.
    static func seconds(retryAfter: String?, rateLimit: String?, now: Date = .now) -> Int? {
        if let retryAfter {
            if let seconds = Int(retryAfter), (0...maximum).contains(seconds) { return seconds }
            if let date = httpDate(retryAfter) {
                return min(maximum, max(0, Int(date.timeIntervalSince(now).rounded(.up))))
            }
        }
        guard let rateLimit, parameter("r", of: rateLimit) ?? 0 == 0, let wait = parameter("t", of: rateLimit),
            (0...maximum).contains(wait)
        else { return nil }
        return wait
    }

    /// Of the first item of a structured field that has it.
    static func parameter(_ name: String, of field: String) -> Int? {
        for part in field.prefix(while: { $0 != "," }).split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].filter({ $0 != " " }) == name { return Int(pair[1].filter { $0 != " " }) }
        }
        return nil
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may be sent.
    private static func httpDate(_ text: String) -> Date? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
            let month = months.firstIndex(of: words[2])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, let zone = TimeZone(secondsFromGMT: 0) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar.date(
            from: DateComponents(
                year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2]))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
