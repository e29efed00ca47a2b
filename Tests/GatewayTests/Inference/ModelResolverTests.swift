import Catalog
import HTTPTypes
import Testing

@testable import Gateway

@Suite struct ModelResolverTests {
    private func holder(
        _ name: String, _ state: EndpointState, draining: Bool = false, maximum: Int? = nil
    ) -> ModelHolder {
        let record = EndpointRecord(
            id: "id-\(name)", name: name, baseURL: "http://x", maxConcurrency: maximum, draining: draining,
            generation: 1, revision: 1, createdAt: 1)
        return ModelHolder(endpoint: HeldEndpoint(record: record, state: state), model: ModelID("m-\(name)"))
    }

    private static let unknown = HTTPFailure.notFound("model_not_found", "There is none.")

    private func failure(_ holders: [ModelHolder], isRegistered: Bool = false) -> HTTPFailure? {
        do {
            _ = try ModelResolver.targets(
                among: ModelHolders(holders: holders, isRegistered: isRegistered), unknown: Self.unknown)
            return nil
        } catch {
            return error
        }
    }

    @Test func usableHoldersAreTargets() throws {
        let targets = try ModelResolver.targets(
            among: ModelHolders(
                holders: [
                    holder("a", .online, maximum: 3), holder("b", .offline), holder("c", .degraded),
                    holder("d", .online, draining: true), holder("e", .pending),
                ], isRegistered: false), unknown: Self.unknown)
        #expect(targets.map(\.id) == ["id-a", "id-c"])
        #expect(targets.map(\.model.value) == ["m-a", "m-c"])
        #expect(targets.map(\.isDegraded) == [false, true])
        #expect(targets.map(\.maximum) == [3, nil] && targets.allSatisfy { $0.weight == 10 })
    }

    @Test func otherwiseTheReasonIsNamed() throws {
        let unknown = try #require(failure([]))
        #expect(unknown.status.code == 404 && unknown.error.code == "model_not_found")
        let registered = try #require(failure([], isRegistered: true))
        #expect(registered.status.code == 503 && registered.error.code == "model_not_available")
        #expect(registered.error.message.contains("is registered") && registered.headers[.retryAfter] == "5")
        let away = try #require(
            failure((0..<7).map { holder("e\($0)", .offline) } + [holder("z", .online, draining: true)]))
        #expect(away.status.code == 503 && away.error.code == "model_not_available")
        #expect(away.error.message.contains("e0 (offline), e1 (offline)") && away.error.message.contains(" and 3 more"))
        #expect(try #require(failure([holder("z", .online, draining: true)])).error.message.contains("z (draining)"))
    }
}
