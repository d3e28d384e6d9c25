//! An agreement in the words of ODRL 2.2 (W3C), for connectors of other data spaces, and terms from their policies.
//!
//! Standing terms of ODRL are used where there is one (`purpose`, `dateTime`, `spatial`, `isAnyOf`, `gteq`,
//! `lt`, `read`, `index`, `distribute`); the rest stands under `https://toji.bio/ns/`. The signed document
//! remains the agreement; this is its translation and names its hash.
//!
//! Reading knows those words and some of the Catena-X profile (catenax-eV/cx-odrl-profile, 2025/9, and the constraints
//! of Tractus-X EDC): `UsagePurpose`, `DataUsageEndDate`, `DataUsageEndDurationDays`, `DataUsageEndDefinition`,
//! `inForceDate`. What it does not know it refuses if leaving it out would permit more than the policy does: every
//! condition, prohibition and duty. What leaving it out only narrows (a permission for an action that there is not
//! here, one of several purposes) is left out and said.

mod json;
mod limits;
mod read;
mod write;

pub use read::{Ground, Reading, from_odrl};
pub use write::to_odrl;

const TOJI: &str = "https://toji.bio/ns/";
const FEEDBACK: &str = "action/feedback";
const PATENT: &str = "action/patent";
const PATENT_APPLICATION: &str = "event/patent-application";
const EARLY_ACCESS: &str = "earlyAccess";
const COMMERCIAL: &str = "http://creativecommons.org/ns#CommercialUse";
