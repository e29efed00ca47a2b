import Catalog
import HTTPTypes
import JSON

extension WriteCoordinator.Outcome {
    /// The answer to the write: `succeeded` makes that of a change that was applied here.
    func response(_ succeeded: (Operation) throws -> Response) throws -> Response {
        switch self {
        case .accepted(let id):
            var writer = JSONWriter()
            writer.object { $0.field("operation", id) }
            return Response(json: writer.bytes, status: .accepted, headers: [.location: "/v0/operations/\(id)"])
        case .finished(let operation) where operation.state == .succeeded:
            return try succeeded(operation)
        case .finished(let operation):
            throw HTTPFailure(operation)
        }
    }
}

extension HTTPFailure {
    /// What a failed or expired operation is answered with.
    fileprivate init(_ operation: Operation) {
        let expired = operation.state == .expired
        let status = HTTPResponse.Status(
            code: (400..<600).contains(operation.status) ? operation.status : expired ? 503 : 500)
        let error =
            operation.error
            ?? APIError(
                type: HTTPFailure.type(of: status), code: expired ? "command_expired" : "command_failed",
                message: expired
                    ? "The change was not made in time and will not be made. Send it again." : "The change failed.")
        let wait = operation.retryAfter ?? (status.code == 503 ? 2 : nil)
        self.init(status: status, error: error, headers: wait.map { [.retryAfter: "\($0)"] } ?? [:])
    }
}
