import Catalog
import Curl

/// Requests to the Hub: retried, redirected, and bounded. The token goes to the Hub's own origin and nowhere else.
struct HubConnection: Sendable {
    let hub: HubAddress
    let token: String?
    let client: HTTPClient
    let limits: HubLimits
    let pauses: HubPauses
    let slots: TransferSlots
    private let informationQuota = HubQuota()
    private let fileQuota = HubQuota()

    init(
        hub: HubAddress, token: String?, client: HTTPClient, limits: HubLimits, pauses: HubPauses, slots: TransferSlots
    ) {
        self.hub = hub
        self.token = token
        self.client = client
        self.limits = limits
        self.pauses = pauses
        self.slots = slots
    }

    private func quota(of subject: HubRefusal.Subject) -> HubQuota {
        if case .file = subject { fileQuota } else { informationQuota }
    }

    /// Waits until the Hub may be asked for a repository in the background, for as long as that takes.
    func waitForBackground() async throws(Rejection) {
        while let opening = informationQuota.opening(for: .background) {
            try await pause(ContinuousClock.now.duration(to: opening))
        }
    }

    private func pause(_ duration: Duration) async throws(Rejection) {
        do {
            try await pauses.sleep(duration)
        } catch {
            throw .hubLookupCancelled
        }
    }

    /// An answer with status 200.
    struct Answer: Sendable {
        let body: [UInt8]
        /// After redirects.
        let url: String
        let wasRedirected: Bool
    }

    /// One attempt's outcome.
    private enum Outcome {
        case answer(Answer)
        /// What it means, and whether another attempt makes sense.
        case refused(Rejection, mayPass: Bool)
    }

    /// - Parameters:
    ///   - isStored: the Hub may redirect to where it stores large files, on another host.
    ///   - purpose: in the background a refusal for the rate limit is thrown at once.
    ///   - deadline: when there is no time left for another attempt, or for the Hub's rate limit.
    func get(
        _ url: String, subject: HubRefusal.Subject, purpose: HubQuota.Purpose = .registration, maximumBytes: Int,
        isStored: Bool = false, deadline: ContinuousClock.Instant
    ) async throws(Rejection) -> Answer {
        var attempt = 1
        while true {
            if attempt == 1, let opening = quota(of: subject).opening(for: .registration) {
                let wait = ContinuousClock.now.duration(to: opening)
                guard opening < deadline else {
                    throw .hubRateLimited(retryAfter: Int(wait.components.seconds) + 1)
                }
                try await pause(wait)
            }
            let rejection: Rejection
            let outcome = try await follow(
                url, subject: subject, maximumBytes: maximumBytes, isStored: isStored, deadline: deadline)
            switch outcome {
            case .answer(let answer): return answer
            case .refused(let reason, mayPass: false): throw reason
            case .refused(let reason, mayPass: true): rejection = reason
            }
            // Another request may have been told to wait for longer.
            let opening = quota(of: subject).opening(for: .registration).map { ContinuousClock.now.duration(to: $0) }
            let wait = max(wait(after: rejection, attempt: attempt), opening ?? .zero)
            let isLimited = rejection.status == 429
            // Whoever waits for a registration waits until the Hub allows it, if the Hub says when.
            let mayRepeat = isLimited && rejection.retryAfter != nil || attempt < limits.attempts
            guard mayRepeat, !(isLimited && purpose == .background), ContinuousClock.now + wait < deadline
            else { throw rejection }
            try await pause(wait)
            attempt += 1
        }
    }

    private func wait(after rejection: Rejection, attempt: Int) -> Duration {
        let doubling = limits.retryDelay * (1 << (attempt - 1))
        guard let asked = rejection.retryAfter.map({ Duration.seconds($0) }) else {
            return doubling + doubling * (pauses.jitter() / 2)
        }
        return max(asked, doubling) + limits.retryDelay * (pauses.jitter() / 2)
    }

    /// One attempt, over at most five redirects on the Hub; the last one may leave it for a stored file.
    private func follow(
        _ url: String, subject: HubRefusal.Subject, maximumBytes: Int, isStored: Bool,
        deadline: ContinuousClock.Instant
    ) async throws(Rejection) -> Outcome {
        var url = url
        var hasLeft = false
        for redirects in 0...limits.maximumRedirects {
            let response: HTTPResponse
            do {
                response = try await send(
                    url, token: hasLeft ? nil : token, maximumBytes: maximumBytes, deadline: deadline)
            } catch let error as HTTPError {
                return Self.outcome(of: error)
            } catch let rejection as Rejection {
                return .refused(rejection, mayPass: false)
            } catch {
                throw .hubLookupCancelled
            }
            if !hasLeft { quota(of: subject).note(status: response.status, header: { response.header($0) }) }
            switch response.status {
            case 200:
                return .answer(Answer(body: response.body, url: url, wasRedirected: redirects > 0))
            case 301, 302, 303, 307, 308:
                let location = response.header("Location")
                if !hasLeft, let next = RedirectRules.target(of: location, from: url, hub: hub) {
                    url = next
                } else if !hasLeft, isStored, let next = RedirectRules.storage(of: location, hub: hub) {
                    url = next
                    hasLeft = true
                } else {
                    throw .hubRedirectsAway
                }
            case let status where hasLeft:
                let mayPass = status == 429 || status >= 500
                return .refused(
                    mayPass
                        ? .hubError("The Hub's file storage answers with status \(status): try again later.")
                        : .hubStorageRefuses, mayPass: mayPass)
            default:
                let rejection = HubRefusal.rejection(
                    status: response.status, header: { response.header($0) }, subject: subject, hasToken: token != nil)
                return .refused(rejection, mayPass: response.status == 429 || response.status >= 500)
            }
        }
        throw .hubError("The Hub redirects more than \(limits.maximumRedirects) times.")
    }

    /// With a slot, and within what is left of the time. Throws `HTTPError`, `Rejection`, or `CancellationError`.
    private func send(
        _ url: String, token: String?, maximumBytes: Int, deadline: ContinuousClock.Instant
    ) async throws -> HTTPResponse {
        var request = HTTPRequest(url: url)
        request.headers = [("Accept", "application/json, text/plain, */*")]
        if let token { request.headers.append(("Authorization", "Bearer \(token)")) }
        request.connectTimeout = limits.connectTimeout
        request.maximumBodyBytes = maximumBytes
        request.maximumRedirects = 0
        return try await withThrowingTaskGroup(of: HTTPResponse?.self) { [request] group in
            group.addTask {
                try await slots.run {
                    var request = request
                    request.totalTimeout = min(limits.requestTimeout, deadline - ContinuousClock.now)
                    guard let total = request.totalTimeout, total > .zero else { throw Rejection.hubTimeout }
                    return try await client.execute(request)
                }
            }
            // The wait for a slot counts as well.
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            guard let response = try await group.next() ?? nil else { throw Rejection.hubTimeout }
            return response
        }
    }

    private static func outcome(of error: HTTPError) -> Outcome {
        switch error.code {
        case .timeout, .connectTimeout: .refused(.hubTimeout, mayPass: true)
        case .resolve, .connect:
            .refused(
                .hubError("The Hub cannot be reached (\(error.code)): check the network and HF_ENDPOINT."),
                mayPass: true)
        case .truncated, .reset:
            .refused(.hubError("The Hub's answer broke off (\(error.code)): try again."), mayPass: true)
        case .tooLarge: .refused(.hubFileTooLarge, mayPass: false)
        case .cancelled, .stopped: .refused(.hubLookupCancelled, mayPass: false)
        default: .refused(.hubError("The Hub cannot be asked (\(error.code))."), mayPass: false)
        }
    }
}

/// Which redirects are followed: those that stay on the Hub.
enum RedirectRules {
    /// Where the Hub stores a large file: an absolute URL on any host, over TLS if the Hub is. The request there carries
    /// no token.
    static func storage(of location: String?, hub: HubAddress) -> String? {
        guard let location, isReference(location),
            let origin = WebLocation(location)?.origin, origin.isTLS || !hub.origin.isTLS
        else { return nil }
        return String(location.prefix { $0 != "#" })
    }

    /// Whether a URL may be written so (RFC 3986, section 2).
    private static func isReference(_ location: String) -> Bool {
        (1...4096).contains(location.utf8.count)
            && location.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\\\"<>^`{|}".utf8.contains($0) }
    }

    /// The absolute URL, nil where it is on another scheme, host, or port, or no URL.
    static func target(of location: String?, from url: String, hub: HubAddress) -> String? {
        guard let location, isReference(location),
            let current = WebLocation(url), let base = current.origin, base == hub.origin
        else { return nil }
        let origin = (base.isTLS ? "https://" : "http://") + current.authority
        let withoutFragment = String(location.prefix { $0 != "#" })
        if withoutFragment.hasPrefix("//") {
            let absolute = (base.isTLS ? "https:" : "http:") + withoutFragment
            return WebLocation(absolute)?.origin == hub.origin ? absolute : nil
        }
        if withoutFragment.hasPrefix("/") { return origin + withoutFragment }
        // A scheme ends at the first colon, before any slash or query (RFC 3986, section 4.2).
        let head = withoutFragment.prefix { $0 != "/" && $0 != "?" }
        if head.contains(":") {
            guard let absolute = WebLocation(withoutFragment), absolute.origin == hub.origin else { return nil }
            return withoutFragment
        }
        if withoutFragment.isEmpty { return nil }
        if withoutFragment.hasPrefix("?") { return origin + current.path + withoutFragment }
        return origin + HubPath.folder(of: current.path) + withoutFragment
    }
}
