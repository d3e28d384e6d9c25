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

mod read;
mod write;

pub use read::Series;
pub(crate) use read::{Block, PartReader, Want};
pub(crate) use write::{NewPart, part_path, write_part};

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

/// Most points of one row group: bounds the memory of a read.
pub(crate) const BLOCK_POINTS_MAX: usize = 1 << 20;
