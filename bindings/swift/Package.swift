// swift-tools-version:5.9
// Never compiled where it was written: see README.md. `./generate` writes what is missing here.
import PackageDescription

let package = Package(
    name: "Testigo",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Testigo", targets: ["Testigo"])],
    targets: [
        // The Rust library and the C header of its border.
        .binaryTarget(name: "TestigoFFI", path: "build/TestigoFFI.xcframework"),
        // The generated Swift.
        .target(name: "Testigo", dependencies: ["TestigoFFI"]),
    ]
)
