//! Campaigns: the best recipe in few runs. A campaign is started, proposes runs that are kept with what is expected of
//! them before they are made, hears results from the store, from people or from a simulated plant, and says how far it
//! is, how well it foretold, and whether to go on.

mod propose;
mod record;
mod results;
mod show;
mod simulate;
mod start;

use crate::operation::Operation;

pub(super) fn operations() -> [Operation; 5] {
    [start::operation(), propose::operation(), results::operation(), simulate::operation(), show::operation()]
}
