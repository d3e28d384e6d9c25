//! `sense colour` and the photo of an observation: decode, turn as the camera says, measure.

use super::vocabulary::default_card;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Deserialize;
use toji_core::{Category, Error, Place, Result};
use toji_sense::colour::{Corners, Measured, Picture, Region, card, measure};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

/// Largest file.
const BYTES_MAX: usize = 64 << 20;
/// Largest side, pixels.
const SIDE_MAX: usize = 20_000;
/// Most pixels.
const PIXELS_MAX: usize = 80_000_000;

/// A photo with what to read in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Photo {
    /// File, or address (`sha256:…`) of an uploaded one: JPEG or PNG.
    ///
    /// ファイル、または送信済みファイルのアドレス（`sha256:…`）：JPEG か PNG。
    path: String,
    /// Card in the picture.
    ///
    /// 写真の中の色票。
    #[serde(default = "default_card")]
    pub(super) card: String,
    /// Corners of the card as fractions of the picture; without them the photo is kept and not measured.
    ///
    /// 色票の四隅（写真の幅・高さに対する割合）。省略時は写真を保存し、測定しない。
    #[serde(default)]
    pub(super) corners: Option<Corners>,
    /// Area to measure, as fractions of the picture.
    ///
    /// 測る範囲（写真の幅・高さに対する割合）。
    #[serde(default)]
    pub(super) subject: Option<Region>,
    /// Keep the photo without a colour when the card does not fit, instead of refusing it.
    ///
    /// 色票が合わないとき、断らずに色なしで写真を保存。
    #[serde(default)]
    pub(super) keep_unmeasured: bool,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense colour",
            label: ["写真の色の測定", "Measure colour in a photo"],
            about: [
                "写真の色票で較正し、指定した範囲の色を L* a* b* と不確かさで返します。色票が合わない写真は断ります。何も書き込みません。",
                "Calibrates a photo by the card in it and returns the colour of an area as L* a* b* with its uncertainty. A photo whose card does not fit is refused. Writes nothing.",
            ],
            positional: &["path"],
            example: "toji sense colour tank3.jpg --corners @corners.json --subject @area.json",
        },
        Effect::Read,
        |context: Context, input: Photo| async move {
            let (_, bytes) = load(&context, &input).await?;
            colour(bytes, &input).await?.ok_or_else(|| {
                Error::input(
                    "E-PHOTO-005",
                    "色票の四隅と測る範囲がありません",
                    "the corners of the card and the area to measure are missing",
                )
                .at(Place::field("corners"))
                .hint("corners と subject を 0〜1 の割合で指定してください", "give corners and subject as fractions 0 to 1")
            })
        },
    )
}

/// The photo's name and bytes.
pub(super) async fn load(context: &Context, photo: &Photo) -> Result<(String, Vec<u8>)> {
    let (name, bytes) = crate::run::fetch(context, &photo.path).await.map_err(|e| e.at(Place::field("path")))?;
    if bytes.len() > BYTES_MAX {
        return Err(limit(bytes.len() >> 20, BYTES_MAX >> 20, "MiB"));
    }
    Ok((name, bytes))
}

fn limit(found: usize, most: usize, unit: &str) -> Error {
    let (ja, en) = (
        format!("写真が大きすぎます ({found} {unit}、上限 {most})"),
        format!("the photo is too large ({found} {unit}, at most {most})"),
    );
    Error::new(Category::Limit, "E-PHOTO-001", ja, en)
        .at(Place::field("path"))
        .hint("縮小して送ってください", "send a smaller one")
}

/// Measures, when corners and area are given. Decoding is work for a processor and runs on a thread of its own.
pub(super) async fn colour(bytes: Vec<u8>, photo: &Photo) -> Result<Option<Measured>> {
    let card = card::get(&photo.card).map_err(|e| e.at(Place::field("card")))?;
    let asked = photo.corners.zip(photo.subject);
    let work = move || {
        let image = decode(&bytes)?;
        let Some((corners, subject)) = asked else { return Ok(None) };
        let picture = Picture::new(image.width, image.height, &image.rgb).ok_or_else(|| unreadable("0 × 0"))?;
        measure(&picture, card, &corners, &subject).map(Some)
    };
    // A decoder that gives up on a hostile file ends its own thread, not the program.
    tokio::task::spawn_blocking(work).await.map_err(|e| unreadable(&e.to_string()))?
}

struct Image {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

fn unreadable(detail: &str) -> Error {
    Error::input("E-PHOTO-002", format!("写真として読めません: {detail}"), format!("not readable as a photo: {detail}"))
        .at(Place::field("path"))
        .hint("JPEG または PNG で送ってください", "send a JPEG or PNG")
}

fn decode(bytes: &[u8]) -> Result<Image> {
    let options = DecoderOptions::default()
        .set_max_width(SIDE_MAX)
        .set_max_height(SIDE_MAX)
        .png_set_strip_to_8bit(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    match bytes {
        [0xff, 0xd8, ..] => jpeg(bytes, options),
        [0x89, b'P', b'N', b'G', ..] => png(bytes, options),
        _ => Err(unreadable("JPEG/PNG?")),
    }
}

fn jpeg(bytes: &[u8], options: DecoderOptions) -> Result<Image> {
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| unreadable(&e.to_string()))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| unreadable("0 × 0"))?;
    if width.saturating_mul(height) > PIXELS_MAX {
        return Err(limit(width * height / 1_000_000, PIXELS_MAX / 1_000_000, "Mpx"));
    }
    let orientation = decoder.exif().map_or(1, |exif| orientation(exif));
    let rgb = decoder.decode().map_err(|e| unreadable(&e.to_string()))?;
    Ok(turned(Image { width, height, rgb }, orientation))
}

fn png(bytes: &[u8], options: DecoderOptions) -> Result<Image> {
    let mut decoder = zune_png::PngDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| unreadable(&e.to_string()))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| unreadable("0 × 0"))?;
    if width.saturating_mul(height) > PIXELS_MAX {
        return Err(limit(width * height / 1_000_000, PIXELS_MAX / 1_000_000, "Mpx"));
    }
    let raw = decoder.decode_raw().map_err(|e| unreadable(&e.to_string()))?;
    let samples = decoder.colorspace().map_or(0, |c| c.num_components());
    let rgb: Vec<u8> = match samples {
        1 | 2 => raw.chunks_exact(samples).flat_map(|p| [p[0]; 3]).collect(),
        3 => raw,
        4 => raw.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        _ => return Err(unreadable("colour space")),
    };
    Ok(Image { width, height, rgb })
}

/// How the camera was held (EXIF tag 0x0112), 1 when it does not say. People see the picture turned by it,
/// so corners are meant that way.
fn orientation(exif: &[u8]) -> u8 {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let little = tiff.starts_with(b"II");
    let two = |at: usize| {
        let pair: [u8; 2] = tiff.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }))
    };
    let four = |at: usize| {
        let word: [u8; 4] = tiff.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) }).ok()
    };
    let read = || {
        let start = four(4)?;
        let entries = two(start)?;
        (0..entries.min(200)).map(|i| start + 2 + 12 * i).find(|at| two(*at) == Some(0x0112)).and_then(|at| two(at + 8))
    };
    read().and_then(|o| u8::try_from(o).ok()).filter(|o| (1..=8).contains(o)).unwrap_or(1)
}

fn turned(image: Image, orientation: u8) -> Image {
    if orientation == 1 {
        return image;
    }
    let (w, h) = (image.width, image.height);
    let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
    let mut rgb = Vec::with_capacity(image.rgb.len());
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            let at = (sy * w + sx) * 3;
            rgb.extend(image.rgb.get(at..at + 3).unwrap_or(&[0; 3]));
        }
    }
    Image { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_moves_the_pixels_as_the_camera_was_held() {
        // a b / c d, each of one channel value.
        let image = || Image { width: 2, height: 2, rgb: [1u8, 2, 3, 4].into_iter().flat_map(|v| [v; 3]).collect() };
        let seen = |o: u8| turned(image(), o).rgb.chunks(3).map(|p| p[0]).collect::<Vec<_>>();
        assert_eq!(seen(1), [1, 2, 3, 4]);
        assert_eq!(seen(3), [4, 3, 2, 1]);
        // Held with its right side up: the picture is shown turned clockwise.
        assert_eq!(seen(6), [3, 1, 4, 2]);
        assert_eq!(seen(8), [2, 4, 1, 3]);
    }

    #[test]
    fn the_orientation_is_read_in_either_byte_order() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0";
        assert_eq!((orientation(little), orientation(big)), (6, 3));
        assert_eq!((orientation(b""), orientation(b"II*\0\xff\xff\xff\xff")), (1, 1));
    }

    #[test]
    fn broken_photos_are_refused_not_decoded() {
        for bytes in [&b"GIF89a"[..], b"\xff\xd8\xff\xe0junk", b"\x89PNG\r\n\x1a\nshort", b""] {
            assert_eq!(decode(bytes).err().map(|e| e.code()), Some("E-PHOTO-002"), "{bytes:?}");
        }
    }
}
