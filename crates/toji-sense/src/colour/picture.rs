//! Patch means from pixels: where the card lies in the picture, and what light its patches sent.

use super::lab::{Linear, linear};
use serde::{Deserialize, Serialize};

/// A picture in memory: rows from the top, three bytes (sRGB) a pixel.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    width: usize,
    height: usize,
    rgb: &'a [u8],
}

impl<'a> Picture<'a> {
    /// `None` when the bytes are not `width` × `height` × 3, or there is no pixel.
    #[must_use]
    pub fn new(width: usize, height: usize, rgb: &'a [u8]) -> Option<Self> {
        let size = width.checked_mul(height)?.checked_mul(3)?;
        (size > 0 && rgb.len() == size).then_some(Self { width, height, rgb })
    }
    /// The pixel at a place given as fractions of width and height.
    fn at(&self, x: f64, y: f64) -> Option<[u8; 3]> {
        if !((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)) {
            return None;
        }
        let column = ((x * self.width as f64) as usize).min(self.width - 1);
        let row = ((y * self.height as f64) as usize).min(self.height - 1);
        let at = (row * self.width + column) * 3;
        self.rgb.get(at..at + 3).and_then(|p| p.try_into().ok())
    }
}

/// The corners of the card in the picture, as fractions of width and height: top left, top right, bottom
/// right, bottom left of the card as printed. A card that lies turned is found by its colours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Corners(pub [[f64; 2]; 4]);

/// A rectangle of the picture, as fractions of width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Left edge.
    ///
    /// 左端。
    pub x: f64,
    /// Upper edge.
    ///
    /// 上端。
    pub y: f64,
    /// Width.
    ///
    /// 幅。
    pub width: f64,
    /// Height.
    ///
    /// 高さ。
    pub height: f64,
}

/// What was read in one area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    /// Mean linear light.
    pub(crate) mean: Linear,
    /// Standard deviation of linear light, the largest of the three, relative to the mean of light.
    pub(crate) unevenness: f64,
    /// Share of pixels at the end of the camera's scale.
    pub(crate) clipped: f64,
}

impl Corners {
    /// Are they a convex quadrilateral inside the picture that is not too small?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let p = self.0;
        let inside = p.iter().flatten().all(|v| (0.0..=1.0).contains(v));
        let turn = |i: usize| {
            let (a, b, c) = (p[i % 4], p[(i + 1) % 4], p[(i + 2) % 4]);
            (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
        };
        let turns: Vec<f64> = (0..4).map(turn).collect();
        let area = (0..4).map(|i| p[i][0] * p[(i + 1) % 4][1] - p[(i + 1) % 4][0] * p[i][1]).sum::<f64>() / 2.0;
        inside && turns.iter().all(|t| *t > 0.0) && area > 0.002
    }
    /// The same corners, named as if the card lay turned by a quarter.
    pub(crate) fn turned(&self, quarters: usize) -> Self {
        let mut p = self.0;
        p.rotate_left(quarters % 4);
        Self(p)
    }
    /// The place in the picture of a place on the card (0 to 1 each way): the perspective map of the square.
    fn place(&self, u: f64, v: f64) -> (f64, f64) {
        let [p0, p1, p2, p3] = self.0;
        let (dx1, dx2, sx) = (p1[0] - p2[0], p3[0] - p2[0], p0[0] - p1[0] + p2[0] - p3[0]);
        let (dy1, dy2, sy) = (p1[1] - p2[1], p3[1] - p2[1], p0[1] - p1[1] + p2[1] - p3[1]);
        let whole = dx1 * dy2 - dx2 * dy1;
        let (g, h) =
            if whole.abs() < 1e-15 { (0.0, 0.0) } else { ((sx * dy2 - dx2 * sy) / whole, (dx1 * sy - sx * dy1) / whole) };
        let (a, b) = (p1[0] - p0[0] + g * p1[0], p3[0] - p0[0] + h * p3[0]);
        let (d, e) = (p1[1] - p0[1] + g * p1[1], p3[1] - p0[1] + h * p3[1]);
        let w = g * u + h * v + 1.0;
        ((a * u + b * v + p0[0]) / w, (d * u + e * v + p0[1]) / w)
    }
}

/// Samples a side: 24 × 24 an area is plenty for a mean.
const SIDE: usize = 24;
/// Share of a patch's side that is read, in its middle: the edges hold light of the neighbours.
const MIDDLE: f64 = 0.5;

fn area(samples: &[[u8; 3]]) -> Option<Area> {
    if samples.is_empty() {
        return None;
    }
    let n = samples.len() as f64;
    let clipped = samples.iter().filter(|p| p.contains(&255) || p.iter().all(|c| *c == 0)).count() as f64 / n;
    // Glare and bubbles lie at the ends: the middle four fifths by brightness count.
    let mut lights: Vec<Linear> = samples.iter().map(|p| p.map(|c| linear(f64::from(c) / 255.0))).collect();
    lights.sort_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum::<f64>()));
    let cut = lights.len() / 10;
    let kept = lights.get(cut..lights.len() - cut).filter(|k| !k.is_empty())?;
    let m = kept.len() as f64;
    let mean: Linear = std::array::from_fn(|c| kept.iter().map(|l| l[c]).sum::<f64>() / m);
    let spread = (0..3).map(|c| (kept.iter().map(|l| (l[c] - mean[c]).powi(2)).sum::<f64>() / m).sqrt()).fold(0.0, f64::max);
    let light = (mean.iter().sum::<f64>() / 3.0).max(0.01);
    Some(Area { mean, unevenness: spread / light, clipped })
}

/// Reads every patch of a grid of `columns` × `rows`, row by row. `None` when part of it lies outside.
pub(crate) fn patches(picture: &Picture<'_>, corners: &Corners, columns: usize, rows: usize) -> Option<Vec<Area>> {
    let mut out = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let mut samples = Vec::with_capacity(SIDE * SIDE);
            for i in 0..SIDE * SIDE {
                let inside = |k: usize| 0.5 - MIDDLE / 2.0 + MIDDLE * (k as f64 + 0.5) / SIDE as f64;
                let u = (column as f64 + inside(i % SIDE)) / columns as f64;
                let v = (row as f64 + inside(i / SIDE)) / rows as f64;
                let (x, y) = corners.place(u, v);
                samples.push(picture.at(x, y)?);
            }
            out.push(area(&samples)?);
        }
    }
    Some(out)
}

/// Reads a rectangle. `None` when it is empty or lies outside.
pub(crate) fn region(picture: &Picture<'_>, region: &Region) -> Option<Area> {
    if !(region.width > 0.0 && region.height > 0.0) {
        return None;
    }
    let side = SIDE * 2;
    let mut samples = Vec::with_capacity(side * side);
    for i in 0..side * side {
        let part = |k: usize| (k as f64 + 0.5) / side as f64;
        samples.push(picture.at(region.x + region.width * part(i % side), region.y + region.height * part(i / side))?);
    }
    area(&samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_perspective_map_meets_its_corners() {
        let corners = Corners([[0.1, 0.2], [0.8, 0.1], [0.9, 0.9], [0.2, 0.7]]);
        assert!(corners.is_sound());
        for ((u, v), wanted) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].into_iter().zip(corners.0) {
            let (x, y) = corners.place(u, v);
            assert!((x - wanted[0]).abs() < 1e-12 && (y - wanted[1]).abs() < 1e-12, "{u} {v}: {x} {y}");
        }
        // Crossed, outside, too small.
        assert!(!Corners([[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]).is_sound());
        assert!(!Corners([[-0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]).is_sound());
        assert!(!Corners([[0.1, 0.1], [0.11, 0.1], [0.11, 0.11], [0.1, 0.11]]).is_sound());
        assert!(!Corners([[f64::NAN; 2]; 4]).is_sound());
    }

    #[test]
    fn a_picture_of_the_wrong_size_is_none() {
        assert!(Picture::new(2, 2, &[0; 12]).is_some());
        assert!(Picture::new(2, 2, &[0; 11]).is_none());
        assert!(Picture::new(0, 2, &[]).is_none());
        assert!(Picture::new(usize::MAX, 2, &[]).is_none());
    }
}
