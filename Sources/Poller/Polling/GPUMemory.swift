import Catalog
import JSON

/// The GPU memory of a server, from what two kinds say that list their models as OpenAI does.
enum GPUMemory {
    /// More than any server has; whatever says more is not speaking of memory.
    static let maximumBytes: Int64 = 1 << 50

    /// An answer of the right shape. No bytes: the server says that it has no GPU.
    struct Reading: Sendable, Hashable {
        var bytes: Int64?
    }

    enum Format: CaseIterable {
        /// xLLM, `GET /v0/system`.
        case xllm
        /// Lemonade, `GET /api/v1/system-info`.
        case lemonade

        func path(below baseURL: String) -> String {
            switch self {
            case .xllm: "/v0/system"
            // Lemonade's API is all below /api, which may be part of the endpoint's URL.
            case .lemonade: baseURL.hasSuffix("/api") ? "/v1/system-info" : "/api/v1/system-info"
            }
        }
    }

    /// nil for an answer that is something else: a 404, a page, an error that came with 200.
    static func parse(_ answer: EndpointAnswer, as format: Format) -> Reading? {
        let document: JSONValue
        do throws(PollError) {
            document = try answer.json()
        } catch {
            return nil
        }
        return switch format {
        case .xllm: xllm(document)
        case .lemonade: lemonade(document)
        }
    }

    private static func xllm(_ document: JSONValue) -> Reading? {
        guard let devices = document["device"]["gpu_devices"].array, devices.allSatisfy(\.isObject) else {
            return nil
        }
        return Reading(bytes: sum(devices.map { $0["total_memory_bytes"].count(upTo: maximumBytes) }))
    }

    private static func lemonade(_ document: JSONValue) -> Reading? {
        let devices = document["devices"]
        let lists = ["amd_gpu", "nvidia_gpu"].compactMap { devices[$0].array }
        // None of the lists: another version's words, which tell nothing.
        guard !lists.isEmpty else { return nil }
        let present = lists.joined().filter { $0["available"].bool != false }
        return Reading(bytes: sum(present.map { gigabytes($0["vram_gb"]) }))
    }

    private static func gigabytes(_ value: JSONValue) -> Int64? {
        guard let number = value.number else { return nil }
        let bytes = number * Double(1 << 30)
        return bytes >= 1 && bytes <= Double(maximumBytes) ? Int64(bytes) : nil
    }

    /// nil where no device says anything, or together they say too much.
    private static func sum(_ bytes: [Int64?]) -> Int64? {
        var total: Int64 = 0
        for bytes in bytes {
            total += bytes ?? 0
            if total > maximumBytes { return nil }
        }
        return total > 0 ? total : nil
    }
}

extension EndpointPoll {
    /// Asks a server for its GPU memory; nil where it does not tell, or not in time.
    func memory(of endpoint: EndpointRecord) async -> GPUMemory.Reading? {
        let deadline = clock.monotonic() + min(Self.probeTimeout, timeout)
        for format in GPUMemory.Format.allCases {
            let left = deadline - clock.monotonic()
            guard left > .zero else { return nil }
            do throws(PollError) {
                let url = endpoint.baseURL + format.path(below: endpoint.baseURL)
                let answer = try await transport.send(
                    EndpointRequest(url: url, key: try keys.key(of: endpoint)), timeout: left)
                if let reading = GPUMemory.parse(answer, as: format) { return reading }
            } catch {
                // The list had just been given, so this says nothing of the endpoint's health; asked again later.
                return nil
            }
        }
        return nil
    }
}
