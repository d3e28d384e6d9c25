//! What a case of the suite is: a nasty file, the truth about it, and what may happen to it.

use serde::{Deserialize, Serialize};

/// One file and the truth about it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Case {
    /// Kebab case; also the name of its folder when the suite is written out.
    pub(crate) id: &'static str,
    /// What is nasty about it.
    pub(crate) what: &'static str,
    /// Name of the file.
    pub(crate) file: &'static str,
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
    /// Which reader of a maker's format the file is for; empty: any reader of tables.
    pub(crate) vendor: &'static str,
    /// How somebody who knows the file would read it with a plain table reader.
    pub(crate) shape: Shape,
    /// What the file says, cell by cell.
    pub(crate) truth: Vec<Fact>,
    /// Codes of warnings that make a deviation a *marked* one.
    pub(crate) marks: Vec<&'static str>,
    /// A warning with one of these codes must be given when the file is read (an empty list asks nothing).
    pub(crate) must_warn: Vec<&'static str>,
    /// The file may be refused (always with a place or a remedy).
    pub(crate) refusable: bool,
    /// The file must be refused: to read it at all is an error.
    pub(crate) must_refuse: bool,
    /// The truth names only some of the file's values; others are no invention.
    pub(crate) rest_allowed: bool,
    /// Zone of the site where the file states none.
    pub(crate) zone: &'static str,
}

/// How the table lies, for readers that need to be told.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Shape {
    /// Column of the time.
    pub(crate) time: &'static str,
    /// `h`, `s`, `min`, `clock`.
    pub(crate) time_unit: &'static str,
    /// Column that names run or sample.
    pub(crate) id: &'static str,
    /// Long tables: columns of variable, value and unit.
    pub(crate) long: Option<(&'static str, &'static str, &'static str)>,
    /// Lines above the header.
    pub(crate) skip: usize,
    /// Separator of a text file.
    pub(crate) separator: &'static str,
}

/// One statement of the file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fact {
    /// Run or sample, as written; empty where the file names none.
    pub(crate) id: String,
    /// What was measured, as written.
    pub(crate) what: String,
    /// When: hours since the start, or an instant. `None`: the file does not say.
    pub(crate) at: Option<At>,
    /// The cell as written.
    pub(crate) says: String,
    /// The number it states; `None` for bounds, words and errors.
    pub(crate) number: Option<f64>,
    /// Unit (UCUM); empty where the file states none.
    pub(crate) unit: String,
}

/// A time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum At {
    /// Hours since the start of the run.
    Hours(f64),
    /// Seconds since 1970.
    Unix(f64),
}

impl At {
    pub(crate) fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Hours(a), Self::Hours(b)) => (a - b).abs() * 3600.0 < 0.002,
            (Self::Unix(a), Self::Unix(b)) => (a - b).abs() < 0.002,
            _ => false,
        }
    }
}

/// What a reader made of a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Why it was refused.
    #[serde(default)]
    pub(crate) refused: Option<String>,
    /// The refusal names a place or a remedy.
    #[serde(default)]
    pub(crate) located: bool,
    /// Not a file for this reader at all.
    #[serde(default)]
    pub(crate) not_its_kind: bool,
    /// All values read.
    #[serde(default)]
    pub(crate) observed: Vec<Observed>,
    /// Texts of what was told as not read.
    #[serde(default)]
    pub(crate) listed: Vec<String>,
    /// Codes of the warnings given.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// One value as a reader gives it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Observed {
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) what: String,
    #[serde(default)]
    pub(crate) at: Option<At>,
    #[serde(default)]
    pub(crate) number: Option<f64>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) unit: Option<String>,
    /// The value itself carries a flag.
    #[serde(default)]
    pub(crate) marked: bool,
}

impl Case {
    /// A text file with one time column.
    pub(crate) fn text(id: &'static str, what: &'static str, file: &'static str, text: &str) -> Self {
        Self::bytes(id, what, file, text.as_bytes().to_vec())
    }
    pub(crate) fn bytes(id: &'static str, what: &'static str, file: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            id,
            what,
            file,
            bytes,
            vendor: "",
            shape: Shape { time: "Time (h)", time_unit: "h", separator: ",", ..Shape::default() },
            truth: Vec::new(),
            marks: Vec::new(),
            must_warn: Vec::new(),
            refusable: false,
            must_refuse: false,
            rest_allowed: false,
            zone: "",
        }
    }
    pub(crate) fn with_bytes(self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self }
    }
    /// The time column and its unit.
    pub(crate) fn time(mut self, column: &'static str, unit: &'static str) -> Self {
        (self.shape.time, self.shape.time_unit) = (column, unit);
        self
    }
    pub(crate) fn id_column(mut self, column: &'static str) -> Self {
        self.shape.id = column;
        self
    }
    pub(crate) fn separator(mut self, separator: &'static str) -> Self {
        self.shape.separator = separator;
        self
    }
    pub(crate) fn skip(mut self, lines: usize) -> Self {
        self.shape.skip = lines;
        self
    }
    pub(crate) fn long(mut self, variable: &'static str, value: &'static str, unit: &'static str) -> Self {
        self.shape.long = Some((variable, value, unit));
        self
    }
    pub(crate) fn zone(mut self, zone: &'static str) -> Self {
        self.zone = zone;
        self
    }
    pub(crate) fn vendor(mut self, vendor: &'static str) -> Self {
        self.vendor = vendor;
        self
    }
    /// Values of one quantity: (when, what the cell says).
    pub(crate) fn says(self, what: &str, unit: &str, rows: &[(&str, &str)]) -> Self {
        let rows: Vec<(&str, &str, &str)> = rows.iter().map(|(at, says)| ("", *at, *says)).collect();
        self.says_of(what, unit, &rows)
    }
    /// Values of one quantity of several runs or samples: (run, when, what the cell says). `7,01 => 7.01`
    /// states the number where the text alone does not; `x =>` states that there is none.
    pub(crate) fn says_of(mut self, what: &str, unit: &str, rows: &[(&str, &str, &str)]) -> Self {
        for (id, at, says) in rows {
            let (says, number) = match says.split_once("=>") {
                Some((says, number)) => (says.trim(), number.trim().parse().ok()),
                None => (*says, says.parse().ok()),
            };
            let at = match *at {
                "" => None,
                hours if hours.ends_with('h') => hours.trim_end_matches('h').parse().ok().map(At::Hours),
                instant => {
                    let stamp: jiff::Timestamp = instant.parse().unwrap_or_else(|e| panic!("{instant}: {e}"));
                    Some(At::Unix(stamp.as_millisecond() as f64 / 1000.0))
                }
            };
            self.truth.push(Fact {
                id: (*id).to_owned(),
                what: what.to_owned(),
                at,
                says: says.to_owned(),
                number,
                unit: unit.to_owned(),
            });
        }
        self
    }
    pub(crate) fn marks(mut self, codes: &[&'static str]) -> Self {
        self.marks.extend(codes);
        self
    }
    pub(crate) fn must_warn(mut self, codes: &[&'static str]) -> Self {
        self.must_warn.extend(codes);
        self.marks.extend(codes);
        self
    }
    pub(crate) fn refusable(mut self) -> Self {
        self.refusable = true;
        self
    }
    pub(crate) fn rest_allowed(mut self) -> Self {
        self.rest_allowed = true;
        self
    }
    pub(crate) fn must_refuse(mut self) -> Self {
        self.refusable = true;
        self.must_refuse = true;
        self
    }
}
