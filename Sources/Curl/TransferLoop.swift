internal import CCurl

/// The loop of the client's thread. It owns the multi handle and every easy handle, which are made on this thread and
/// never leave it: the type is not Sendable.
final class TransferLoop {
    /// Handles kept to be used again; one takes some 6 KiB.
    private static let maximumIdleHandles = 1024

    private let inbox: Inbox
    private let configuration: HTTPClient.Configuration
    private let authorities: Result<CertificateAuthorities, HTTPError>
    private let multi: UnsafeMutableRawPointer?
    private let sockets: SocketSet
    private var active: [ObjectIdentifier: ActiveTransfer] = [:]
    private var idle: [EasyHandle] = []
    private let turn = LoopTurn()
    /// Those of `active` that have a timeout of ours, and when one of them may run out at the earliest.
    private var timed: [ObjectIdentifier: ActiveTransfer] = [:]
    private var nextLook: ContinuousClock.Instant?

    /// Before libcurl 7.84 it must not run on two threads at once; a static is made once.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(inbox: Inbox, configuration: HTTPClient.Configuration) {
        self.inbox = inbox
        self.configuration = configuration
        authorities = Result { () throws(HTTPError) in try CertificateAuthorities(configuration) }
        multi = Self.isLibraryReady ? curl_multi_init() : nil
        sockets = SocketSet(wakeup: inbox.wakeup)
        if let multi {
            sockets.attach(to: multi)
            rollcall_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, configuration.maximumIdleConnections))
            rollcall_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost)
        }
    }

    /// Until the inbox is closed.
    func run() {
        // Out of memory at the start: whatever is asked for ends with `stopped`.
        guard let multi else {
            inbox.close()
            return stop()
        }
        while true {
            let (commands, isClosed) = inbox.drain()
            for command in commands { perform(command, on: multi) }
            if isClosed { break }
            endOverdue()
            turn.end()
            inbox.sleep { mayWait in sockets.wait(until: mayWait ? nextLook : .now) }
            sockets.act(on: multi)
            finishCompleted(of: multi)
            turn.end()
        }
        stop()
        idle.removeAll()
        curl_multi_cleanup(multi)
    }

    private func perform(_ command: Inbox.Command, on multi: UnsafeMutableRawPointer) {
        switch command {
        case .start(let exchange): start(exchange, on: multi)
        case .cancel(let exchange):
            if let transfer = active[ObjectIdentifier(exchange)] { end(transfer, .cancelled) }
        case .resumeReceiving(let exchange):
            active[ObjectIdentifier(exchange)]?.resumeReceiving()
        case .keepConnections(let count):
            rollcall_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, count))
        }
    }

    private func start(_ exchange: Exchange, on multi: UnsafeMutableRawPointer) {
        if exchange.isCancelled { return exchange.end(.cancelled) }
        guard let easy = idle.popLast() ?? EasyHandle() else { return exchange.end(HTTPError(.other, "out of memory")) }
        let transfer = ActiveTransfer(exchange, easy: easy, turn: turn)
        do throws(HTTPError) {
            try transfer.setUp(configuration, authorities.get())
        } catch {
            easy.release(keepsOptions: false)
            return exchange.end(error)
        }
        guard curl_multi_add_handle(multi, transfer.easy.pointer) == CURLM_OK else {
            easy.release(keepsOptions: false)
            return exchange.end(HTTPError(.other, "libcurl did not take the transfer"))
        }
        active[ObjectIdentifier(exchange)] = transfer
        guard transfer.isTimed else { return }
        timed[ObjectIdentifier(exchange)] = transfer
        look(again: transfer.nextLook(after: .now))
    }

    private func look(again instant: ContinuousClock.Instant?) {
        guard let instant else { return }
        nextLook = nextLook.map { min($0, instant) } ?? instant
    }

    /// Ends what has run out of its time.
    private func endOverdue() {
        guard let due = nextLook else { return }
        let now = ContinuousClock.now
        guard due <= now else { return }
        nextLook = nil
        for transfer in Array(timed.values) {
            if let failure = transfer.overdue(at: now) {
                end(transfer, failure)
            } else {
                look(again: transfer.nextLook(after: now))
            }
        }
    }

    private func finishCompleted(of multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            var context: UnsafeMutableRawPointer?
            guard rollcall_easy_get_private(easy, &context) == CURLE_OK, let context else { continue }
            // The message is gone once the handle is removed: its result is read first.
            let code = rollcall_message_result(message)
            let handle = Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
            if let transfer = handle.transfer { end(transfer, transfer.outcome(code)) }
        }
    }

    /// Takes a transfer out of libcurl, its connection closed when the answer is not complete, and tells the receiver.
    private func end(_ transfer: ActiveTransfer, _ failure: HTTPError?) {
        curl_multi_remove_handle(multi, transfer.easy.pointer)
        active[ObjectIdentifier(transfer.exchange)] = nil
        timed[ObjectIdentifier(transfer.exchange)] = nil
        transfer.easy.release(keepsOptions: transfer.keepsOptions)
        if idle.count < Self.maximumIdleHandles { idle.append(transfer.easy) }
        transfer.exchange.end(failure)
    }

    /// The inbox is closed: nothing comes after what is drained here.
    private func stop() {
        for command in inbox.drain().commands {
            if case .start(let exchange) = command { exchange.end(.stopped) }
        }
        for transfer in active.values { end(transfer, .stopped) }
    }
}

extension Exchange {
    /// Over, one way or the other.
    fileprivate func end(_ failure: HTTPError?) {
        receiver.finish(failure)
    }
}
