/// Keys of the metadata of this process's log lines.
enum LogKey {
    static let requestID = "request_id"
    static let method = "method"
    static let path = "path"
    static let status = "status"
    static let milliseconds = "ms"
    static let reason = "reason"
    static let error = "error"
    static let host = "host"
    static let port = "port"
    static let operation = "operation"
    static let endpoint = "endpoint"
    static let trace = "trace"
    static let limit = "limit"
    static let announced = "announced"
    static let count = "count"
    static let leftOut = "left_out"
}
