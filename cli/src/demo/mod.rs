//! `testigo demo`: the whole night in small. Every line that it prints is a thing that happened, in
//! real processes, on real sockets, with real files.

mod night;
mod sheets;
mod shown;

pub use night::run;
