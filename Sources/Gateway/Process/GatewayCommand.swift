import Launch

/// `rollcall-gateway`.
@main struct GatewayCommand {
    static func main() async { await GatewayProcess.main() }
}
