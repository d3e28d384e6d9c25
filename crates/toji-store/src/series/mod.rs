//! Series in Parquet: one file (a *part*) per run and import, one row group per channel and block of
//! time, sorted by time. Other engines read the files as they are:
//! `number = coalesce(mantissa / 10^scale, value)`.
//!
//! | column | type | meaning |
//! | --- | --- | --- |
//! | `channel` | text | identifier of the channel's record |
//! | `time` or `elapsed_ns` | timestamp (UTC) or integer | source time, or nanoseconds since the run's zero where the source knows no clock |
//! | `mantissa`, `scale` | integer | the digits the source states |
//! | `value` | double | where the source prints a binary float |
//! | `quality` | integer | `author << 12 \| cause << 4 \| status`, 0 is good |
//! | `text` | text | what stood there when it was not a number |

mod bucket;
mod decoded;
mod fresh;
mod packed;
mod read;
mod rollup;
mod write;

pub(crate) use bucket::{Bucket, Pick};
pub(crate) use fresh::{joined, sorted, sound, without_known};
pub use read::Series;
pub(crate) use read::{Block, Found, PartReader, Want, describe_part, read_part};
pub(crate) use rollup::{Level, RollupReader, damaged, rollup_path};
pub(crate) use write::{NewPart, open_part, part_path, replaced_path, write_part};

use serde::{Deserialize, Serialize};

/// What the times of a series count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// 1970-01-01T00:00Z.
    Utc,
    /// The run's zero; the source has no clock.
    Elapsed,
}

impl Base {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::Elapsed => "elapsed",
        }
    }
    pub(crate) fn parse(text: &str) -> Self {
        if text == "elapsed" { Self::Elapsed } else { Self::Utc }
    }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];

/// Integers up to here are doubles, so that one division rounds correctly.
const EXACT_MAX: u64 = 1 << 53;

/// The double nearest to `mantissa / 10^scale`; `None` for a scale no part has.
pub(crate) fn number(mantissa: i64, scale: u8) -> Option<f64> {
    let power = POWERS.get(usize::from(scale))?;
    if mantissa.unsigned_abs() <= EXACT_MAX {
        return Some(mantissa as f64 / power);
    }
    Some(toji_core::Decimal { mantissa: i128::from(mantissa), scale: i32::from(scale) }.to_f64())
}

/// Most points of one row group: bounds the memory of a read.
pub(crate) const BLOCK_POINTS_MAX: usize = 1 << 20;
