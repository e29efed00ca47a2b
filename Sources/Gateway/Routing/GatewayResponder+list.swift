import Catalog
import HTTPTypes

extension GatewayResponder {
    /// The answer to `GET /v1/models` if it is the list, or 304. nil for everything else, which `begin` answers and logs.
    func listed(_ request: Request) -> Response? {
        do throws(HTTPFailure) {
            let caller = try access.caller(of: request, for: .read(.models))
            var response = try ModelRoutes(catalog: catalog, lists: lists).list(request, caller: caller)
            response.dependsOnKey()
            cors?.mark(&response.headers, for: request)
            return response
        } catch {
            return nil
        }
    }
}
