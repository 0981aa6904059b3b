// The build that Android developers expect: Android Studio, the SDK, the NDK and cargo ndk. See README.md: it was
// never run; the Maven build beside it is the one that the tests use. The sources are the same.

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    id("com.android.application") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.21"
}

android {
    namespace = "org.testigo.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.testigo.demo"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
    }

    sourceSets["main"].apply {
        java.srcDirs(
            "src/main/kotlin",
            "../bindings/kotlin/target/generated",
            "../bindings/kotlin/library/src/main/kotlin",
        )
        jniLibs.srcDir("target/jniLibs")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
    }
}

dependencies {
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}

// The core's library for each kind of processor.
val coreLibrary by tasks.registering(Exec::class) {
    workingDir = file("..")
    commandLine(
        "cargo", "ndk", "--platform", "26",
        "-t", "arm64-v8a", "-t", "armeabi-v7a", "-t", "x86_64",
        "-o", file("target/jniLibs").path,
        "build", "--locked", "--profile", "phone", "-p", "testigo-bindings",
    )
}

// The bindings' Kotlin, the same for every processor.
val coreKotlin by tasks.registering(Exec::class) {
    workingDir = file("../bindings/kotlin")
    commandLine("./generate")
}

tasks.named("preBuild") {
    dependsOn(coreLibrary, coreKotlin)
}
