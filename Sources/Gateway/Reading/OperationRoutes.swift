import Catalog
import Hummingbird

/// `GET /v0/operations/{id}`: what has become of a write, on any gateway, for an hour.
struct OperationRoutes: Sendable {
    let catalog: any CatalogSource

    func get(_ id: String) throws -> Response {
        try catalog.checkReady()
        guard let operation = catalog.read({ $0.operation(id: id) }) else {
            throw HTTPFailure.notFound(
                "operation_not_found", "There is no such operation, or it ended more than an hour ago.")
        }
        return try .json(OperationAnswer(operation))
    }
}

/// An operation as clients see it; `result` is the id of the record that was made or changed.
struct OperationAnswer: Encodable {
    let id: String
    let state: Operation.State
    let step: String?
    let result: String?
    let error: ErrorBody.Fields?

    init(_ operation: Operation) {
        id = operation.id
        state = operation.state
        step = operation.step
        result = operation.result
        error = operation.error.map { ErrorBody($0).error }
    }
}

/// The body of a 202.
struct AcceptedAnswer: Encodable {
    let operation: String
}
