import Synchronization

/// A view and its number: a view never takes the place of one that was drafted later.
struct PublishedView: Sendable {
    let number: UInt64
    let view: CatalogView
}

/// Views are drafted under the follower's lock, a slice at a time; the list's lines are joined and hashed outside of it.
extension CatalogFollower {
    /// How long the lock is held at a time. Readers of the catalog wait for about that long.
    static let slice = Duration.milliseconds(1)

    /// True from the end of a slice that begins now.
    static func sliceEnd() -> () -> Bool {
        let end = ContinuousClock.now + slice
        return { ContinuousClock.now >= end }
    }

    /// Publishes a view of what is served now, if anybody has ever asked for one.
    func publishView() {
        if let draft = draftView() { _ = publish(draft) }
    }

    /// The same. Takes `modelsChanged` out of `effects` if the bytes of the list came out the same.
    func publishView(_ effects: inout [CatalogEffect]) {
        guard let draft = draftView() else { return }
        let former = published.withLock { $0?.view.list.etag }
        let view = publish(draft)
        if view.list.etag == former { effects.removeAll { $0 == .modelsChanged } }
    }

    /// The first view, which also begins the publishing of views.
    func makeView() -> CatalogView {
        state.withLock { $0.servesViews = true }
        while true {
            if let draft = draftView() { return publish(draft) }
        }
    }

    /// nil if nobody has asked for views.
    private func draftView() -> NumberedDraft? {
        guard state.withLock({ $0.servesViews }) else { return nil }
        while true {
            let drafted = state.withLock { state -> NumberedDraft? in
                let draft = state.machine.draftView(with: &state.views, until: Self.sliceEnd())
                guard let draft else { return nil }
                state.viewNumber += 1
                return NumberedDraft(number: state.viewNumber, draft: draft)
            }
            if let drafted { return drafted }
        }
    }

    private struct NumberedDraft: Sendable {
        let number: UInt64
        let draft: CatalogViewDraft
    }

    /// The newest view, which is the draft's or a later one.
    private func publish(_ drafted: NumberedDraft) -> CatalogView {
        let view = drafted.draft.view(after: published.withLock { $0?.view })
        return published.withLock { held in
            if let held, held.number > drafted.number { return held.view }
            held = PublishedView(number: drafted.number, view: view)
            return view
        }
    }
}
