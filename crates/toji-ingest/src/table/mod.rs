//! The guided importer: any table of a culture, from any text dialect or workbook.
//!
//! Two steps, so that a person stays in charge: [`propose`] reads the head of the file and says what
//! it takes each column for, *with the evidence*; [`apply`] reads the whole file by a [`Mapping`],
//! proposed or edited or saved from last time. Nothing is guessed from the range of numbers: a
//! column is known by its header, a unit by what is written, a date order by the days above 12.
//! Columns nobody knows are kept under their own header.
//!
//! Long tables (`run, channel, t, value, quality`) of the plain kind go through [`mod@fast`], which
//! splits bytes and parses numbers and instants itself.

mod apply;
mod bytes;
mod clock;
mod columns;
mod fast;
mod grid;
mod header;
mod long;
mod mapping;
mod plan;
mod preamble;
mod profile;
mod propose;
mod samples;
mod shape;
mod wide;
mod words;

pub use apply::apply;
pub(crate) use long::{UNKNOWN_QUALITY, quality_of};
pub use mapping::{Column, Layout, MAPPING_VERSION, Mapping, Role, TimeColumn, TimeRule, TimeUnit};
pub use propose::{Proposal, SheetInfo, propose};

use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::culture::Reading;
use toji_core::{Error, Result, Text};

/// Tables that explain themselves: a recognised time column and a recognised variable.
#[derive(Debug, Clone, Copy)]
pub struct Table;

impl Format for Table {
    fn id(&self) -> &'static str {
        "table"
    }
    fn label(&self) -> Text {
        Text::new("表（CSV・TSV・Excel）", "Table (CSV, TSV, Excel)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        60
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if fast::plan(source.bytes()).is_some() {
            return Some(Evidence::new(60, "見出し: run, channel, t, value", "header: run, channel, t, value"));
        }
        if !source.is_workbook() && source.bytes().iter().take(4096).filter(|b| **b == 0).count() > 1024 {
            // UTF-16 has many zero bytes and is read; other binary files are not tables.
            source.bytes().starts_with(&[0xff, 0xfe]).then_some(())?;
        }
        let proposal = propose(source, &Site::default()).ok()?;
        let score = if proposal.confident { 57 } else { 30 };
        Some(Evidence { score, what: proposal.evidence })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        if let Some(plan) = fast::plan(source.bytes()) {
            return fast::read(source, &plan, site);
        }
        let proposal = propose(source, site)?;
        if !proposal.confident {
            return Err(Error::input(
                "E-TABLE-005",
                format!("表の読み方に確信が持てません: {}", proposal.evidence.ja),
                format!("not sure how to read this table: {}", proposal.evidence.en),
            )
            .hint(
                "`toji run propose FILE` の案を確かめ、--mapping で指定してください",
                "check the proposal of `toji run propose FILE` and give it with --mapping",
            )
            .with(proposal.diagnostics));
        }
        apply(source, &proposal.mapping, site)
    }
}
