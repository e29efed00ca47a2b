// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is held to: Swift 6 with the upcoming import rules, and no warning.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let fixtures = Resource.copy("Fixtures")

let package = Package(
    name: "rollcall",
    products: [
        .executable(name: "rollcall", targets: ["CommandLineClient"]),
        .executable(name: "rollcall-gateway", targets: ["Gateway"]),
        .executable(name: "rollcall-poller", targets: ["Poller"]),
        .executable(name: "rollcall-registrar", targets: ["Registrar"]),
        .executable(name: "rollcall-simulator", targets: ["Simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: [.defaults, "YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CThreads"),
        // Threads of the program's own, for what blocks, and what wakes them.
        .target(name: "Threads", dependencies: ["CThreads"], swiftSettings: strict),
        // JSON without a word of the domain: scanner, reader, value, writer.
        .target(name: "JSON", swiftSettings: strict),
        .target(
            name: "AMQP", dependencies: ["CRabbitMQ", "Threads", logging, lifecycle, collections], swiftSettings: strict
        ),
        .target(name: "Curl", dependencies: ["CCurl", "Threads", collections], swiftSettings: strict),
        .target(
            name: "Catalog", dependencies: ["AMQP", "Conventions", "JSON", logging, lifecycle, collections, crypto],
            swiftSettings: strict),
        // What all programs do alike and that needs no library: the version, a secret's file, the namespace, how far two
        // names are from each other, which characters are hidden.
        .target(name: "Conventions", swiftSettings: strict),
        .target(
            name: "Launch",
            dependencies: [
                "AMQP", "CMalloc", "Conventions", "JSON", collections, logging, lifecycle, nio, nioPosix, nioHTTP1,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "CommandLineClient",
            dependencies: ["AMQP", "Catalog", "Conventions", "Curl", "JSON", arguments, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "Gateway",
            dependencies: [
                "AMQP", "Catalog", "Conventions", "JSON", "Launch", crypto, logging, lifecycle, httpTypes, nio,
                nioPosix, nioHTTP1,
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "Poller",
            dependencies: [
                "AMQP", "Catalog", "Conventions", "Curl", "JSON", "Launch", collections, crypto, logging, lifecycle,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Registrar",
            dependencies: [
                "AMQP", "Catalog", "Conventions", "Curl", "JSON", "Launch", crypto, logging, lifecycle,
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "Simulator",
            dependencies: [
                "Conventions", "JSON", "Launch", crypto, logging, lifecycle, httpTypes, nio, nioHTTP1, nioPosix,
            ],
            swiftSettings: strict),
        // What tests of several targets need.
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads"], swiftSettings: strict),
        .testTarget(
            name: "AMQPTests", dependencies: ["AMQP", "CRabbitMQ", "TestSupport", "Threads", logging, lifecycle],
            swiftSettings: strict),
        .testTarget(name: "CurlTests", dependencies: ["Curl", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CatalogTests", dependencies: ["Catalog", "Conventions", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "LaunchTests", dependencies: ["Launch", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CommandLineClientTests",
            dependencies: ["CommandLineClient", "Conventions", "Curl", "JSON", "TestSupport", arguments],
            swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Conventions", "Gateway", "Curl", "JSON", "TestSupport", httpTypes, nio, nioPosix, nioHTTP1,
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .testTarget(
            name: "PollerTests", dependencies: ["Poller", "JSON", "TestSupport"], resources: [fixtures],
            swiftSettings: strict),
        .testTarget(
            name: "RegistrarTests", dependencies: ["Registrar", "TestSupport"], resources: [fixtures],
            swiftSettings: strict),
        .testTarget(
            name: "SimulatorTests", dependencies: ["Conventions", "Simulator", "JSON", "TestSupport"],
            swiftSettings: strict),
        // What fills streams for `make bench`; the C and Python programs beside it are its references and its load.
        .executableTarget(
            name: "Benchmarks", dependencies: ["AMQP", "Catalog", logging], path: "Tests/Benchmarks",
            exclude: [
                "bare_amqp.h", "bare_broker.c", "bare_poll.c", "bare_read.c", "changes.py", "chat.lua", "chat_load.c",
                "nginx-proxy.conf", "nginx.conf", "wrk.lua",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEnd", dependencies: ["AMQP", "CRabbitMQ", "Catalog", "Curl", "TestSupport", logging],
            exclude: ["Programs", "requirements.txt"], swiftSettings: strict),
    ]
)

// Where only the programs are built, as for a container image, the folder Tests need not be there.
if Context.environment["ROLLCALL_PROGRAMS_ONLY"] != nil {
    package.targets.removeAll { $0.path?.hasPrefix("Tests/") ?? ($0.type == .test) }
}
