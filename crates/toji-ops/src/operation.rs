//! The operation mechanism: declared once, shown as a CLI command, an HTTP endpoint, a form.

use crate::progress::Progress;
use crate::session::Session;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use toji_core::{Access, Error, Place, Result, Text};

/// Does an operation change the store?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It only reads.
    Read,
    /// It writes to the ledger.
    Write,
}

/// What an operation receives.
#[derive(Clone)]
pub struct Context {
    /// The open store with its settings.
    pub session: Arc<Session>,
    /// Who asks, and who answers for it.
    pub access: Access,
    /// The present, given from outside so that results do not depend on a hidden clock.
    pub now: toji_core::Instant,
    /// Seed of every random choice.
    pub seed: u64,
    /// Progress and cancellation.
    pub progress: Progress,
    /// May paths of this machine be read? Yes on the command line; no for requests over the network,
    /// which name uploaded files by their address.
    pub local_files: bool,
}

/// A file an operation hands out beside its typed output.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Suggested file name.
    pub name: String,
    /// Media type.
    pub media_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What an operation returns.
#[derive(Debug)]
pub struct Output<J = Json> {
    /// The typed output as JSON: as a value, or as text.
    pub json: J,
    /// A file, for exports.
    pub attachment: Option<Attachment>,
}

/// A typed output, with or without a file.
pub struct Answer<O> {
    /// The typed output.
    pub output: O,
    /// A file, for exports.
    pub attachment: Option<Attachment>,
}

/// A typed output whose type only the operation knows.
trait Told: Send {
    fn value(&self) -> serde_json::Result<Json>;
    fn text(&self) -> serde_json::Result<Vec<u8>>;
}

impl<O: Serialize + Send> Told for O {
    fn value(&self) -> serde_json::Result<Json> {
        serde_json::to_value(self)
    }
    fn text(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Answer<Box<dyn Told>>>> + Send>>;

/// An operation, as the faces see it.
pub struct Operation {
    /// Name: noun and verb, e.g. `run import`.
    pub name: &'static str,
    /// Short label.
    pub label: Text,
    /// One paragraph.
    pub about: Text,
    /// Reads or writes.
    pub effect: Effect,
    /// May take long: faces show progress and offer a job.
    pub long: bool,
    /// Its answer is shown once and kept nowhere, so it is never a job.
    pub shown_once: bool,
    /// Fields of the input that the command line takes by position, in order; `…` at the end of the
    /// last one takes all the rest.
    pub positional: &'static [&'static str],
    /// A command line that works.
    pub example: &'static str,
    /// Schema of the input.
    pub input: Schema,
    /// Schema of the output.
    pub output: Schema,
    run: Box<dyn Fn(Context, Json) -> Running + Send + Sync>,
}

/// The words of a declaration.
pub struct Words {
    /// Name: noun and verb.
    pub name: &'static str,
    /// Label, Japanese and English.
    pub label: [&'static str; 2],
    /// One paragraph, Japanese and English.
    pub about: [&'static str; 2],
    /// Positional fields.
    pub positional: &'static [&'static str],
    /// A command line that works.
    pub example: &'static str,
}

impl Operation {
    /// Declares an operation from its words and its function.
    pub fn declare<I, O, F, R>(words: Words, effect: Effect, function: F) -> Self
    where
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + Send + 'static,
        F: Fn(Context, I) -> R + Send + Sync + Clone + 'static,
        R: Future<Output = Result<O>> + Send + 'static,
    {
        Self::declare_filed(words, effect, move |context, input| {
            let work = function(context, input);
            async move { Ok(Answer { output: work.await?, attachment: None }) }
        })
    }
    /// Declares an operation that may hand out a file.
    pub fn declare_filed<I, O, F, R>(words: Words, effect: Effect, function: F) -> Self
    where
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + Send + 'static,
        F: Fn(Context, I) -> R + Send + Sync + Clone + 'static,
        R: Future<Output = Result<Answer<O>>> + Send + 'static,
    {
        let run = move |context: Context, input: Json| -> Running {
            let function = function.clone();
            Box::pin(async move {
                let input: I = read_input(input)?;
                let answer: Answer<O> = function(context, input).await?;
                Ok(Answer { output: Box::new(answer.output) as Box<dyn Told>, attachment: answer.attachment })
            })
        };
        Self {
            name: words.name,
            label: Text::new(words.label[0], words.label[1]),
            about: Text::new(words.about[0], words.about[1]),
            effect,
            long: false,
            shown_once: false,
            positional: words.positional,
            example: words.example,
            input: schemars::schema_for!(I),
            output: schemars::schema_for!(O),
            run: Box::new(run),
        }
    }
    /// Marks an operation that may take long.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.long = true;
        self
    }
    /// Marks an operation whose answer holds a secret: it is shown once and kept nowhere.
    #[must_use]
    pub fn shown_once(mut self) -> Self {
        self.shown_once = true;
        self
    }
    /// Noun and verb.
    #[must_use]
    pub fn noun_verb(&self) -> (&'static str, &'static str) {
        self.name.split_once(' ').unwrap_or((self.name, ""))
    }
    /// Runs it.
    ///
    /// # Errors
    /// Input that does not fit the schema, and whatever the operation refuses.
    pub async fn run(&self, context: Context, input: Json) -> Result<Output> {
        let answer = (self.run)(context, input).await?;
        Ok(Output { json: answer.output.value().map_err(|e| Error::bug("E-OP-001", e))?, attachment: answer.attachment })
    }
    /// As [`Operation::run`], with the output written out at once: for faces that only hand it on, and long series.
    ///
    /// # Errors
    /// As of [`Operation::run`].
    pub async fn run_text(&self, context: Context, input: Json) -> Result<Output<Vec<u8>>> {
        let answer = (self.run)(context, input).await?;
        Ok(Output { json: answer.output.text().map_err(|e| Error::bug("E-OP-001", e))?, attachment: answer.attachment })
    }
}

fn read_input<I: DeserializeOwned>(input: Json) -> Result<I> {
    serde_json::from_value(input).map_err(|e| {
        let message = e.to_string();
        let field = message.split('`').nth(1).unwrap_or_default().to_owned();
        Error::input("E-OP-002", format!("入力が合いません: {message}"), format!("the input does not fit: {message}"))
            .at(Place::field(field))
            .hint(
                "--help または /api/v1/openapi.json で項目を確認してください",
                "see --help or /api/v1/openapi.json for the fields",
            )
    })
}
