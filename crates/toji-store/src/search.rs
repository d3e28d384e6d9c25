//! Search in Japanese and English over all records.
//!
//! The index is derived from the ledger and caught up before each search. A question is cut into known
//! terms (labels of kinds and choices, variables, substances, and every pair of `…_ja`/`…_en` fields in the
//! records); each term stands for itself and its translations, so the same question in either language is
//! the same query and gives the same hits.

use crate::fault;
use crate::ledger::{self, Body, Change};
use crate::records::title_of;
use crate::shelf::Shelf;
use crate::sight::Sight;
use crate::store::Store;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use toji_core::kind::{Field as FieldDecl, FieldType};
use toji_core::record::FieldMap;
use toji_core::{Access, Error, Id, Kind, Record, Result, Text, substance, variable};
use tokio::sync::Mutex;
use unicode_normalization::UnicodeNormalization as _;

/// A found record.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Hit {
    /// Kind.
    pub kind: String,
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: Text,
    /// Where the words stand, in both languages where the record has both.
    pub snippet: Text,
    /// Field the words stand in.
    pub field: String,
    /// How well it fits (BM25); comparable within one answer.
    pub score: f32,
    /// Where the record says it comes from, else the ledger's operation.
    pub source: Option<String>,
}

/// Hits and how the question was understood.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct SearchAnswer {
    /// Number of hits the asker may see, at most a thousand are counted.
    pub total: usize,
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// The terms of the question, each with its translations.
    pub terms: Vec<Vec<String>>,
    /// `true` when no record held all terms, and records with some of them are shown.
    pub partial: bool,
}

/// The index of a store.
#[derive(Debug)]
pub(crate) struct SearchFolder {
    dir: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    index: Option<Opened>,
    writer: Option<Held>,
    /// Somebody will let go of the writer.
    minded: bool,
    /// Newest change of the records the dictionary was made from, and it.
    dictionary: Option<(i64, Arc<Dictionary>)>,
}

/// A writer that is kept while questions and changes follow one another, for making one costs more than a change. Other
/// processes cannot index meanwhile; they wait for what this one commits.
struct Held {
    writer: IndexWriter,
    used: Instant,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("used", &self.used).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Opened {
    index: Index,
    fields: Fields,
    reader: IndexReader,
    /// What of the ledger the reader was last opened upon.
    done: i64,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("index", &self.index).field("done", &self.done).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    key: Field,
    title: Field,
    text: Field,
}

impl SearchFolder {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, state: Arc::default() }
    }
}

fn engine(error: impl std::fmt::Display) -> Error {
    Error::storage("E-SEARCH-001", format!("検索索引を扱えません: {error}"), format!("the search index cannot be used: {error}"))
        .hint(
            "保存先の search フォルダーを消すと、次の検索で作り直されます",
            "delete the store's `search` folder; the next search makes it anew",
        )
}

/// Most records looked at for one question.
const HITS_MAX: usize = 1000;
/// How long a writer is kept without use, and how often that is looked at.
const HELD: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(50);
/// How long another process that indexes is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Memory of a writer, the least that the engine allows.
const WRITER_BYTES: usize = 15_000_000;
/// More segments than this are merged before the writer goes on.
const SEGMENTS_MAX: usize = 24;
/// Hits of a kind from which on reading the whole kind is worth it.
const MANY: usize = 16;

/// What one question has looked at: one sight and the shelves of the kinds it met.
struct Looked<'a> {
    sight: Sight<'a>,
    shelves: HashMap<String, Option<Arc<Shelf>>>,
    /// Hits by kind.
    many: HashMap<String, usize>,
}

impl Store {
    /// Finds records by words, in either language.
    ///
    /// # Errors
    /// Unknown kinds, a damaged index.
    pub async fn search(&self, access: &Access, question: &str, kinds: &[String], limit: usize) -> Result<SearchAnswer> {
        for kind in kinds {
            self.kinds.get(kind)?;
        }
        let (opened, dictionary) = self.caught_up().await?;
        let fields = opened.fields;
        // The words of records the asker may not see are not known to their questions either.
        let mut open = HashSet::new();
        let mut looked = Looked { sight: Sight::new(self, access), shelves: HashMap::new(), many: HashMap::new() };
        for (i, (kind, id)) in dictionary.told_by(question) {
            if self.look(&mut looked, kind, id).await?.is_some() {
                open.insert(i);
            }
        }
        let terms = dictionary.cut(question, &open);
        if terms.is_empty() {
            return Ok(SearchAnswer::default());
        }
        let searcher = opened.reader.searcher();
        let mut answer = SearchAnswer { terms: terms.clone(), ..SearchAnswer::default() };
        for occur in [Occur::Must, Occur::Should] {
            let query = question_query(fields, &terms, occur);
            let top = searcher.search(&query, &TopDocs::with_limit(HITS_MAX).order_by_score()).map_err(engine)?;
            let mut scored: Vec<(f32, String, String)> = Vec::new();
            for (score, address) in top {
                let document: TantivyDocument = searcher.doc(address).map_err(engine)?;
                let key = document.get_first(fields.key).and_then(|v| v.as_str()).unwrap_or_default();
                if let Some((kind, id)) = key.split_once('\u{1f}') {
                    scored.push((score, kind.to_owned(), id.to_owned()));
                }
            }
            scored.retain(|(_, kind, _)| kinds.is_empty() || kinds.contains(kind));
            scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (&a.1, &a.2).cmp(&(&b.1, &b.2))));
            for (_, kind, _) in &scored {
                *looked.many.entry(kind.clone()).or_default() += 1;
            }
            looked.shelves.retain(|_, shelf| shelf.is_some());
            for (score, kind, id) in scored {
                // The gate: what the asker may not read is neither shown nor counted.
                let Some(record) = self.look(&mut looked, &kind, &id).await?.filter(|r| !r.retired) else { continue };
                answer.total += 1;
                if answer.hits.len() < limit {
                    let record = self.present((*record).clone())?;
                    let declared = self.kinds.get(&kind)?;
                    let (field, snippet) = snippet(declared, &record.id, &record.fields, &terms);
                    // A record that quotes no paper comes from the operation that entered it: the ledger says which.
                    let source = match record.fields.get("source").and_then(Json::as_str) {
                        Some(source) => Some(source.to_owned()),
                        None => {
                            let entered = self.entered_by(access, &kind, &id).await?;
                            entered.map(|(operation, seq, at)| format!("{operation} (ledger {seq}, {at})"))
                        }
                    };
                    answer.hits.push(Hit { title: self.title(&record), kind, id, snippet, field, score, source });
                }
            }
            if answer.total > 0 {
                break;
            }
            answer.partial = true;
        }
        Ok(answer)
    }

    /// A record that is present, if the asker may see it.
    async fn look(&self, looked: &mut Looked<'_>, kind: &str, id: &str) -> Result<Option<Arc<Record>>> {
        let declared = self.kinds.get(kind)?;
        if !looked.shelves.contains_key(kind) {
            let many = looked.many.get(kind).is_some_and(|n| *n >= MANY);
            let shelf = if many { self.shelf(declared).await? } else { self.shelf_if_kept(declared).await? };
            looked.shelves.insert(kind.to_owned(), shelf);
        }
        if let Some(Some(shelf)) = looked.shelves.get(kind) {
            let Some(kept) = shelf.find(id) else { return Ok(None) };
            return Ok(looked.sight.sees_kept(declared, kept).await?.then(|| kept.record.clone()));
        }
        match self.present_record(kind, id).await? {
            Some(record) if looked.sight.sees(declared, &record).await? => Ok(Some(Arc::new(record))),
            _ => Ok(None),
        }
    }

    /// Index and dictionary, brought up to the newest event.
    async fn caught_up(&self) -> Result<(Opened, Arc<Dictionary>)> {
        // What was there when the question came; who waited for another's catching up may find it done.
        let seq = self.position().await?;
        let mut locked = self.search.state.lock().await;
        let state = &mut *locked;
        if state.index.is_none() {
            state.index = Some(open(&self.search.dir)?);
        }
        let opened = state.index.as_mut().ok_or_else(|| engine("not open"))?;
        let mut done = position_of(&opened.index)?;
        if done < seq {
            done = self.index_events(&mut state.writer, &opened.index, opened.fields, done, seq).await?;
            if state.writer.is_some() && !std::mem::replace(&mut state.minded, true) {
                tokio::spawn(let_go(Arc::downgrade(&self.search.state)));
            }
        }
        if opened.done != done {
            opened.reader.reload().map_err(engine)?;
            opened.done = done;
        }
        let opened = opened.clone();
        let told: Vec<&str> = self.kinds.iter().filter(|kind| !pairs(kind).is_empty()).map(|kind| kind.kind.as_str()).collect();
        let seq = self.newest_of(&told).await?;
        let dictionary = match &state.dictionary {
            Some((at, dictionary)) if *at == seq => dictionary.clone(),
            _ => Arc::new(self.dictionary().await?),
        };
        state.dictionary = Some((seq, dictionary.clone()));
        Ok((opened, dictionary))
    }

    /// Takes events into the index; gives how far it reaches then.
    async fn index_events(&self, held: &mut Option<Held>, index: &Index, fields: Fields, mut done: i64, seq: i64) -> Result<i64> {
        // On a fault the writer is dropped, and with it what was not committed.
        let mut writer = match held.take() {
            Some(held) => held.writer,
            None => match writer_of(index, seq).await? {
                Some(writer) => writer,
                None => return position_of(index),
            },
        };
        // Another process may have gone further while this one had no writer.
        done = done.max(position_of(index)?);
        while done < seq {
            let batch = ledger::events(&self.catalogue, done, 64).await?;
            let Some(last) = batch.last() else { break };
            done = last.seq;
            for event in &batch {
                let body: Body = serde_json::from_str(&event.body).map_err(engine)?;
                for change in body.changes {
                    if let Change::Put { kind, id, fields: values, retired, .. } = change {
                        let key = format!("{kind}\u{1f}{id}");
                        writer.delete_term(Term::from_field_text(fields.key, &key));
                        let Ok(declared) = self.kinds.get(&kind) else { continue };
                        if !retired {
                            writer.add_document(document(fields, key, declared, &id, &values)).map_err(engine)?;
                        }
                    }
                }
            }
        }
        let mut prepared = writer.prepare_commit().map_err(engine)?;
        prepared.set_payload(&done.to_string());
        prepared.commit().map_err(engine)?;
        if index.searchable_segment_ids().map_err(engine)?.len() > SEGMENTS_MAX {
            writer.wait_merging_threads().map_err(engine)?;
        } else {
            *held = Some(Held { writer, used: Instant::now() });
        }
        Ok(done)
    }

    async fn dictionary(&self) -> Result<Dictionary> {
        let mut dictionary = Dictionary::default();
        for kind in self.kinds.iter() {
            dictionary.add(&kind.label.ja, &kind.label.en, None);
            for choice in kind.fields.iter().flat_map(|f| &f.choices) {
                dictionary.add(&choice.label.ja, &choice.label.en, None);
            }
            let pairs = pairs(kind);
            if pairs.is_empty() {
                continue;
            }
            for record in self.records(&Access::owner(), &kind.kind, None, false).await? {
                let source = dictionary.source(&record);
                for (ja, en) in &pairs {
                    let text = |name: &String| record.fields.get(name).and_then(Json::as_str);
                    if let (Some(ja), Some(en)) = (text(ja), text(en)) {
                        dictionary.add(ja, en, Some(source));
                    }
                }
            }
        }
        for variable in variable::all() {
            dictionary.add(&variable.label.ja, &variable.label.en, None);
        }
        for substance in substance::all() {
            dictionary.add(&substance.label().ja, &substance.label().en, None);
        }
        for line in include_str!("../glossary.tsv").lines().filter(|l| !l.starts_with('#')) {
            if let Some((ja, en)) = line.split_once('\t') {
                dictionary.add(ja, en, None);
            }
        }
        Ok(dictionary)
    }
}

/// Pairs of fields that say the same in Japanese and English.
fn pairs(kind: &Kind) -> Vec<(String, String)> {
    let other = |f: &FieldDecl| {
        let en = format!("{}_en", f.name.strip_suffix("_ja")?);
        kind.field(&en).map(|_| (f.name.clone(), en))
    };
    kind.fields.iter().filter_map(other).collect()
}

fn open(dir: &Path) -> Result<Opened> {
    let schema = schema();
    std::fs::create_dir_all(dir).map_err(|e| fault::io(&e, dir))?;
    let directory = tantivy::directory::MmapDirectory::open(dir).map_err(engine)?;
    let index = Index::open_or_create(directory, schema.clone()).map_err(engine)?;
    let field = |name: &str| schema.get_field(name).map_err(engine);
    let fields = Fields { key: field("key")?, title: field("title")?, text: field("text")? };
    let done = position_of(&index)?;
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(engine)?;
    Ok(Opened { index, fields, reader, done })
}

/// A writer; none when another process has caught up to this position, or holds on to its own.
async fn writer_of(index: &Index, seq: i64) -> Result<Option<IndexWriter>> {
    let until = Instant::now() + PATIENCE;
    loop {
        match index.writer_with_num_threads(1, WRITER_BYTES) {
            Ok(writer) => return Ok(Some(writer)),
            Err(tantivy::TantivyError::LockFailure(..)) if position_of(index)? < seq && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(tantivy::TantivyError::LockFailure(..)) => return Ok(None),
            Err(error) => return Err(engine(error)),
        }
    }
}

/// Lets go of a writer that was not used for a while.
async fn let_go(state: Weak<Mutex<State>>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(state) = state.upgrade() else { return };
        let mut locked = state.lock().await;
        if locked.writer.as_ref().is_none_or(|held| held.used.elapsed() >= HELD) {
            locked.writer = None;
            locked.minded = false;
            return;
        }
    }
}

/// How far of the ledger an index reaches.
fn position_of(index: &Index) -> Result<i64> {
    Ok(index.load_metas().map_err(engine)?.payload.and_then(|p| p.parse().ok()).unwrap_or(0))
}

fn schema() -> Schema {
    let mut builder = Schema::builder();
    builder.add_text_field("key", STRING | STORED);
    let words = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default().set_tokenizer("whitespace").set_index_option(IndexRecordOption::WithFreqsAndPositions),
    );
    builder.add_text_field("title", words.clone());
    builder.add_text_field("text", words);
    builder.build()
}

fn document(fields: Fields, key: String, kind: &Kind, id: &Id, values: &FieldMap) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    document.add_text(fields.key, key);
    let title = title_of(kind, id, values);
    document.add_text(fields.title, line(&[&title.ja, &title.en, &kind.label.ja, &kind.label.en, id.as_str()]));
    let mut texts: Vec<String> = Vec::new();
    for field in &kind.fields {
        if let Some(value) = values.get(&field.name) {
            collect(value, &mut texts, 0);
            let spoken = field
                .choices
                .iter()
                .filter(|c| value.as_str() == Some(&c.code))
                .flat_map(|c| [c.label.ja.clone(), c.label.en.clone()]);
            texts.extend(spoken);
            if field.name == "variable"
                && let Some(known) = value.as_str().and_then(variable::get)
            {
                texts.extend([known.label.ja.clone(), known.label.en.clone()]);
            }
        }
    }
    document.add_text(fields.text, line(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
    document
}

/// Texts inside a value, a few levels deep.
fn collect(value: &Json, out: &mut Vec<String>, depth: usize) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Number(number) => out.push(number.to_string()),
        Json::Array(parts) if depth < 4 => parts.iter().for_each(|p| collect(p, out, depth + 1)),
        Json::Object(map) if depth < 4 => map.values().for_each(|p| collect(p, out, depth + 1)),
        _ => {}
    }
}

/// Tokens of several texts as one line; a separator token keeps phrases from crossing texts.
fn line(texts: &[&str]) -> String {
    texts.iter().map(|t| tokens(t).join(" ")).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" \u{1e} ")
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '々')
}

/// NFKC, lower case; Latin words without plural endings, Japanese as character bigrams.
fn tokens(text: &str) -> Vec<String> {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let mut out = Vec::new();
    let mut run = String::new();
    let mut wide = false;
    let flush = |run: &mut String, wide: bool, out: &mut Vec<String>| {
        if run.is_empty() {
            return;
        }
        if wide {
            let characters: Vec<char> = run.chars().collect();
            match characters.as_slice() {
                [one] => out.push(one.to_string()),
                several => out.extend(several.windows(2).map(|w| w.iter().collect::<String>())),
            }
        } else {
            out.push(singular(run));
        }
        run.clear();
    };
    for c in text.chars() {
        let this_wide = is_wide(c);
        if !c.is_alphanumeric() && !this_wide {
            flush(&mut run, wide, &mut out);
            continue;
        }
        if this_wide != wide {
            flush(&mut run, wide, &mut out);
            wide = this_wide;
        }
        run.push(c);
    }
    flush(&mut run, wide, &mut out);
    out
}

fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|s| s.len() > 2) {
        return format!("{stem}y");
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Words that carry no meaning of their own in a question.
const FILLERS: [&str; 30] = [
    "a", "an", "and", "are", "at", "by", "for", "from", "how", "in", "is", "of", "on", "or", "the", "to", "what", "where",
    "which", "with", "that", "の", "を", "に", "は", "が", "と", "で", "や", "から",
];

/// Known terms with their translations, and which records say so.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// Normalised term → texts that mean the same → records that say so; none when everybody knows.
    terms: BTreeMap<String, BTreeMap<String, Option<Vec<usize>>>>,
    longest: usize,
    /// Records whose words are terms: kind and identifier.
    sources: Vec<(String, String)>,
}

fn normal(text: &str) -> String {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric() && !is_wide(c)).filter(|w| !w.is_empty()).map(singular).collect();
    words.join(" ")
}

impl Dictionary {
    /// A record whose words are terms.
    fn source(&mut self, record: &Record) -> usize {
        self.sources.push((record.kind.clone(), record.id.to_string()));
        self.sources.len() - 1
    }
    /// Notes that two texts mean the same, as a record says or everybody knows. Long texts are sentences, not terms.
    fn add(&mut self, ja: &str, en: &str, source: Option<usize>) {
        let (ja, en) = (normal(ja), normal(en));
        if ja.is_empty() || en.is_empty() || ja.chars().count() > 40 || en.chars().count() > 60 {
            return;
        }
        for (from, to) in [(&ja, &en), (&en, &ja)] {
            self.longest = self.longest.max(from.chars().count());
            let meant = self.terms.entry(from.clone()).or_default();
            for text in [from, to] {
                let told = meant.entry(text.clone()).or_insert_with(|| Some(Vec::new()));
                match (source, told.as_mut()) {
                    (Some(source), Some(told)) => told.push(source),
                    (None, _) => *told = None,
                    (Some(_), None) => {}
                }
            }
        }
    }
    /// What a term means as far as these records, and everybody, say.
    fn known<'a>(&'a self, term: &str, open: &'a HashSet<usize>) -> impl Iterator<Item = &'a String> {
        let meant = self.terms.get(term).into_iter().flatten();
        meant.filter(|(_, told)| told.as_ref().is_none_or(|told| told.iter().any(|s| open.contains(s)))).map(|(text, _)| text)
    }
    /// The records that say something of a term in the question, or of what it means: what has to be judged before it is
    /// cut.
    fn told_by(&self, question: &str) -> Vec<(usize, &(String, String))> {
        let text = normal(question);
        let characters: Vec<char> = text.chars().collect();
        let mut terms: BTreeSet<String> = BTreeSet::new();
        for at in 0..characters.len() {
            let ends = at + 1..=characters.len().min(at + self.longest);
            terms.extend(ends.map(|end| characters[at..end].iter().collect::<String>()).filter(|t| self.terms.contains_key(t)));
        }
        let mut told = BTreeSet::new();
        for _ in 0..2 {
            let meant: Vec<_> = terms.iter().filter_map(|t| self.terms.get(t)).flatten().collect();
            told.extend(meant.iter().filter_map(|(_, told)| told.as_ref()).flatten().copied());
            let more: Vec<String> = meant.into_iter().map(|(text, _)| text.clone()).collect();
            terms.extend(more);
        }
        told.into_iter().filter_map(|i| self.sources.get(i).map(|source| (i, source))).collect()
    }
    /// All texts that mean the same as a term, over two steps, so that both languages end at one set.
    fn meanings(&self, term: &str, open: &HashSet<usize>) -> Vec<String> {
        let mut found: BTreeSet<String> = BTreeSet::from([term.to_owned()]);
        for _ in 0..2 {
            let more: Vec<String> = found.iter().flat_map(|t| self.known(t, open)).cloned().collect();
            found.extend(more);
        }
        found.into_iter().collect()
    }
    /// Cuts a question into terms: the longest known ones first from the left, the rest word by word. Of what records say
    /// only that of these counts.
    fn cut(&self, question: &str, open: &HashSet<usize>) -> Vec<Vec<String>> {
        let text = normal(question);
        let characters: Vec<char> = text.chars().collect();
        let mut out: Vec<Vec<String>> = Vec::new();
        let mut at = 0;
        let mut loose = String::new();
        let boundary = |i: usize| {
            i == 0
                || i >= characters.len()
                || characters[i - 1] == ' '
                || characters[i] == ' '
                || is_wide(characters[i - 1])
                || is_wide(characters[i])
        };
        while at < characters.len() {
            let longest = self.longest.min(characters.len() - at);
            let known = (1..=longest).rev().filter(|n| boundary(at) && boundary(at + n)).find_map(|n| {
                let term: String = characters[at..at + n].iter().collect();
                (term.trim() == term && self.known(&term, open).next().is_some()).then_some((n, term))
            });
            match known {
                Some((n, term)) => {
                    push_loose(&mut loose, &mut out);
                    out.push(self.meanings(&term, open));
                    at += n;
                }
                None => {
                    loose.push(characters[at]);
                    at += 1;
                }
            }
        }
        push_loose(&mut loose, &mut out);
        out.sort();
        out.dedup();
        out
    }
}

fn push_loose(loose: &mut String, out: &mut Vec<Vec<String>>) {
    for word in loose.split(' ').filter(|w| !w.is_empty() && !FILLERS.contains(w)) {
        // Particles between known Japanese terms are left over one by one.
        let word = word.trim_matches(|c: char| is_wide(c) && FILLERS.contains(&c.to_string().as_str()));
        if !word.is_empty() {
            out.push(vec![word.to_owned()]);
        }
    }
    loose.clear();
}

fn question_query(fields: Fields, terms: &[Vec<String>], occur: Occur) -> BooleanQuery {
    let clauses = terms.iter().map(|meanings| {
        let any = meanings.iter().flat_map(|text| {
            [(fields.title, 3.0), (fields.text, 1.0)].into_iter().filter_map(move |(field, weight)| {
                phrase(field, text).map(|q| (Occur::Should, Box::new(BoostQuery::new(q, weight)) as Box<dyn Query>))
            })
        });
        (occur, Box::new(BooleanQuery::new(any.collect())) as Box<dyn Query>)
    });
    BooleanQuery::new(clauses.collect())
}

fn phrase(field: Field, text: &str) -> Option<Box<dyn Query>> {
    let terms: Vec<Term> = tokens(text).iter().map(|t| Term::from_field_text(field, t)).collect();
    match terms.as_slice() {
        [] => None,
        [one] => Some(Box::new(TermQuery::new(one.clone(), IndexRecordOption::WithFreqs))),
        _ => Some(Box::new(PhraseQuery::new(terms))),
    }
}

/// The field the terms stand in, and its text (with the other language beside it).
fn snippet(kind: &Kind, id: &Id, fields: &FieldMap, terms: &[Vec<String>]) -> (String, Text) {
    let holds = |text: &str| {
        let text = normal(text);
        terms.iter().any(|t| t.iter().any(|m| text.contains(m.as_str())))
    };
    let short = |text: &str| text.chars().take(160).collect::<String>();
    let read = |name: &str| fields.get(name).and_then(Json::as_str);
    for field in kind.fields.iter().filter(|f| matches!(f.field_type, FieldType::Text | FieldType::Choice)) {
        let Some(text) = read(&field.name).filter(|t| holds(t)) else { continue };
        let other = match (field.name.strip_suffix("_ja"), field.name.strip_suffix("_en")) {
            (Some(stem), _) => read(&format!("{stem}_en")).map(|en| Text::new(short(text), short(en))),
            (_, Some(stem)) => read(&format!("{stem}_ja")).map(|ja| Text::new(short(ja), short(text))),
            _ => None,
        };
        return (field.name.clone(), other.unwrap_or_else(|| Text::same(short(text))));
    }
    ("title".into(), title_of(kind, id, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_tokens_in_both_scripts() {
        assert_eq!(tokens("Facilities, 30 L"), ["facility", "30", "l"]);
        assert_eq!(tokens("食品残渣"), ["食品", "品残", "残渣"]);
        assert_eq!(tokens("ＣＯ２固定株"), ["co2", "固定", "定株"]);
    }

    #[test]
    fn a_question_in_either_language_is_one_query() {
        let mut dictionary = Dictionary::default();
        dictionary.add("食品残渣", "food residue", None);
        dictionary.add("施設", "facility", None);
        let cut = |question: &str| dictionary.cut(question, &HashSet::new());
        assert_eq!(cut("食品残渣の施設"), cut("facilities for food residues"));
        assert_eq!(cut("未知語"), vec![vec!["未知語".to_owned()]]);
        assert!(cut("the of").is_empty());
        // Only Japanese particles are taken off a word.
        assert_eq!(cut("a aroma"), [["aroma"]]);
        assert_eq!(cut("の施設"), cut("facility"));
    }

    #[test]
    fn what_only_a_record_says_is_known_to_those_who_may_see_it() {
        let mut dictionary = Dictionary::default();
        let record: Record = Record {
            kind: "strain".into(),
            id: Id::parse("s1").unwrap(),
            version: 1,
            kind_version: 1,
            fields: FieldMap::new(),
            retired: false,
            owner: None,
        };
        let source = dictionary.source(&record);
        dictionary.add("秘蔵株", "hidden strain", Some(source));
        let told: Vec<usize> = dictionary.told_by("the hidden strains").into_iter().map(|(i, _)| i).collect();
        assert_eq!(told, [source]);
        let (shown, closed) = (HashSet::from([source]), HashSet::new());
        assert_eq!(dictionary.cut("hidden strain", &shown), [["hidden strain".to_owned(), "秘蔵株".to_owned()]]);
        assert_eq!(dictionary.cut("hidden strain", &closed).len(), 2);
        // Once everybody knows it, no record is needed.
        dictionary.add("秘蔵株", "hidden strain", None);
        assert_eq!(dictionary.cut("hidden strain", &closed), [["hidden strain".to_owned(), "秘蔵株".to_owned()]]);
    }
}
