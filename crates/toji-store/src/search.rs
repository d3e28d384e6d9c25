//! Search in Japanese and English over all records.
//!
//! The index is derived from the ledger and caught up before each search. A question is cut into known
//! terms (labels of kinds and choices, variables, substances, and every pair of `…_ja`/`…_en` fields in the
//! records); each term stands for itself and its translations, so the same question in either language is
//! the same query and gives the same hits.

use crate::fault;
use crate::ledger::{self, Body, Change};
use crate::records::title_of;
use crate::store::Store;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _};
use tantivy::{Index, IndexWriter, TantivyDocument, Term};
use toji_core::kind::FieldType;
use toji_core::record::FieldMap;
use toji_core::{Access, Error, Id, Kind, Result, Text, substance, variable};
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    index: Option<(Index, Fields)>,
    /// Ledger position the dictionary was made at.
    seq: i64,
    dictionary: Dictionary,
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    key: Field,
    title: Field,
    text: Field,
}

impl SearchFolder {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, state: Mutex::default() }
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

impl Store {
    /// Finds records by words, in either language.
    ///
    /// # Errors
    /// Unknown kinds, a damaged index.
    pub async fn search(&self, access: &Access, question: &str, kinds: &[String], limit: usize) -> Result<SearchAnswer> {
        for kind in kinds {
            self.kinds.get(kind)?;
        }
        let mut state = self.search.state.lock().await;
        self.catch_up(&mut state).await?;
        let Some((index, fields)) = &state.index else { return Ok(SearchAnswer::default()) };
        // The words of records the asker may not see are not known to their questions either.
        let terms = match access.sees_all() {
            true => state.dictionary.cut(question),
            false => self.dictionary(access).await?.cut(question),
        };
        if terms.is_empty() {
            return Ok(SearchAnswer::default());
        }
        let searcher = index.reader().map_err(engine)?.searcher();
        let mut answer = SearchAnswer { terms: terms.clone(), ..SearchAnswer::default() };
        for occur in [Occur::Must, Occur::Should] {
            let query = question_query(*fields, &terms, occur);
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
            for (score, kind, id) in scored {
                // The gate: what the asker may not read is neither shown nor counted.
                let Some(record) = self.seen(access, &kind, &id).await?.filter(|r| !r.retired) else { continue };
                answer.total += 1;
                if answer.hits.len() < limit {
                    let declared = self.kinds.get(&kind)?;
                    let (field, snippet) = snippet(declared, &record.id, &record.fields, &terms);
                    let source = record.fields.get("source").and_then(Json::as_str).map(str::to_owned);
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

    /// Brings index and dictionary up to the newest event.
    async fn catch_up(&self, state: &mut State) -> Result<()> {
        let seq = self.position().await?;
        if state.index.is_none() {
            let schema = schema();
            std::fs::create_dir_all(&self.search.dir).map_err(|e| fault::io(&e, &self.search.dir))?;
            let directory = tantivy::directory::MmapDirectory::open(&self.search.dir).map_err(engine)?;
            let index = Index::open_or_create(directory, schema.clone()).map_err(engine)?;
            let field = |name: &str| schema.get_field(name).map_err(engine);
            state.index = Some((index, Fields { key: field("key")?, title: field("title")?, text: field("text")? }));
        }
        let Some((index, fields)) = &state.index else { return Ok(()) };
        let done: i64 = index.load_metas().map_err(engine)?.payload.and_then(|p| p.parse().ok()).unwrap_or(0);
        if done < seq {
            self.index_events(index, *fields, done, seq).await?;
        }
        if state.seq != seq || state.dictionary.is_empty() {
            state.dictionary = self.dictionary(&Access::owner()).await?;
            state.seq = seq;
        }
        Ok(())
    }

    async fn index_events(&self, index: &Index, fields: Fields, mut done: i64, seq: i64) -> Result<()> {
        let mut writer: IndexWriter = match index.writer_with_num_threads(1, 32 << 20) {
            Ok(writer) => writer,
            // Another process is catching up; what it has committed so far is searched.
            Err(tantivy::TantivyError::LockFailure(..)) => return Ok(()),
            Err(error) => return Err(engine(error)),
        };
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
        Ok(())
    }

    async fn dictionary(&self, access: &Access) -> Result<Dictionary> {
        let mut dictionary = Dictionary::default();
        for kind in self.kinds.iter() {
            dictionary.add(&kind.label.ja, &kind.label.en);
            for choice in kind.fields.iter().flat_map(|f| &f.choices) {
                dictionary.add(&choice.label.ja, &choice.label.en);
            }
            let pairs: Vec<(String, String)> = kind
                .fields
                .iter()
                .filter_map(|f| {
                    let en = format!("{}_en", f.name.strip_suffix("_ja")?);
                    kind.field(&en).map(|_| (f.name.clone(), en))
                })
                .collect();
            if pairs.is_empty() {
                continue;
            }
            for record in self.records(access, &kind.kind, None, false).await? {
                for (ja, en) in &pairs {
                    let text = |name: &String| record.fields.get(name).and_then(Json::as_str);
                    if let (Some(ja), Some(en)) = (text(ja), text(en)) {
                        dictionary.add(ja, en);
                    }
                }
            }
        }
        for variable in variable::all() {
            dictionary.add(&variable.label.ja, &variable.label.en);
        }
        for substance in substance::all() {
            dictionary.add(&substance.label().ja, &substance.label().en);
        }
        for line in include_str!("../glossary.tsv").lines().filter(|l| !l.starts_with('#')) {
            if let Some((ja, en)) = line.split_once('\t') {
                dictionary.add(ja, en);
            }
        }
        Ok(dictionary)
    }
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

/// Known terms with their translations.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// Normalised term → all texts that mean the same.
    terms: BTreeMap<String, BTreeSet<String>>,
    longest: usize,
}

fn normal(text: &str) -> String {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric() && !is_wide(c)).filter(|w| !w.is_empty()).map(singular).collect();
    words.join(" ")
}

impl Dictionary {
    fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
    /// Notes that two texts mean the same. Long texts are sentences, not terms.
    fn add(&mut self, ja: &str, en: &str) {
        let (ja, en) = (normal(ja), normal(en));
        if ja.is_empty() || en.is_empty() || ja.chars().count() > 40 || en.chars().count() > 60 {
            return;
        }
        for (from, to) in [(&ja, &en), (&en, &ja)] {
            self.longest = self.longest.max(from.chars().count());
            let meant = self.terms.entry(from.clone()).or_default();
            meant.insert(from.clone());
            meant.insert(to.clone());
        }
    }
    /// All texts that mean the same as a term, over two steps, so that both languages end at one set.
    fn meanings(&self, term: &str) -> Vec<String> {
        let mut found: BTreeSet<String> = BTreeSet::from([term.to_owned()]);
        for _ in 0..2 {
            let more: Vec<String> = found.iter().filter_map(|t| self.terms.get(t)).flatten().cloned().collect();
            found.extend(more);
        }
        found.into_iter().collect()
    }
    /// Cuts a question into terms: the longest known ones first from the left, the rest word by word.
    fn cut(&self, question: &str) -> Vec<Vec<String>> {
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
                (term.trim() == term && self.terms.contains_key(&term)).then_some((n, term))
            });
            match known {
                Some((n, term)) => {
                    push_loose(&mut loose, &mut out);
                    out.push(self.meanings(&term));
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
        let word = word.trim_matches(|c: char| FILLERS.contains(&c.to_string().as_str()));
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
        dictionary.add("食品残渣", "food residue");
        dictionary.add("施設", "facility");
        assert_eq!(dictionary.cut("食品残渣の施設"), dictionary.cut("facilities for food residues"));
        assert_eq!(dictionary.cut("未知語"), vec![vec!["未知語".to_owned()]]);
        assert!(dictionary.cut("the of").is_empty());
    }
}
