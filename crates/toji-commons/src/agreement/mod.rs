//! Who shares what with whom, for what, until when: agreements as machine terms.
//!
//! * `party`: organisations, persons (by pseudonym), roles; `data`: data sets with area and embargo.
//! * `terms`: what an agreement permits and asks for, each term with its code of the Data Use Ontology (DUO)
//!   where there is one.
//! * `signed`: an agreement counts once every party signed its canonical text; the text for people is bound to
//!   it by hash.
//! * `odrl`: the same as an ODRL 2.2 agreement for other data spaces, and terms from policies of others.

mod data;
mod odrl;
mod party;
mod signed;
mod terms;

pub use data::{Area, DataSet};
pub use odrl::{Ground, Reading, from_odrl, to_odrl};
pub use party::{Listing, Organisation, Person, Role};
pub use signed::{Agreement, sign};
pub use terms::{Feedback, Granted, IndustrialUse, Patents, Purpose, Terms};
