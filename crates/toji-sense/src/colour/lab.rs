//! sRGB, CIE XYZ and CIELAB, all for white D65 and the 2° observer (IEC 61966-2-1, CIE 15).

use serde::{Deserialize, Serialize};

/// A colour of CIELAB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Lab {
    /// Lightness L*, 0 (black) to 100 (white).
    pub l: f64,
    /// a*: green (−) to red (+).
    pub a: f64,
    /// b*: blue (−) to yellow (+).
    pub b: f64,
}

/// Red, green and blue of linear light, 1 for white.
pub type Linear = [f64; 3];

/// XYZ of white D65, 2° observer.
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];
const TO_XYZ: [[f64; 3]; 3] =
    [[0.412_456_4, 0.357_576_1, 0.180_437_5], [0.212_672_9, 0.715_152_2, 0.072_175_0], [0.019_333_9, 0.119_192_0, 0.950_304_1]];
const FROM_XYZ: [[f64; 3]; 3] = [
    [3.240_454_2, -1.537_138_5, -0.498_531_4],
    [-0.969_266_0, 1.876_010_8, 0.041_556_0],
    [0.055_643_4, -0.204_025_9, 1.057_225_2],
];

pub(crate) fn times(matrix: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

/// Linear light of an sRGB value of 0 to 1.
#[must_use]
pub fn linear(encoded: f64) -> f64 {
    if encoded <= 0.040_45 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// The sRGB value of 0 to 1 of linear light; what a screen cannot show is cut.
#[must_use]
pub fn encoded(linear: f64) -> f64 {
    let cut = linear.clamp(0.0, 1.0);
    if cut <= 0.003_130_8 { 12.92 * cut } else { 1.055 * cut.powf(1.0 / 2.4) - 0.055 }
}

/// Linear light of an sRGB triple of 8 bits.
#[must_use]
pub fn linear_of_bytes(rgb: [u8; 3]) -> Linear {
    rgb.map(|byte| linear(f64::from(byte) / 255.0))
}

impl Lab {
    /// From linear sRGB light.
    #[must_use]
    pub fn from_linear(rgb: Linear) -> Self {
        let xyz = times(&TO_XYZ, rgb);
        // CIE's exact constants: (6/29)³ and (29/3)³ / 27 · 1/116.
        let f = |t: f64| {
            const EDGE: f64 = 216.0 / 24_389.0;
            if t > EDGE { t.cbrt() } else { (24_389.0 / 27.0 * t + 16.0) / 116.0 }
        };
        let (x, y, z) = (f(xyz[0] / WHITE[0]), f(xyz[1] / WHITE[1]), f(xyz[2] / WHITE[2]));
        Self { l: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }
    /// To linear sRGB light; may lie outside 0 to 1.
    #[must_use]
    pub fn to_linear(self) -> Linear {
        let y = (self.l + 16.0) / 116.0;
        let (x, z) = (y + self.a / 500.0, y - self.b / 200.0);
        let g = |f: f64| {
            let cube = f * f * f;
            if cube > 216.0 / 24_389.0 { cube } else { (116.0 * f - 16.0) * 27.0 / 24_389.0 }
        };
        times(&FROM_XYZ, [g(x) * WHITE[0], g(y) * WHITE[1], g(z) * WHITE[2]])
    }
    /// From an sRGB triple of 8 bits.
    #[must_use]
    pub fn from_bytes(rgb: [u8; 3]) -> Self {
        Self::from_linear(linear_of_bytes(rgb))
    }
    /// The nearest sRGB triple of 8 bits a screen can show.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        self.to_linear().map(|light| (encoded(light) * 255.0).round().clamp(0.0, 255.0) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(rgb: [u8; 3], expected: [f64; 3]) {
        let lab = Lab::from_bytes(rgb);
        for (found, wanted) in [lab.l, lab.a, lab.b].into_iter().zip(expected) {
            assert!((found - wanted).abs() < 0.006, "{rgb:?}: {lab:?} instead of {expected:?}");
        }
    }

    #[test]
    fn primaries_of_srgb_have_their_published_lab() {
        // Values of sRGB primaries under D65, as tabulated in colour science texts.
        check([255, 255, 255], [100.0, 0.0, 0.0]);
        check([0, 0, 0], [0.0, 0.0, 0.0]);
        check([255, 0, 0], [53.24, 80.09, 67.20]);
        check([0, 255, 0], [87.73, -86.18, 83.18]);
        check([0, 0, 255], [32.30, 79.19, -107.86]);
        check([255, 255, 0], [97.14, -21.55, 94.48]);
        check([128, 128, 128], [53.59, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn there_and_back(rgb in proptest::array::uniform3(0u8..=255)) {
            prop_assert_eq!(Lab::from_bytes(rgb).to_bytes(), rgb);
        }
    }
}
