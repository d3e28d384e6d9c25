//! Records of declared kinds: list, get, put, retire, history, tables in and out, links, search.

mod kinds;
mod read;
mod search;
mod table;
mod write;

use crate::operation::Operation;

pub(crate) use table::{disagreements, import_table, natural};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        kinds::list_operation(),
        kinds::show_operation(),
        read::list_operation(),
        read::get_operation(),
        read::history_operation(),
        read::links_operation(),
        write::put_operation(),
        write::retire_operation(),
        write::restore_operation(),
        table::import_operation(),
        table::export_operation(),
        search::operation(),
    ]
}
