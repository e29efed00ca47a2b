import Catalog
import FoundationEssentials
import TestSupport
import Testing

@testable import Registrar

/// What the Hub's errors mean.
@Suite struct HubRefusalTests {
    struct Line: Sendable, CustomStringConvertible {
        let fixture: String
        /// Of a fixture that is only a body.
        var status: Int?
        var hasToken = false
        var isFile = false
        let expected: String
        /// A word of the message.
        var says = ""
        var retryAfter: Int?

        var description: String { fixture + (hasToken ? ", with a token" : "") + (isFile ? ", a file" : "") }
    }

    static let table: [Line] = [
        Line(fixture: "errors/302_resolve_lfs.http", isFile: true, expected: "502 hub_error"),
        Line(fixture: "errors/307_renamed_repo.http", expected: "502 hub_error"),
        Line(fixture: "errors/400_expand_option.json", status: 400, expected: "502 hub_error"),
        Line(fixture: "errors/401_bad_token.http", hasToken: true, expected: "502 hub_error", says: "HF_TOKEN"),
        Line(
            fixture: "errors/401_gated_anonymous.http", isFile: true, expected: "403 gated_repository", says: "HF_TOKEN"
        ),
        Line(fixture: "errors/401_gated_api_2024.http", expected: "403 gated_repository", says: "HF_TOKEN"),
        Line(fixture: "errors/401_html_shell.http", expected: "404 repository_not_found", says: "private"),
        Line(
            fixture: "errors/401_missing_or_private_anonymous.http", expected: "404 repository_not_found",
            says: "it may be private. Give the registrar a token that may read it (HF_TOKEN)"),
        Line(
            fixture: "errors/401_missing_or_private_anonymous.http", hasToken: true,
            expected: "404 repository_not_found", says: "token may read"),
        Line(fixture: "errors/403_disabled.http", expected: "404 repository_not_found", says: "disabled"),
        Line(
            fixture: "errors/403_fine_grained_token.http", hasToken: true, expected: "403 gated_repository",
            says: "fine-grained"),
        Line(
            fixture: "errors/403_gated_not_authorized.http", hasToken: true, isFile: true,
            expected: "403 gated_repository", says: "has not been given access"),
        Line(fixture: "errors/404_entry_not_found.http", isFile: true, expected: "400 file_not_found"),
        Line(
            fixture: "errors/404_repo_not_found_authenticated.http", hasToken: true,
            expected: "404 repository_not_found"),
        Line(fixture: "errors/404_revision_not_found.http", expected: "404 revision_not_found", says: "badrev"),
        Line(fixture: "errors/429_cloudfront_html.http", expected: "429 hub_rate_limited", says: "later"),
        Line(fixture: "errors/429_html.http", expected: "429 hub_rate_limited"),
        Line(fixture: "errors/429_quota_named.http", expected: "429 hub_rate_limited", says: "55 s", retryAfter: 55),
        Line(fixture: "errors/429_rate_limited.http", expected: "429 hub_rate_limited", retryAfter: 55),
        Line(fixture: "error_body_as_list.json", status: 400, expected: "502 hub_error"),
        Line(fixture: "error_body_as_list.json", status: 503, expected: "502 hub_error", says: "503"),
        Line(fixture: "error_body_as_list.json", status: 404, expected: "404 repository_not_found"),
        Line(fixture: "error_body_as_list.json", status: 403, expected: "403 gated_repository"),
    ]

    @Test(arguments: table)
    func means(_ line: Line) throws {
        let answer = try line.status == nil ? FixtureFolder.hub.answer(line.fixture) : nil
        let reference = try RepositoryReference(
            RegistrationRequest(repo: "org/name", revision: "badrev"), hub: .standard)
        let rejection = HubRefusal.rejection(
            status: line.status ?? answer?.status ?? 0, header: { answer?.header($0) },
            subject: line.isFile ? .file("config.json") : .repository(reference), hasToken: line.hasToken)
        #expect("\(rejection.status) \(rejection.error.code)" == line.expected)
        #expect(rejection.error.message.contains(line.says))
        #expect(rejection.retryAfter == line.retryAfter)
        // Nothing of the answer's own words.
        #expect(!rejection.error.message.contains("203.0.113.7") && !rejection.error.message.contains("problem\""))
        let kinds = [
            400: "invalid_request_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error",
            502: "upstream_error", 504: "upstream_error",
        ]
        #expect(rejection.error.type == kinds[rejection.status])
    }

    @Test(
        arguments: [
            ("7", nil, 7), ("0", nil, 0), ("-1", nil, nil), ("soon", nil, nil), ("99999999999999999999", nil, nil),
            ("Sun, 22 Nov 2026 20:01:00 GMT", nil, 60), ("Sun, 22 Nov 2026 19:00:00 GMT", nil, 0),
            ("Sun, 22 Nov 2026", nil, nil), (nil, "\"api\";r=0;t=55", 55), (nil, "\"api\"; r=0; t=55", 55),
            (nil, "\"api\";r=499;t=295", nil), (nil, "\"api\";t=5", 5), (nil, "\"api\";r=0;t=55, \"b\";r=1;t=1", 55),
            (nil, "\"api\";r=0;t=-1", nil), (nil, "", nil), ("7", "\"api\";r=0;t=55", 7),
            ("soon", "\"api\";r=0;t=55", 55),
        ] as [(String?, String?, Int?)])
    func advice(_ retryAfter: String?, _ rateLimit: String?, _ seconds: Int?) {
        let now = Date(timeIntervalSince1970: 1_795_377_600)
        #expect(RetryAdvice.seconds(retryAfter: retryAfter, rateLimit: rateLimit, now: now) == seconds)
    }
}
