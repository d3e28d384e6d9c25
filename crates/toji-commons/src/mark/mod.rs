//! Which copy a leaked table was made from, without a single value altered.
//!
//! A scientific record says what was measured. A mark in the least digits (Agrawal and Kiernan, VLDB 2002) says something
//! else, and trailing zeros say how exactly somebody measured; so values are left alone down to their last character. What
//! remains are choices that mean nothing, and a secret key makes them differently for each copy that is handed out:
//!
//! | channel | the choice | survives | lost by |
//! | --- | --- | --- | --- |
//! | label | a column in plain sight: the copy, and a tag of 32 bits bound to the row | sorting, retyping, leaving out rows and other columns | leaving out the column |
//! | order | in which order rows stand that have none | retyping, leaving out rows and columns, renaming | sorting |
//! | quotes | whether a text cell of a CSV stands in quotes that it does not need | sorting by lines, leaving out rows | saving again with another program |
//!
//! Numbers are never put in quotes: some readers would take them for text. Empty cells are not either: some tell an empty
//! text from none.
//!
//! **What a verdict means.** For whoever does not hold the key, the choices of a copy are coins that were never thrown
//! before. However a file that was not made from the copy came about, each choice agrees with it by chance one half, and
//! the number that agree is binomial: its tail is exact, not a model. It is multiplied by the number of tests made, over all
//! copies, channels and columns tried, and stands beside the verdict. It does not protect against who holds the key (the
//! house could make any mark), nor against a member that publishes the copy that another member gave away.
//!
//! What survives sorting, retyping and leaving out the label at once is not a mark but a fact: which copies held these
//! rows. A [`Trail`] keeps a keyed sample of the rows it held for that; it accuses nobody.

mod chance;
mod csv;
mod key;
mod trace;
mod write;

pub use csv::{Cell, Plain, read_csv, read_parted, write_csv};
pub use key::MarkKey;
pub use trace::{ACCUSES_BELOW_LOG10, Agreeing, Finding, ROWS_MAX, Tracing, trace};
pub use write::{Marked, Trail, mark};

/// Name of the column in plain sight.
pub const LABEL_COLUMN: &str = "toji_release";
