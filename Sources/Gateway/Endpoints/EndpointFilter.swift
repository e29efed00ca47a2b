import Catalog

/// `?state=&kind=&label=` of the list of endpoints; an empty value filters nothing.
struct EndpointFilter: Sendable {
    let state: EndpointState?
    let kind: EndpointKind?
    let labels: [(name: String, value: String?)]

    /// Throws 400 `invalid_state`, `unknown_kind`.
    init(_ query: Query) throws(HTTPFailure) {
        state = try query.first("state").map { text throws(HTTPFailure) in
            guard let state = EndpointState(known: text) else {
                let states = EndpointState.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("invalid_state", "state must be one of \(states).", param: "state")
            }
            return state
        }
        kind = try query.first("kind").map { text throws(HTTPFailure) in
            guard let kind = EndpointKind(known: text) else {
                let kinds = EndpointKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("unknown_kind", "kind must be one of \(kinds).", param: "kind")
            }
            return kind
        }
        labels = query.all("label").map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (name: parts[0], value: parts.count > 1 ? parts[1] : nil)
        }
    }

    func matches(_ view: EndpointView) -> Bool {
        (state == nil || view.state == state)
            && (kind == nil || EndpointAnswer.kind(of: view) == kind)
            && labels.allSatisfy { label in
                view.record.labels[label.name].map { label.value == nil || label.value == $0 } ?? false
            }
    }
}
