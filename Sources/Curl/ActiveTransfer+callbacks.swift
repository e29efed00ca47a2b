internal import CCurl
internal import Glibc

// What libcurl calls, on the loop's thread, from within curl_multi_socket_action and curl_easy_pause. At file scope, as
// functions for C are isolated to nothing; the context is the handle, which the loop keeps alive.

private func transfer(_ context: UnsafeMutableRawPointer?) -> ActiveTransfer? {
    context.flatMap { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue().transfer }
}

/// CURLOPT_HEADERFUNCTION: anything but the number of bytes ends the transfer.
func receiveHeader(_ data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?)
    -> Int
{
    let line = UnsafeRawBufferPointer(start: data, count: size * count)
    return transfer(context)?.receive(headerLine: line) == true ? line.count : 0
}

/// CURLOPT_WRITEFUNCTION: the number of bytes, CURL_WRITEFUNC_PAUSE, or anything else to end the transfer.
func receiveBody(_ data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?) -> Int
{
    let body = UnsafeRawBufferPointer(start: data, count: size * count)
    guard let transfer = transfer(context), !body.isEmpty else { return 0 }
    switch transfer.receive(body: body) {
    case .taken: return body.count
    case .pause: return Int(CURL_WRITEFUNC_PAUSE)
    case .refused: return 0
    }
}

/// CURLOPT_READFUNCTION: the number of bytes given, 0 at the end, or CURL_READFUNC_ABORT.
func sendBody(_ data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?) -> Int {
    let buffer = UnsafeMutableRawBufferPointer(start: data, count: size * count)
    return transfer(context)?.send(into: buffer) ?? Int(CURL_READFUNC_ABORT)
}

/// CURLOPT_PREREQFUNCTION: called once a connection stands, new or used again, before the request is sent on it.
func noteConnected(
    _ context: UnsafeMutableRawPointer?, _: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?, _: Int32,
    _: Int32
) -> Int32 {
    transfer(context)?.isConnected = true
    return CURL_PREREQFUNC_OK
}

/// CURLOPT_SEEKFUNCTION: libcurl has to send the body again from `offset`, as when a connection that was kept turns out
/// to be closed.
func seekBody(_ context: UnsafeMutableRawPointer?, offset: curl_off_t, origin: Int32) -> Int32 {
    guard origin == SEEK_SET, let transfer = transfer(context), transfer.seek(to: Int(offset)) else {
        return CURL_SEEKFUNC_CANTSEEK
    }
    return CURL_SEEKFUNC_OK
}
