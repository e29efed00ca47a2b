import Catalog

extension HTTPFailure {
    /// 404 `model_not_found` that names the models that may have been meant.
    ///
    /// A caller without the scope `models` is told no names.
    ///
    /// The words depend on nothing but the models that `caller` sees. They are the same for a model that exists and is
    /// hidden from the caller as for one that does not exist.
    static func unknownModel(
        _ id: String, for caller: Caller, in view: CatalogView, _ lists: ModelListCache
    ) -> HTTPFailure {
        let visible = lists.models(for: caller, in: view)
        let name = QuotedText.of(id, atMost: longestID)
        let isRestricted = caller.models != nil
        let missing = isRestricted ? "This key has no model \(name)" : "No endpoint that is online has a model \(name)"
        guard caller.mayList else {
            return .notFound(
                "model_not_found",
                missing + ". Which models there are is told only to those who have the scope \"models\".")
        }
        return .notFound("model_not_found", missing + hint(id, visible, isRestricted, view.hasEndpoints))
    }

    /// Unicode scalars. Ids that are longer are not suggested either.
    private static let longestID = 120

    private static func hint(_ id: String, _ visible: VisibleModels, _ isRestricted: Bool, _ hasEndpoints: Bool)
        -> String
    {
        guard !visible.models.isEmpty else {
            if isRestricted { return ". None of the models that it is for is available now." }
            return hasEndpoints
                ? ", nor any other model. GET /v0/endpoints says what is wrong with each endpoint."
                : ": there is no endpoint yet. POST /v0/endpoints adds one."
        }
        let near = shown(visible.near(id, count: 3).models)
        if !near.isEmpty {
            return ". Did you mean \(near.joined(separator: " or "))? GET /v1/models lists all models."
        }
        let few = visible.models.count <= 5 ? shown(visible.models) : []
        if !few.isEmpty { return ". The models are \(few.joined(separator: ", "))." }
        return ". GET /v1/models lists the \(visible.models.count) models."
    }

    /// In quotes. Without those that cannot be shown as they are: nobody could copy them.
    private static func shown(_ models: some Collection<ListedModel>) -> [String] {
        models.map(\.id.value).filter { QuotedText.plain($0, atMost: longestID).utf8.elementsEqual($0.utf8) }
            .map { QuotedText.of($0, atMost: longestID) }
    }
}
