//! A grey image -> the texts of its QR codes.
//!
//! The host decodes image files and hands in pixels; nothing here does I/O, keeps state or
//! starts threads. [`scan`] never fails: an image without a readable code gives an empty list.
//!
//! The codes are read by `rqrr`, over a short list of ways to prepare the image: see `passes`.

mod code;
mod gray;
mod passes;
mod plane;
mod reader;

pub use code::{Code, Point};
pub use gray::{GrayImage, ImageError, MAX_PIXELS};
pub use passes::scan;
pub use reader::silence_caught_panics;
