//! Reads a file with an adapter of one's own beside the formats of Toji.
//!
//! `cargo run -p toji-ingest --example adapter -- FILE` (without FILE, the example's own file).

mod turbidity_logger;

use std::io::Write as _;
use toji_ingest::{Formats, Site, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let own = include_bytes!("turbidity_logger.txt").to_vec();
    let (name, bytes) = match std::env::args().nth(1) {
        Some(path) => (path.clone(), std::fs::read(path)?),
        None => ("turbidity_logger.txt".to_owned(), own),
    };
    let formats = Formats::builtin().with(Box::new(turbidity_logger::TurbidityLogger))?;
    let source = Source::new(&name, &bytes)?;
    let (format, reading) = formats.read(&source, &Site::default())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} ({})", format.label().en, format.id())?;
    for run in &reading.runs {
        for channel in &run.channels {
            let unit = channel.unit.as_ref().map_or("", |u| u.code());
            writeln!(out, "{}: {} points of {} [{unit}]", run.title, channel.points.len(), channel.key)?;
        }
    }
    for item in &reading.not_read {
        writeln!(out, "not read, line {}: {} ({})", item.place.line.unwrap_or(0), item.text, item.reason.en)?;
    }
    Ok(())
}
