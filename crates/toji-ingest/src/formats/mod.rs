//! The formats, one file each. To add one: write the file, list it here, add a fixture.

pub mod asm;
pub mod beckman_vicell_blu;
pub mod beckman_vicell_xr;
pub mod bioscreen;
pub mod chemometec_nucleoview;
pub mod nova_flex2;
pub mod offgas;
pub mod roche_cedex_bioht;
pub mod roche_cedex_hires;
pub mod tecan_magellan;
pub mod thermo_genesys30;

mod ambr;
mod batchml;
mod biolector;
mod biolector1;
mod biolector_pro;
mod biostat;
mod dasware;
mod edd;
mod hplc;
mod pioreactor;
mod sake;

use crate::format::Format;

/// Every format, in no particular order: the evidence decides.
#[must_use]
pub fn all() -> &'static [&'static dyn Format] {
    &[
        &ambr::Ambr,
        &ambr::AmbrOffline,
        &batchml::BatchRecord,
        &biolector1::BioLector1,
        &biolector_pro::BioLectorPro,
        &biostat::Biostat,
        &dasware::Dasware,
        &edd::description::EddDescription,
        &edd::generic::EddGeneric,
        &edd::skyline::Skyline,
        &pioreactor::Pioreactor,
        &sake::sheet::SakeSheet,
        &sake::yaml::SakeYaml,
        &roche_cedex_bioht::RocheCedexBioHt,
        &roche_cedex_hires::RocheCedexHiRes,
        &chemometec_nucleoview::ChemometecNucleoView,
        &thermo_genesys30::ThermoGenesys30,
        &tecan_magellan::TecanMagellan,
        &bioscreen::Bioscreen,
        &offgas::OffGas,
        &hplc::labsolutions::LabSolutions,
        &hplc::peaks::PeakTable,
        &nova_flex2::NovaFlex2,
        &beckman_vicell_blu::BeckmanViCellBlu,
        &beckman_vicell_xr::BeckmanViCellXr,
        &asm::Asm,
        &crate::table::Table,
    ]
}
