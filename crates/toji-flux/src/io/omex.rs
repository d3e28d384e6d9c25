//! COMBINE archives (`.omex`): a zip with a manifest, and in it a model and what belongs to it.
//!
//! Bergmann et al. 2014, doi:10.1186/s12859-014-0369-z.

use super::findings::{GEM_001, GEM_003, GEM_004};
use super::{Reading, sbml};
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use std::io::{BufReader, Cursor, Read, Write};
use toji_core::{Error, Place, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Most entries, longest manifest, and longest file unpacked.
const ENTRIES_MAX: usize = 10_000;
const MANIFEST_BYTES_MAX: u64 = 4 << 20;
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The format of SBML in a manifest.
pub const SBML: &str = "http://identifiers.org/combine.specifications/sbml";

/// An entry of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Where the file stands in the archive, without `./`.
    pub location: String,
    /// Its format: an address or a media type.
    pub format: String,
    /// Is it what the archive is about?
    pub master: bool,
}

/// An archive that is open.
#[derive(Debug)]
pub struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// What the manifest lists; without a manifest, what the zip holds.
    pub entries: Vec<Entry>,
}

fn fault(ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input(GEM_001, ja, en).hint("アーカイブを作り直してください", "make the archive again")
}

impl<'b> Archive<'b> {
    /// Opens an archive and reads its manifest.
    ///
    /// # Errors
    /// `E-GEM-001`: not a zip, or the manifest is unreadable. `E-GEM-004`: too many entries.
    pub fn open(bytes: &'b [u8]) -> Result<Self> {
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|e| fault(format!("zip として読めません: {e}"), format!("not readable as zip: {e}")))?;
        if zip.len() > ENTRIES_MAX {
            return Err(Error::input(GEM_004, "アーカイブの項目が多すぎます", "the archive has too many entries")
                .hint("必要なファイルだけにしてください", "keep only the files that are needed"));
        }
        let manifest = match zip.by_name("manifest.xml") {
            Ok(file) => {
                let mut text = String::new();
                file.take(MANIFEST_BYTES_MAX)
                    .read_to_string(&mut text)
                    .map_err(|e| fault(format!("manifest.xml を読めません: {e}"), format!("manifest.xml is unreadable: {e}")))?;
                Some(text)
            }
            Err(_) => None,
        };
        let entries = match manifest {
            Some(text) => manifest_entries(&text)?,
            None => {
                let names = zip.file_names().filter_map(std::result::Result::ok);
                names.map(|n| Entry { location: n.into_owned(), ..Entry::default() }).collect()
            }
        };
        Ok(Self { zip, entries })
    }

    /// A file of the archive as a stream, of at most 1 GiB.
    ///
    /// # Errors
    /// `E-GEM-003`: there is none at this place. `E-GEM-004`: it is longer.
    pub fn file(&mut self, location: &str) -> Result<impl Read + '_> {
        let asked = location.strip_prefix("./").unwrap_or(location);
        match self.zip.by_name(asked) {
            Ok(file) if file.size() > FILE_BYTES_MAX => {
                Err(Error::input(GEM_004, format!("{asked} は 1 GiB を超えます"), format!("{asked} is longer than 1 GiB"))
                    .hint("圧縮せずに渡してください", "hand it over outside the archive"))
            }
            Ok(file) => Ok(file.take(FILE_BYTES_MAX)),
            Err(why) => Err(Error::input(
                GEM_003,
                format!("アーカイブの {asked} を読めません: {why}"),
                format!("{asked} of the archive is unreadable: {why}"),
            )
            .at(Place::field(asked))
            .hint("manifest.xml の location を確かめてください", "check the location in manifest.xml")),
        }
    }

    /// Where the model is: the master that is SBML, else the first SBML, else the only file that ends like one.
    #[must_use]
    pub fn model(&self) -> Option<&Entry> {
        let sbml = |e: &&Entry| e.format.contains("combine.specifications/sbml") || e.format == "application/sbml+xml";
        let ending = |e: &&Entry| e.location != "manifest.xml" && (e.location.ends_with(".xml") || e.location.ends_with(".sbml"));
        let entries = || self.entries.iter();
        entries()
            .filter(sbml)
            .find(|e| e.master)
            .or_else(|| entries().find(sbml))
            .or_else(|| entries().filter(ending).find(|e| !e.location.contains("metadata")))
    }
}

fn manifest_entries(text: &str) -> Result<Vec<Entry>> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut entries = Vec::new();
    loop {
        let unreadable = |e: &dyn std::fmt::Display| {
            fault(format!("manifest.xml を読めません: {e}"), format!("manifest.xml is unreadable: {e}"))
        };
        match reader.read_event().map_err(|e| unreadable(&e))? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "content" => {
                let mut entry = Entry::default();
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|e| unreadable(&e))?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| unreadable(&e))?;
                    match attribute.key.as_ref() {
                        "location" => entry.location = value.strip_prefix("./").unwrap_or(&value).to_owned(),
                        "format" => entry.format = value.into_owned(),
                        "master" => entry.master = value == "true",
                        _ => {}
                    }
                }
                if entries.len() < ENTRIES_MAX && !matches!(entry.location.as_str(), "" | ".") {
                    entries.push(entry);
                }
            }
            Event::Eof => return Ok(entries),
            _ => {}
        }
    }
}

/// Reads the model of an archive.
///
/// # Errors
/// As [`Archive::open`] and [`sbml::read`]; `E-GEM-003`: there is no SBML in it.
pub fn read(bytes: &[u8], options: &sbml::Options) -> Result<Reading> {
    let mut archive = Archive::open(bytes)?;
    let Some(location) = archive.model().map(|e| e.location.clone()) else {
        return Err(Error::input(GEM_003, "アーカイブに SBML がありません", "there is no SBML in the archive")
            .hint("SBML を入れて manifest.xml に載せてください", "put SBML in and list it in manifest.xml"));
    };
    let file = archive.file(&location)?;
    sbml::read(BufReader::with_capacity(1 << 16, file), options).map_err(|e| e.in_file(&location))
}

/// Writes an archive with its manifest. Every file has the same date, so that the same files are the same archive.
///
/// # Errors
/// `E-GEM-999`: a fault of the writer itself.
pub fn write(files: &[(Entry, &[u8])]) -> Result<Vec<u8>> {
    let bug = |e: &dyn std::fmt::Display| Error::bug("E-GEM-999", e);
    let mut manifest = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<omexManifest xmlns=\"http://identifiers.org/combine.specifications/omex-manifest\">\n  \
         <content location=\".\" format=\"http://identifiers.org/combine.specifications/omex\"/>\n  \
         <content location=\"./manifest.xml\" format=\"http://identifiers.org/combine.specifications/omex-manifest\"/>\n",
    );
    for (entry, _) in files {
        let [location, format] = [&entry.location, &entry.format].map(|t| quick_xml::escape::escape(t.as_str()).into_owned());
        let master = if entry.master { " master=\"true\"" } else { "" };
        manifest.push_str(&format!("  <content location=\"./{location}\" format=\"{format}\"{master}/>\n"));
    }
    manifest.push_str("</omexManifest>\n");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(DateTime::default());
    let all = std::iter::once(("manifest.xml", manifest.as_bytes())).chain(files.iter().map(|(e, b)| (e.location.as_str(), *b)));
    for (name, bytes) in all {
        zip.start_file(name, options).map_err(|e| bug(&e))?;
        zip.write_all(bytes).map_err(|e| bug(&e))?;
    }
    Ok(zip.finish().map_err(|e| bug(&e))?.into_inner())
}
