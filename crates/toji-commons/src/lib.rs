//! An industry shares data without giving its secrets away, and everyone can check the account.
//!
//! * [`account`]: what each member gave, took and owes, in double entry (還元義務の帳簿).
//! * [`log`]: a Merkle tree log with signed checkpoints that members cosign; a fork is refused.
//! * [`mark`]: which copy a leaked table was made from, without a value altered.
//! * [`release`]: the rule by which totals over competitors leave, over all that left before.
//! * [`agreement`]: organisations, roles, areas, and agreements as machine terms signed by their parties.
//! * [`people`]: passwords, second factors, one-time codes, delays, sessions, and who may give whom which role.
//! * [`transfer`]: what law and prudence say before data leave the country.
//! * [`classify`]: where new data should stand, with the evidence; it never opens anything.
//! * [`decide`]: who may do what with whose data for what purpose at what time, and why.
//! * [`policy`]: the same rules as a Cedar text, for others to read, check and prove.
//! * [`aggregate`]: a sum over members of which nobody sees a summand.
//! * [`train`]: models that members train together, by sums.
//! * [`value`]: what a data set adds to what all can predict; advisory only.
//! * [`attack`]: known attacks on all of this, to know before others do.
//! * [`privacy`]: answers with noise, drawn exactly, and the budget they are charged to.
//!
//! **Architecture invariant:** pure. No I/O, no clock, no chance, no global state: the time of a question,
//! the salt of a commitment and the seed of a key are arguments. Knows toji-core only. Whatever is unclear
//! is refused, and each refusal names its clause and what to do.

pub mod account;
pub mod aggregate;
pub mod agreement;
pub mod attack;
pub mod classify;
pub mod decide;
pub mod log;
pub mod mark;
pub mod people;
pub mod policy;
pub mod privacy;
pub mod release;
pub mod train;
pub mod transfer;
pub mod value;
