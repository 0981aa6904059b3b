//! Images, as a camera hands them in.

use testigo_scan::GrayImage;

/// Width and height in the first two bytes, then rows of grey; what is missing is black.
pub fn scan(bytes: &[u8]) {
    let Some(([width, height], pixels)) = bytes.split_first_chunk() else {
        return;
    };
    let (width, height) = (u32::from(*width), u32::from(*height));
    let mut grey = vec![0; (width * height) as usize];
    let length = grey.len().min(pixels.len());
    grey[..length].copy_from_slice(&pixels[..length]);
    testigo_scan::silence_caught_panics();
    if let Ok(image) = GrayImage::new(&grey, width, height, width as usize) {
        let _ = testigo_scan::scan(&image);
    }
}
