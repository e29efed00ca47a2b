@main struct PollerCommand { static func main() {} }
