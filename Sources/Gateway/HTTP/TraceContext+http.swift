import Catalog
import HTTPTypes

extension HTTPField.Name {
    static let traceParent = HTTPField.Name(TraceContext.parentHeader)!
    static let traceState = HTTPField.Name(TraceContext.stateHeader)!
}

extension TraceContext {
    /// nil where a request names no trace, or two of them.
    init?(_ headers: HTTPFields) {
        self.init(parent: headers[.traceParent], state: headers[.traceState])
    }
}
