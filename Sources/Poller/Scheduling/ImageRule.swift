import Catalog

/// When the next image of the catalog is due. Pure.
///
/// A process that starts reads the newest image and the log behind it. So an image is due as soon as that log is larger than
/// the image, and otherwise once a minute.
struct ImageRule: Sendable {
    /// A smaller log is read in no time, however small the image is.
    static let smallestLog = 1 << 20
    static let interval = Duration.seconds(60)
    /// After this an image that could not be written is tried again.
    static let retry = Duration.seconds(10)

    private struct Image {
        var position: LogPosition?
        var size: Int
        /// `LogProgress.bytes` when it was made.
        var bytes: Int
        var at: Duration
    }

    /// The newest image that this process knows of. Another scheduler may have written newer ones.
    private var newest: Image?
    private var notBefore = Duration.zero

    mutating func isDue(_ progress: LogProgress, now: Duration) -> Bool {
        guard now >= notBefore else { return false }
        // The catalog has been built anew since.
        if let newest, progress.bytes < newest.bytes { self.newest = nil }
        if newest == nil, let image = progress.image {
            newest = Image(position: image.position, size: image.size, bytes: 0, at: now)
        }
        guard let newest else { return true }
        if progress.bytes - newest.bytes >= max(Self.smallestLog, newest.size) { return true }
        return now - newest.at >= Self.interval && progress.position != newest.position
    }

    mutating func wrote(size: Int, at progress: LogProgress, now: Duration) {
        newest = Image(position: progress.position, size: size, bytes: progress.bytes, at: now)
    }

    mutating func failed(now: Duration) { notBefore = now + Self.retry }
}
