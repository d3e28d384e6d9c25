//! Formats: recognised by content, each with its evidence.

use crate::source::Source;
use toji_core::clock::{DateOrder, Zone};
use toji_core::culture::Reading;
use toji_core::{Error, Result, Text};

/// What the site says where files are silent.
#[derive(Debug, Clone)]
pub struct Site {
    /// Zone of clocks that state none.
    pub zone: Zone,
    /// Order of day and month where nothing in the file decides. `None`: the format's usual order, with a warning.
    pub date_order: Option<DateOrder>,
}

impl Default for Site {
    fn default() -> Self {
        Self { zone: Zone::assumed(), date_order: None }
    }
}

/// Why a format claims a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// 0–100. Above 50 the format reads the file unasked.
    pub score: u8,
    /// What in the content gave it away.
    pub what: Text,
}

impl Evidence {
    /// A claim with its reason.
    pub fn new(score: u8, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { score, what: Text::new(ja, en) }
    }
}

/// One instrument format.
pub trait Format: Send + Sync {
    /// Stable name, kebab case, e.g. `roche-cedex-bioht`.
    fn id(&self) -> &'static str;
    /// Name for people.
    fn label(&self) -> Text;
    /// Version of this parser; a change of what it reads adds one.
    fn version(&self) -> u32;
    /// Does the content look like this format? Cheap: looks at the head of the file only.
    fn detect(&self, source: &Source<'_>) -> Option<Evidence>;
    /// The highest score [`Format::detect`] ever gives: a general format need not be asked where an
    /// instrument's own is certain.
    fn score_max(&self) -> u8 {
        100
    }
    /// Reads the whole file. Faults in single places are diagnostics of the reading; an error means
    /// nothing could be read.
    ///
    /// # Errors
    /// The file is of this format but broken beyond reading, with the place.
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading>;
}

impl std::fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// Does a comment, user, project or experiment field of a file say that its data are simulated? The
/// generators of this crate write one of these words there.
///
/// ```
/// assert!(toji_ingest::format::says_simulated("Simulated fed-batch"));
/// assert!(toji_ingest::format::says_simulated("模擬データ"));
/// assert!(!toji_ingest::format::says_simulated("no comment"));
/// ```
#[must_use]
pub fn says_simulated(text: &str) -> bool {
    text.contains("模擬") || text.to_ascii_lowercase().contains("simulated")
}

/// The formats a program knows: those of this crate, and adapters of others.
///
/// ```
/// use toji_ingest::{Formats, Site, Source};
/// let formats = Formats::builtin();
/// let source = Source::new("run.csv", b"Time (h),pH\n0,7.0\n1,6.9\n")?;
/// let (format, reading) = formats.read(&source, &Site::default())?;
/// assert_eq!((format.id(), reading.runs.len()), ("table", 1));
/// # Ok::<(), toji_core::Error>(())
/// ```
#[derive(Default)]
pub struct Formats {
    added: Vec<Box<dyn Format>>,
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Format::id)).finish()
    }
}

/// The formats of this crate alone.
static BUILTIN: Formats = Formats { added: Vec::new() };

impl Formats {
    /// The formats of this crate.
    #[must_use]
    pub const fn builtin() -> Self {
        Self { added: Vec::new() }
    }
    /// One more format: an adapter that somebody wrote against the published guide.
    ///
    /// # Errors
    /// `E-FORMAT-001`: the id is taken, or is not kebab case.
    pub fn with(mut self, adapter: Box<dyn Format>) -> Result<Self> {
        let id = adapter.id();
        let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || self.find(id).is_some() {
            return Err(Error::input(
                "E-FORMAT-001",
                format!("形式の id「{id}」は使えません（既にあるか、小文字・数字・ハイフン以外を含みます）"),
                format!("the format id \"{id}\" cannot be used: it is taken, or holds other than a-z, 0-9 and -"),
            )
            .at(toji_core::Place::field("id"))
            .hint("別の id を付けてください", "give it another id"));
        }
        self.added.push(adapter);
        Ok(self)
    }
    /// All formats.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Format> {
        crate::formats::all().iter().copied().map(|f| f as &dyn Format).chain(self.added.iter().map(AsRef::as_ref))
    }
    /// The format of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&dyn Format> {
        self.iter().find(|f| f.id() == id)
    }
    /// Formats that claim the file, best first.
    #[must_use]
    pub fn detect(&self, source: &Source<'_>) -> Vec<(&dyn Format, Evidence)> {
        let mut found: Vec<(&dyn Format, Evidence)> = self.iter().filter_map(|f| f.detect(source).map(|e| (f, e))).collect();
        found.sort_by_key(|(_, evidence)| std::cmp::Reverse(evidence.score));
        found
    }
    /// The format that reads the file unasked. Formats that could not win any more are not asked.
    fn best(&self, source: &Source<'_>) -> Option<&dyn Format> {
        let mut best: Option<(&dyn Format, u8)> = None;
        let mut formats: Vec<&dyn Format> = self.iter().collect();
        formats.sort_by_key(|f| std::cmp::Reverse(f.score_max()));
        for format in formats {
            let known = best.map_or(50, |(_, score)| score);
            if format.score_max() <= known {
                continue;
            }
            if let Some(evidence) = format.detect(source).filter(|e| e.score > known) {
                best = Some((format, evidence.score));
            }
        }
        best.map(|(format, _)| format)
    }
    /// Detects and reads a file.
    ///
    /// # Errors
    /// Empty or unrecognised files, and what [`Format::read`] refuses; always with the file's name.
    pub fn read(&self, source: &Source<'_>, site: &Site) -> Result<(&dyn Format, Reading)> {
        if source.bytes().iter().all(u8::is_ascii_whitespace) {
            return Err(Error::input("E-FILE-001", "ファイルが空です", "the file is empty")
                .hint("装置から書き出し直してください", "export it again from the instrument")
                .in_file(source.name()));
        }
        let Some(format) = self.best(source) else { return Err(unknown(source)) };
        let mut reading = format.read(source, site).map_err(|e| e.in_file(source.name()))?;
        for diagnostic in &mut reading.diagnostics {
            diagnostic.place.file.get_or_insert_with(|| source.name().to_owned());
        }
        for item in &mut reading.not_read {
            item.place.file.get_or_insert_with(|| source.name().to_owned());
        }
        for run in &mut reading.runs {
            run.simulated |= says_simulated(&run.key)
                || says_simulated(&run.title)
                || run.fields.values().filter_map(serde_json::Value::as_str).any(says_simulated);
        }
        if reading.format.is_empty() {
            format.id().clone_into(&mut reading.format);
        }
        if !source.is_workbook() && reading.encoding.is_none() {
            reading.encoding = Some(source.decoded().encoding.to_owned());
        }
        crate::workbook::tell(source, &mut reading);
        Ok((format, reading))
    }
}

/// Why nobody reads this file.
fn unknown(source: &Source<'_>) -> Error {
    // A damaged workbook is no unknown format: say what is wrong with it.
    if source.is_workbook()
        && let Err(damaged) = source.sheets()
    {
        return damaged.in_file(source.name());
    }
    Error::input("E-FILE-002", "形式を見分けられません", "the format is not recognised")
        .hint(
            "`toji run propose FILE` で対応付けの案を作り、--mapping で指定してください",
            "make a mapping with `toji run propose FILE` and give it with --mapping",
        )
        .in_file(source.name())
}

/// Formats of this crate that claim the file, best first.
#[must_use]
pub fn detect(source: &Source<'_>) -> Vec<(&'static dyn Format, Evidence)> {
    BUILTIN.detect(source)
}

/// Detects and reads a file with the formats of this crate.
///
/// # Errors
/// Empty or unrecognised files, and what [`Format::read`] refuses; always with the file's name.
pub fn read(source: &Source<'_>, site: &Site) -> Result<(&'static dyn Format, Reading)> {
    BUILTIN.read(source, site)
}
