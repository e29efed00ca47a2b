import Catalog

extension Readiness {
    /// Whether ticks and jobs may be taken: with a current catalog, or, while the log is being made anew, with the old
    /// one, so that the new log fills.
    var letsPollersWork: Bool { isReady && (isCurrent || publishInFull) }
}
