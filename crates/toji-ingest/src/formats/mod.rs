//! The formats, one file each. To add one: write the file, list it here, add a fixture.

pub mod roche_cedex_bioht;

mod ambr;
mod biolector1;
mod pioreactor;
mod sake;

use crate::format::Format;

/// Every format, in no particular order: the evidence decides.
#[must_use]
pub fn all() -> &'static [&'static dyn Format] {
    &[
        &ambr::Ambr,
        &ambr::AmbrOffline,
        &biolector1::BioLector1,
        &pioreactor::Pioreactor,
        &sake::yaml::SakeYaml,
        &roche_cedex_bioht::RocheCedexBioHt,
        &crate::table::Table,
    ]
}
