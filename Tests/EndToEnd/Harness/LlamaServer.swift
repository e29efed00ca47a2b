import Foundation
import Testing

/// A real llama.cpp server with a real model, `google/gemma-3-270m`.
enum LlamaServer {
    static let model = Paths.root.appendingPathComponent(".rollcall/gemma-3-270m.gguf")

    /// Returns once it listens.
    ///
    /// - Parameter folder: for its log
    static func start(in folder: URL, port: Int, model: URL = model) async throws -> ChildProcess {
        let child = try ChildProcess(
            "llama", executable: try #require(Paths.python),
            arguments: [Paths.programs.appendingPathComponent("llama_server.py").path, model.path, "\(port)"],
            log: folder.appendingPathComponent("llama-\(port).log"))
        do {
            try await eventually("llama.cpp listens", within: .seconds(120)) {
                try child.output.contains("\nlistening")
            }
        } catch {
            await child.killNow()
            throw error
        }
        return child
    }
}
