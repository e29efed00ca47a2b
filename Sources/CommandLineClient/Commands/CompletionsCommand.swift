import ArgumentParser
import Conventions

/// `rollcall completions`
struct CompletionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print a script that lets a shell complete this command.",
        discussion: """
            Names of models and endpoints are asked from the gateway. To use it now, and in every shell from now on:
              bash  source <(rollcall completions bash); the same line in ~/.bashrc
              zsh   source <(rollcall completions zsh), after compinit; the same line in ~/.zshrc
              fish  rollcall completions fish | source; in ~/.config/fish/config.fish
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }
    @Argument var shell: Shell

    func run() async throws {
        try await BrokerSession.reporting(to: .standard(isVerbose: false)) { console in
            let shell: CompletionShell =
                switch shell {
                case .bash: .bash
                case .zsh: .zsh
                case .fish: .fish
                }
            try console.write(Rollcall.completionScript(for: shell) + "\n" + (shell == .bash ? Self.colons : ""))
        }
    }

    /// bash takes a colon for a word of its own, and the parser's script takes words as they come. Names of models and
    /// addresses have colons, so this joins what no blank separates, and completes what is behind the last colon.
    private static let colons = #"""

        _rollcall_joined() {
            local -a joined=()
            local -i index current=0
            local rest="${COMP_LINE}" word
            for index in "${!COMP_WORDS[@]}"; do
                word="${COMP_WORDS[index]}"
                if [[ index -gt 0 && "${rest}" != [[:space:]]* && ("${word}" == :* || "${joined[-1]}" == *:) ]]; then
                    joined[-1]+="${word}"
                else
                    joined+=("${word}")
                fi
                rest="${rest#"${rest%%[![:space:]]*}"}"
                rest="${rest#"${word}"}"
                if [[ index -eq COMP_CWORD ]]; then current=$((${#joined[@]} - 1)); fi
            done
            local -a COMP_WORDS=("${joined[@]}")
            local -i COMP_CWORD="${current}"
            word="${joined[current]}"
            _rollcall "${1}" "${word}" "${joined[current - 1]}"
            if [[ "${word}" == *:* ]]; then COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}"); fi
        }

        complete -o filenames -F _rollcall_joined rollcall

        """#
}

/// `rollcall version`
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version of this command.")

    func run() async throws {
        try await BrokerSession.reporting(to: .standard(isVerbose: false)) { console in
            try console.write(rollcallVersion + "\n")
        }
    }
}
