//! An industry shares data without giving its secrets away, and everyone can check the account.
//!
//! * [`account`]: what each member gave, took and owes, in double entry (還元義務の帳簿).
//! * [`log`]: a Merkle tree log with signed checkpoints that members cosign; a fork is refused.
//! * [`release`]: the rule by which totals over competitors leave, over all that left before.
//! * [`agreement`]: organisations, roles, areas, and agreements as machine terms signed by their parties.
//! * [`people`]: passwords, second factors, one-time codes, delays, sessions, and who may give whom which role.
//! * [`transfer`]: what law and prudence say before data leave the country.
//! * [`decide`]: who may do what with whose data for what purpose at what time, and why.
//!
//! **Architecture invariant:** pure. No I/O, no clock, no chance, no global state: the time of a question,
//! the salt of a commitment and the seed of a key are arguments. Knows toji-core only. Whatever is unclear
//! is refused, and each refusal names its clause and what to do.

pub mod account;
pub mod agreement;
pub mod decide;
pub mod log;
pub mod people;
pub mod release;
pub mod transfer;
