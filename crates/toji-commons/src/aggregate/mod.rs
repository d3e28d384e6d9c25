//! A sum over members of which nobody, not even who adds, sees a summand: secure aggregation after Bonawitz et al.,
//! CCS 2017 ("Practical secure aggregation for privacy-preserving machine learning", Figure 4), for up to 50 members.
//!
//! | phase | a member sends | and hears |
//! | --- | --- | --- |
//! | 1 keys | two X25519 keys and commitments to two secrets, signed | everybody's |
//! | 2 shares | a share of each secret for every other, sealed | the shares for it |
//! | 3 input | its vector plus its own mask and one mask for each other | who is in |
//! | 4 consent | its signature on who is in | everybody's |
//! | 5 unmasking | shares of own masks of who is in, of pairwise keys of who is not | the sum |
//!
//! Pairwise masks cancel in the sum; those of a member that drops out are rebuilt from shares of its key, the own masks
//! of the others from shares of their seeds. A member gives one of the two for each other, never both, so an input
//! that comes too late stays hidden by its own mask (double masking). Shares are Shamir's over the prime field of
//! 2²⁵² + 27742317777372353535851937790883648493 elements with Feldman's commitments (FOCS 1987): whoever deals or
//! returns a false share is named. Vectors are fixed-point numbers modulo 2⁶⁴, with the range of every slot stated;
//! what does not fit is refused, so no sum wraps.
//!
//! * `session`: who, how many must stay, in which numbers; `encode`: numbers to words and back; `shamir`: shares.
//! * `message`: what is sent, all of it as JSON; `member` and `server`: the two sides, each a machine of five phases.
//! * `two`: the same without masks, where two aggregators can be trusted not to collude (Prio3), with proofs of range.
//! * `rehearsal`: all sides in one process, every message written out and counted.
//!
//! What it promises: with threshold t of n members, a server that keeps to the protocol and fewer than t members
//! together learn the sum and nothing else of the others (in the model of random oracles). One that does not keep to it
//! learns no more if c colluding members are with it and 2t > n + c: two lists of who is in cannot then both be signed
//! by t. What it does not: that a member's vector is true, that the sum itself tells little of one member (the sum of few
//! does: see `privacy` and `release`), or that a server gives the sum at all.

mod encode;
mod member;
mod message;
mod rehearsal;
mod server;
mod session;
mod shamir;
mod two;

pub use encode::{Encoding, Input};
pub use member::Member;
pub use message::{Advert, Adverts, Blob, Consents, Inbox, Included, Masked, Phase, Shares, Signed, Unmasking};
pub use rehearsal::{Cost, Part, rehearse};
pub use server::{Server, Sum};
pub use session::{MEMBERS_MAX, Session};
pub use shamir::{Commitments, Dealing, Share, recover};
pub use two::{Half, HalfSum, Opening, Report, TwoSum};
