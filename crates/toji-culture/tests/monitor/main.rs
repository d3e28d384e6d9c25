//! Monitoring beside published tables, other programs and simulated batches.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

mod alarms;
mod batches;
mod properties;
mod references;
mod simulated;

use std::path::PathBuf;
use toji_culture::monitor::Matrix;

/// A file of the shared reference data; `None`, said on the error stream, where it is missing.
fn shared(path: &str) -> Option<String> {
    let shared = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let file = shared.join("data/modelling/mspc").join(path);
    let found = std::fs::read_to_string(&file).ok();
    if found.is_none() {
        eprintln!("skipped: {} is absent", file.display());
    }
    found
}

/// Numbers of a CSV text, `head` lines left out; an empty cell is missing.
fn numbers(text: &str, head: usize) -> Vec<Vec<Option<f64>>> {
    text.lines().skip(head).map(|line| line.split(',').map(|cell| cell.trim().parse().ok()).collect()).collect()
}

fn columns(rows: &[Vec<Option<f64>>], from: usize, to: usize) -> Matrix {
    let part: Vec<&[Option<f64>]> = rows.iter().map(|row| &row[from..to]).collect();
    Matrix::from_rows(&part).unwrap()
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} instead of {wanted}");
}

/// Vectors equal but for their common sign.
#[track_caller]
fn near_vector(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    let sign = found.iter().zip(wanted).map(|(a, b)| a * b).sum::<f64>().signum();
    for (found, wanted) in found.iter().zip(wanted) {
        near(sign * found, *wanted, tolerance);
    }
}
