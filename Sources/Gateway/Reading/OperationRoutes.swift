import Catalog
import JSON

/// `GET /v0/operations/{id}`: what has become of a write, on any gateway, for an hour.
struct OperationRoutes: Sendable {
    let catalog: any CatalogSource

    func get(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        guard let operation = catalog.read({ $0.operation(id: call["id"]) }) else {
            throw HTTPFailure.notFound(
                "operation_not_found",
                "There is no operation with this id, or it ended more than an hour ago. Look at what it was to change instead."
            )
        }
        var writer = JSONWriter()
        writer.object { writer in
            if let preview = operation.preview {
                let answer = catalog.read { PreviewAnswer(preview, in: $0) }
                writer.field("preview", object: answer) { $1.write(into: &$0) }
            }
            if let error = operation.error { ErrorBody(error).write(into: &writer) }
            writer.field("id", operation.id)
            // The id of the record that was made or changed.
            writer.fieldIfKnown("result", operation.result)
            writer.field("state", operation.state.rawValue)
            writer.fieldIfKnown("step", operation.step)
        }
        return Response(json: writer.bytes)
    }
}
