//! Whole nights of phones and headquarters on simulated time, network and disks, with faults from a seed.
//!
//! The phone's and headquarters' own code runs on real SQLCipher files. Clocks, the network and the disk are
//! simulated. After each night everything heals, and every record that a phone called saved must be at
//! headquarters exactly once, with all its files, byte for byte.

#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod headquarters;
#[cfg(target_os = "linux")]
mod images;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod nights;
#[cfg(target_os = "linux")]
mod oracle;
#[cfg(target_os = "linux")]
mod phone;
#[cfg(target_os = "linux")]
mod template;
#[cfg(target_os = "linux")]
mod world;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    nights::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("The simulated disk knows Linux's calls only: run this on Linux.");
    std::process::ExitCode::FAILURE
}
