//! Runs: import, list, show, plot, compare, align, join with samples.

mod band;
mod compare;
mod export;
mod import;
mod list;
mod page;
mod plot;
mod propose;
mod show;
mod stored;

use crate::operation::Operation;

pub(crate) use import::{addressed, fetch};
pub(crate) use list::text;
pub(crate) use plot::{channel_order, drawn, load, outages_of};
pub(crate) use show::{channel_label, spoken, zero_ns};
pub(crate) use stored::{Counts, FileFacts, RunRef, commit as commit_reading, file_id, own_id, run_id};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        import::operation(),
        list::operation(),
        page::operation(),
        show::operation(),
        plot::operation(),
        compare::operation(),
        band::operation(),
        plot::align_operation(),
        plot::as_of_operation(),
        propose::operation(),
        export::operation(),
    ]
}
