import Catalog

/// Asks one endpoint for its models.
struct EndpointPoll: Sendable {
    struct Outcome: Sendable, Hashable {
        /// nil where it could not be told yet.
        var kind: EndpointKind?
        var models: [ModelEntry]
        /// Of the request that gave the list.
        var latencyMilliseconds: Int
        /// Entries of the list that name no model, and so are in no list of ours.
        var skipped = 0
    }

    let transport: any EndpointTransport
    let keys: EndpointKeys
    /// For all requests of one poll together.
    let timeout: Duration
    let clock: PollerClock

    /// A probe of a path that a server need not have gets no more than this, so that one that hangs does not cost the
    /// list that was already there.
    static let probeTimeout = Duration.seconds(2)
    /// Enough for 10,000 models in the pages of 20 that Anthropic sends.
    static let maximumPages = 500

    /// `detected` is what an earlier poll of this generation found; it is only asked where the record says `auto`.
    func callAsFunction(_ endpoint: EndpointRecord, detected: EndpointKind?) async throws(PollError) -> Outcome {
        let session = Session(
            transport: transport, baseURL: endpoint.baseURL, key: try keys.key(of: endpoint), clock: clock,
            deadline: clock.monotonic() + timeout)
        if endpoint.kind != .auto {
            return try await session.listing(of: endpoint.kind, formats: Self.formats(of: endpoint.kind))
        }
        guard let detected, detected != .auto else { return try await session.detect() }
        do {
            return try await session.listing(of: detected, formats: [Self.formats(of: detected)[0]])
        } catch {
            guard error.concernsThePath else { throw error }
            // Another server may have taken its place.
            return try await session.detect()
        }
    }

    /// The native list first, where there is one that says more.
    static func formats(of kind: EndpointKind) -> [ListFormat] {
        switch kind {
        case .ollama: [.ollamaTags, .openAI]
        case .lmstudio: [.lmStudioV0, .lmStudioV1, .openAI]
        case .auto, .openai, .vllm, .llamacpp: [.openAI]
        }
    }
}

extension EndpointPoll {
    /// The requests of one poll, under one deadline.
    private struct Session {
        let transport: any EndpointTransport
        let baseURL: String
        let key: String?
        let clock: PollerClock
        let deadline: Duration

        func get(_ path: String, atMost limit: Duration = .seconds(3600)) async throws(PollError) -> EndpointAnswer {
            let left = deadline - clock.monotonic()
            guard left > .zero else { throw PollError(.transport("timeout"), "no time was left for \(path)") }
            return try await transport.get(baseURL + path, key: key, timeout: min(left, limit))
        }

        /// Tries `formats` in turn; the failure of the first is the one that counts.
        func listing(of kind: EndpointKind, formats: [ListFormat]) async throws(PollError) -> Outcome {
            var first: PollError?
            for format in formats {
                do throws(PollError) {
                    let start = clock.monotonic()
                    let answer = try await get(format.path)
                    let latency = clock.monotonic() - start
                    let listing = try ModelListParser.parse(answer, as: format)
                    return try await complete(kind, listing, latency)
                } catch {
                    guard error.concernsThePath else { throw error }
                    first = first ?? error
                }
            }
            throw first ?? PollError(.noList, "there is no list to ask for")
        }

        func detect() async throws(PollError) -> Outcome {
            var detector = KindDetector()
            var probe = KindDetector.first
            var latency: Duration?
            while true {
                let start = clock.monotonic()
                let answer = await answer(to: probe, atMost: latency == nil ? .seconds(3600) : probeTimeout)
                latency = latency ?? (clock.monotonic() - start)
                switch detector.take(answer) {
                case .ask(let next): probe = next
                case .failed(let error): throw error
                case .found(let finding): return try await complete(finding.kind, finding.listing, latency ?? .zero)
                }
            }
        }

        private func answer(
            to probe: KindDetector.Probe, atMost limit: Duration
        ) async -> Result<EndpointAnswer, PollError> {
            do throws(PollError) {
                return .success(try await get(probe.path, atMost: limit))
            } catch {
                return .failure(error)
            }
        }

        /// Fetches what the first answer leaves open: further pages, llama.cpp's context, and what Ollama has in memory.
        private func complete(
            _ kind: EndpointKind?, _ listing: ModelListing, _ latency: Duration
        ) async throws(PollError) -> Outcome {
            var listing = listing
            var pages = 1
            while let next = listing.next, pages < EndpointPoll.maximumPages {
                pages += 1
                let path = "\(ListFormat.openAI.path)?after_id=\(percentEncoded(next))"
                guard listing.append(try ModelListParser.parse(try await get(path), as: .openAI)) else { break }
                listing = try listing.checked()
            }
            if kind == .llamacpp, listing.models.count == 1, listing.models[0].contextLength == nil {
                listing.models[0].contextLength = try await servedContext()
            }
            // Only Ollama's own list has digests.
            if kind == .ollama, listing.models.contains(where: { $0.contentDigest != nil }),
                let loaded = await loadedModels()
            {
                for index in listing.models.indices {
                    listing.models[index].loaded = loaded.contains(listing.models[index].id)
                }
            }
            return Outcome(
                kind: kind, models: listing.models.sorted { $0.id < $1.id },
                latencyMilliseconds: Int(latency.milliseconds), skipped: listing.skipped)
        }

        /// The context of the only model, from llama.cpp's `/props`; nil where the server does not tell.
        ///
        /// A server that stops answering here fails the poll: with nil, the model would seem to have changed.
        private func servedContext() async throws(PollError) -> Int? {
            do throws(PollError) {
                let properties = try await get("/props").json()
                return ModelListParser.context(properties["default_generation_settings"]?["n_ctx"])
            } catch {
                if case .transport = error.code { throw error }
                return nil
            }
        }

        /// The models that Ollama has in memory (docs/api.md, "List Running Models").
        ///
        /// nil if the server does not say. That fails no poll: servers that imitate Ollama need not have the route, and
        /// Ollama itself may keep the answer back while it loads a model.
        private func loadedModels() async -> Set<ModelID>? {
            do throws(PollError) {
                let answer = try await get("/api/ps", atMost: probeTimeout)
                return Set(try ModelListParser.parse(answer, as: .ollamaTags).models.map(\.id))
            } catch {
                return nil
            }
        }

        private func percentEncoded(_ text: String) -> String {
            text.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    String(Unicode.Scalar(byte))
                default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }
    }
}
