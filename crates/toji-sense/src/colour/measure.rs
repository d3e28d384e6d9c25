//! A colour from a picture: find how the card lies, fit, refuse a bad fit, read the subject.

use super::card::{Card, Patch};
use super::correction::{Correction, Shape};
use super::lab::{Lab, Linear};
use super::picture::{Area, Corners, Picture, Region, patches, region};
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Place, Result};

/// Largest root mean square ΔE2000 of patches left out at which a picture is still believed.
pub const ERROR_MAX: f64 = 5.0;
/// Largest unevenness of a patch: beyond it the frame does not lie on the card, or a shadow does.
const UNEVEN_MAX: f64 = 0.25;
/// Largest share of pixels of a patch at the end of the camera's scale.
const CLIPPED_MAX: f64 = 0.02;
/// Fewest patches that must be usable.
const PATCHES_MIN: usize = 12;

/// A measured colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Measured {
    /// The colour, D65.
    pub lab: Lab,
    /// The nearest colour a screen shows, as `#rrggbb`.
    pub srgb: String,
    /// Uncertainty: root mean square ΔE2000 of patches left out of the fit.
    pub error: f64,
    /// The worst patch when left out, and its ΔE2000.
    pub worst: (String, f64),
    /// Unevenness of the subject: standard deviation of light over its mean.
    pub unevenness: f64,
    /// Shape of the fitted map.
    pub shape: Shape,
    /// Patches used.
    pub used: usize,
    /// Patches not used, by name: clipped, uneven.
    pub not_used: Vec<String>,
    /// Quarter turns by which the card lay otherwise than the corners were named.
    pub quarter_turns: usize,
}

/// Measures the colour of `subject` with the card at `corners`.
///
/// # Errors
/// Corners that are no frame, areas outside the picture, too few usable patches, a fit above [`ERROR_MAX`],
/// a subject too bright or too dark for the camera.
pub fn measure(picture: &Picture<'_>, card: &Card, corners: &Corners, subject: &Region) -> Result<Measured> {
    if !corners.is_sound() {
        return Err(fault(
            "E-COLOUR-001",
            "corners",
            "色票の四隅が写真の中の四角形になっていません",
            "the corners of the card are no quadrilateral inside the picture",
        )
        .hint(
            "左上から時計回りに、0〜1 の割合で指定してください",
            "name them clockwise from the top left, as fractions 0 to 1",
        ));
    }
    let best = (0..4)
        .filter_map(|turns| fit_turned(picture, card, corners, turns))
        .min_by(|a, b| a.correction.error.total_cmp(&b.correction.error));
    let Some(best) = best else {
        return Err(fault(
            "E-COLOUR-002",
            "corners",
            "使える色見本が足りません (白飛び・黒つぶれ・影・枠のずれ)",
            "too few patches are usable: clipped, shaded, or the frame is off the card",
        )
        .hint(
            "色票全体を枠に合わせ、明るすぎない均一な光で撮り直してください",
            "fit the whole card into the frame and take it again in even light that is not too bright",
        ));
    };
    if best.correction.error > ERROR_MAX {
        let (error, limit) = (format!("{:.1}", best.correction.error), format!("{ERROR_MAX:.1}"));
        return Err(fault(
            "E-COLOUR-003",
            "corners",
            &format!("色票の較正が合いません (ΔE2000 {error}、上限 {limit})"),
            &format!("the card does not fit (ΔE2000 {error}, at most {limit})"),
        )
        .hint("色票の種類と四隅を確かめるか、撮り直してください", "check the card and its corners, or take the picture again"));
    }
    let area = region(picture, subject).ok_or_else(|| {
        fault("E-COLOUR-004", "subject", "測る範囲が写真の外です", "the area to measure lies outside the picture")
            .hint("0〜1 の割合で、写真の中を指定してください", "give it as fractions 0 to 1, inside the picture")
    })?;
    if area.clipped > 0.25 {
        return Err(fault(
            "E-COLOUR-005",
            "subject",
            "測る範囲が白飛びまたは黒つぶれしています",
            "the area to measure is too bright or too dark for the camera",
        )
        .hint("露出を変えて撮り直してください", "take it again with another exposure"));
    }
    Ok(told(card, best, &area))
}

fn fault(code: &'static str, field: &str, ja: &str, en: &str) -> Error {
    Error::new(Category::Input, code, ja, en).at(Place::field(field))
}

struct Fitted {
    correction: Correction,
    used: Vec<usize>,
    turns: usize,
}

fn is_usable(area: &Area) -> bool {
    area.clipped <= CLIPPED_MAX && area.unevenness <= UNEVEN_MAX
}

fn fit_turned(picture: &Picture<'_>, card: &Card, corners: &Corners, turns: usize) -> Option<Fitted> {
    let areas = patches(picture, &corners.turned(turns), card.columns, card.rows())?;
    let used: Vec<usize> = areas.iter().enumerate().filter(|(_, a)| is_usable(a)).map(|(i, _)| i).collect();
    if used.len() < PATCHES_MIN.max(card.patches.len() / 2) {
        return None;
    }
    let seen: Vec<Linear> = used.iter().filter_map(|i| areas.get(*i)).map(|a| a.mean).collect();
    let declared: Vec<Linear> = used.iter().filter_map(|i| card.patches.get(*i)).map(Patch::linear).collect();
    Correction::fit(&seen, &declared).map(|correction| Fitted { correction, used, turns })
}

fn told(card: &Card, best: Fitted, area: &Area) -> Measured {
    let Fitted { correction, used, turns } = best;
    let lab = correction.lab(area.mean);
    let [r, g, b] = lab.to_bytes();
    let worst = used.iter().zip(&correction.left_out).max_by(|a, b| a.1.total_cmp(b.1));
    let name = |i: usize| card.patches.get(i).map(|p| p.name.clone()).unwrap_or_default();
    Measured {
        lab,
        srgb: format!("#{r:02x}{g:02x}{b:02x}"),
        error: correction.error,
        worst: worst.map(|(i, d)| (name(*i), *d)).unwrap_or_default(),
        unevenness: area.unevenness,
        shape: correction.shape,
        used: used.len(),
        not_used: (0..card.patches.len()).filter(|i| !used.contains(i)).map(name).collect(),
        quarter_turns: turns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::card;
    use crate::colour::delta_e_2000;
    use crate::colour::lab::{encoded, times};

    const SIZE: usize = 300;

    /// A drawn photo: the card on the left, the subject on the right, through a camera with its lamp.
    fn photo(subject: Lab, quarter_turns: usize, gain: f64) -> Vec<u8> {
        let card = card::get("toji-24").unwrap();
        let camera = [[0.80, 0.10, 0.02], [0.06, 0.70, 0.05], [0.02, 0.09, 0.50]];
        let mut out = Vec::new();
        for y in 0..SIZE {
            for x in 0..SIZE {
                let (mut u, mut v) = (x as f64 / 180.0, y as f64 / SIZE as f64);
                for _ in 0..quarter_turns {
                    (u, v) = (v, 1.0 - u);
                }
                let light = if x < 180 {
                    let (column, row) = ((u * 6.0) as usize, (v * 4.0) as usize);
                    card.patches[row.min(3) * 6 + column.min(5)].linear()
                } else {
                    subject.to_linear()
                };
                // Weak noise that is the same every time.
                let noise = 1.0 + 0.01 * (((x * 37 + y * 91) % 17) as f64 / 8.0 - 1.0);
                out.extend(times(&camera, light).map(|l| (encoded(l * gain * noise) * 255.0).round() as u8));
            }
        }
        out
    }

    const FRAME: Corners = Corners([[0.0, 0.0], [0.6, 0.0], [0.6, 1.0], [0.0, 1.0]]);
    const SUBJECT: Region = Region { x: 0.7, y: 0.2, width: 0.2, height: 0.6 };

    #[test]
    fn the_colour_comes_back_through_a_strange_camera() {
        let card = card::get("toji-24").unwrap();
        for (subject, turns) in [(Lab { l: 82.0, a: 2.0, b: 22.0 }, 0), (Lab { l: 45.0, a: 14.0, b: 40.0 }, 2)] {
            let bytes = photo(subject, turns, 0.9);
            let picture = Picture::new(SIZE, SIZE, &bytes).unwrap();
            let found = measure(&picture, card, &FRAME, &SUBJECT).unwrap();
            assert!(delta_e_2000(found.lab, subject) < 1.0, "{found:?} instead of {subject:?}");
            assert!(found.error < 1.5 && found.quarter_turns == turns, "{found:?}");
        }
    }

    #[test]
    fn a_picture_without_its_card_is_refused() {
        let card = card::get("toji-24").unwrap();
        let code = |bytes: &[u8], corners: Corners, subject: Region| {
            let picture = Picture::new(SIZE, SIZE, bytes).unwrap();
            measure(&picture, card, &corners, &subject).unwrap_err().code()
        };
        let good = photo(Lab { l: 82.0, a: 2.0, b: 22.0 }, 0, 0.9);
        assert_eq!(code(&good, Corners([[0.0; 2]; 4]), SUBJECT), "E-COLOUR-001");
        assert_eq!(code(&vec![255; SIZE * SIZE * 3], FRAME, SUBJECT), "E-COLOUR-002");
        // Some other thing of many colours where the card should be.
        let other: Vec<u8> = (0..SIZE * SIZE)
            .flat_map(|i| {
                let (x, y) = (i % SIZE / 30, i / SIZE / 75);
                [(40 + x * 83 % 190) as u8, (40 + (x * 31 + y * 57) % 190) as u8, (40 + y * 121 % 190) as u8]
            })
            .collect();
        assert_eq!(code(&other, FRAME, SUBJECT), "E-COLOUR-003");
        assert_eq!(code(&good, FRAME, Region { x: 0.9, ..SUBJECT }), "E-COLOUR-004");
        assert_eq!(code(&photo(Lab { l: 100.0, a: 0.0, b: 0.0 }, 0, 1.3), FRAME, SUBJECT), "E-COLOUR-005");
    }
}
