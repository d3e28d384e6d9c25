//! `protocol run`: a protocol on an instrument, recorded as it goes, concluded when it ends.
//!
//! Time is the instrument's own, as its readings tell it, so a simulated instrument may run faster than the clock on
//! the wall. What the protocol decides by is what is recorded: a reading counts once it is durable. Before anything is
//! told, the whole protocol is held against the instrument's limits.

use super::{configuration, plan_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::time::Duration;
use toji_core::record::FieldMap;
use toji_core::{Category, Error, Id, Instant, Place, Record, Result};
use toji_live::collect::Report;
use toji_live::command::{Board, Heard, Instrument, connect};
use toji_live::protocol::{Action, Machine, Order, State, steps::label_of};
use toji_live::{Collector, Config};
use toji_store::{Commit, Put, live_run_id};
use tokio_util::sync::CancellationToken;

/// Input of `protocol run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Protocol.
    ///
    /// 手順。
    protocol: String,
    /// Configuration of sources, a TOML file; the instrument's source says `commands = true`.
    ///
    /// 接続元の設定（TOML ファイル）。装置の接続元には `commands = true` が要る。
    config: String,
    /// Source of the instrument in that configuration.
    ///
    /// その設定の中の、装置の接続元。
    source: String,
    /// Vessel, as the source names it.
    ///
    /// 接続元での槽の名前。
    vessel: String,
    /// Strain that is cultivated, by identifier: the record names it from the start.
    ///
    /// 培養する株の識別子。記録に最初から載ります。
    #[serde(default)]
    strain: Option<String>,
    /// Record of the vessel, by identifier.
    ///
    /// 槽の記録の識別子。
    #[serde(default)]
    vessel_record: Option<String>,
    /// Go on with this phase (from 1) of a run that was interrupted.
    ///
    /// 中断した培養を、このフェーズ（1 から）から続ける。
    #[serde(default)]
    from_phase: Option<usize>,
    /// Seconds without a word of the instrument after which the protocol stops.
    ///
    /// 装置の無音がこの時間（s）続くと手順を止める。
    #[serde(default = "minute")]
    silence_s: f64,
    /// Seconds to wait, after the last command, for the source to say that the batch has ended.
    ///
    /// 最後の指令の後、接続元がバッチの終わりを告げるまで待つ時間（s）。
    #[serde(default = "minute")]
    ending_s: f64,
}

fn minute() -> f64 {
    60.0
}

/// A command that was given.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Command {
    /// By the instrument's clock, RFC 3339.
    time: String,
    /// Number of the phase, from 1.
    phase: usize,
    /// Variable or deed.
    what: String,
    /// What the instrument was told, in its own words.
    told: String,
}

/// Output of `protocol run`.
#[derive(Debug, Serialize, JsonSchema)]
struct Ran {
    /// Protocol.
    protocol: String,
    /// Run that records it.
    run: String,
    /// Source.
    source: String,
    /// Vessel.
    vessel: String,
    /// Phases that were gone through.
    phases: usize,
    /// Commands, in order.
    commands: Vec<Command>,
    /// When the source said that the batch has ended, RFC 3339.
    ended: Option<String>,
    /// Analysis of the run.
    analysis: Option<String>,
    /// What was collected meanwhile.
    sources: Vec<Report>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "protocol run",
            label: ["手順の実行", "Run a protocol"],
            about: [
                "手順を装置で実行しながら、測定値と命令を培養の記録に残します。命令は、接続設定で許可された装置に、上下限の内側でだけ送られます。終了すると、記録を確定して解析します。人の手入力はいりません。",
                "Runs a protocol on an instrument while its values and every command are recorded as a run. Commands go only to an instrument whose configuration permits it, within its limits. When it ends, the record is sealed and analysed. Nothing is entered by hand.",
            ],
            positional: &["protocol", "config"],
            example: "toji protocol run PROT-1 hall.toml --source hall --vessel R07 --strain STR-1",
        },
        Effect::Write,
        run,
    )
    .long()
}

async fn run(context: Context, input: Input) -> Result<Ran> {
    let (record, plan) = plan_of(&context, &input.protocol).await?;
    if record.fields.get("state").and_then(Json::as_str) == Some("retired") {
        return Err(Error::new(
            Category::Conflict,
            "E-PROTOCOL-013",
            format!("手順「{}」は廃止されています", record.id),
            format!("the protocol \"{}\" is retired", record.id),
        )
        .at(Place::field("protocol"))
        .hint("新しい版を使ってください", "use the version that replaces it"));
    }
    let machine = begin(plan, input.from_phase)?;
    let (path, config) = configuration(&context, &input.config).await?;
    for (field, seconds) in [("silence_s", input.silence_s), ("ending_s", input.ending_s)] {
        if !(seconds.is_finite() && (0.1..=86_400.0).contains(&seconds)) {
            return Err(Error::input("E-PROTOCOL-016", "0.1 秒から 1 日までです", "between 0.1 s and a day")
                .at(Place::field(field))
                .hint("秒数を直してください", "correct the number of seconds"));
        }
    }
    if config.server.is_some() {
        return Err(Error::input(
            "E-PROTOCOL-017",
            "手順は、記録を手元に保存する計算機で実行してください（[server] は使えません）",
            "run protocols where the record is kept: [server] cannot be used here",
        )
        .at(Place::field("server"))
        .hint("[server] のない設定ファイルを使ってください", "use a configuration without [server]"));
    }
    let facts = facts(&context, &input, &record).await?;
    let sink = context.session.live_sink();
    // Learn now, not at the first message, that another process writes here.
    sink.append(Vec::new()).await?;
    let board = Board::new(sink, &input.source, &input.vessel);
    let instrument = connect(&config, &input.source, &input.vessel, board.clone()).await?;
    machine.plan().fits(instrument.describe())?;
    let running = Running {
        context: context.clone(),
        protocol: record,
        source: input.source.clone(),
        vessel: input.vessel.clone(),
        silence: Duration::from_secs_f64(input.silence_s),
        ending: Duration::from_secs_f64(input.ending_s),
        again: input.from_phase.is_some(),
        facts,
        machine,
        instrument,
        run: None,
        commands: Vec::new(),
    };
    see_through(context, running, board, config, path).await
}

/// What is known of the run before it begins: which strain, which vessel, and the medium of the protocol.
async fn facts(context: &Context, input: &Input, protocol: &Record) -> Result<FieldMap> {
    let mut facts = FieldMap::new();
    facts.insert("protocol".into(), protocol.id.as_str().into());
    for (field, kind, id) in [("strain", "strain", &input.strain), ("vessel", "vessel", &input.vessel_record)] {
        let Some(id) = id else { continue };
        let place = if field == "vessel" { "vessel_record" } else { field };
        let record = context.session.store.record(&context.access, kind, id, None).await;
        facts.insert(field.into(), record.map_err(|e| e.at(Place::field(place)))?.id.as_str().into());
    }
    facts.extend(protocol.fields.get("medium").map(|medium| ("medium".to_owned(), medium.clone())));
    Ok(facts)
}

fn begin(plan: toji_live::protocol::Plan, from_phase: Option<usize>) -> Result<Machine> {
    let phases = plan.phases.len();
    match from_phase {
        None => Ok(Machine::new(plan)),
        Some(number) if (1..=phases).contains(&number) => Ok(Machine::from_phase(plan, number - 1)),
        Some(number) => Err(Error::input(
            "E-PROTOCOL-018",
            format!("フェーズ {number} はありません (全 {phases} フェーズ)"),
            format!("there is no phase {number} of {phases}"),
        )
        .at(Place::field("from_phase"))
        .hint("`toji protocol check` で番号を確認してください", "see the numbers with `toji protocol check`")),
    }
}

/// Collects and commands until the protocol is over; then seals, analyses and answers.
async fn see_through(context: Context, mut running: Running, board: Board, config: Config, path: PathBuf) -> Result<Ran> {
    let stop = CancellationToken::new();
    let collector = Collector::new(&config);
    let aside = path.with_extension("refused.jsonl");
    let collecting = async {
        let collected = toji_live::collect(config, &collector, &board, Some(aside), &stop).await;
        stop.cancel();
        collected
    };
    let executing = async {
        let executed = running.execute(&board, &stop).await;
        stop.cancel();
        executed
    };
    let (collected, executed) = tokio::join!(collecting, executing);
    context.session.end_live().await?;
    // Why the protocol stopped says more than that the collector was stopped with it.
    let ended = executed?;
    collected?;
    let run = running.run.as_ref().map(ToString::to_string).unwrap_or_default();
    let concluded = match ended {
        Some(_) => Some(crate::live::conclude_run(&context.session, &context.access, context.now, &run).await?),
        None => None,
    };
    Ok(Ran {
        protocol: running.protocol.id.to_string(),
        run,
        source: running.source,
        vessel: running.vessel,
        phases: running.machine.plan().phases.len(),
        commands: running.commands,
        ended: ended.map(|ns| Instant(ns).to_string()),
        analysis: concluded.and_then(|c| c.analysis),
        sources: collector.report(),
    })
}

/// A protocol on its way.
struct Running {
    context: Context,
    protocol: Record,
    source: String,
    vessel: String,
    silence: Duration,
    ending: Duration,
    /// A run that was interrupted goes on.
    again: bool,
    /// What is set on the run when it is known, where nothing stands yet.
    facts: FieldMap,
    machine: Machine,
    instrument: Box<dyn Instrument>,
    run: Option<Id>,
    commands: Vec<Command>,
}

impl Running {
    /// Goes through the protocol; when the source said that the batch has ended, ns, if it did.
    async fn execute(&mut self, board: &Board, stop: &CancellationToken) -> Result<Option<i64>> {
        let mut heard = board.follow();
        let mut last = tokio::time::Instant::now();
        let mut over = None;
        loop {
            let now = heard.borrow_and_update().clone();
            if let (Some(key), Some(t_ns)) = (&now.run, now.t_ns) {
                let key = key.clone();
                self.recorded_as(&key, &now).await?;
                self.tell(t_ns, &now).await?;
            }
            if self.machine.is_over() {
                let since = *over.get_or_insert_with(tokio::time::Instant::now);
                if now.ended_ns.is_some() || since.elapsed() >= self.ending {
                    return Ok(now.ended_ns);
                }
            } else if last.elapsed() >= self.silence {
                return Err(self.fails("E-PROTOCOL-011", &silent(self.silence), None).await);
            }
            self.progress()?;
            tokio::select! {
                changed = heard.changed() => {
                    if changed.is_ok() {
                        last = tokio::time::Instant::now();
                    }
                }
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
                () = stop.cancelled() => return Err(interrupted()),
            }
        }
    }

    fn progress(&self) -> Result<()> {
        let phases = self.machine.plan().phases.len();
        let at = match self.machine.state() {
            State::Ready => 0,
            State::In { phase, .. } | State::Failed { phase } => phase,
            State::Done => phases,
        };
        let name = self.machine.plan().phases.get(at).map_or_else(String::new, |p| p.path());
        self.context.progress.step(at as u64, Some(phases as u64), format!("手順: {name}"), format!("protocol: {name}"))
    }

    /// The run that records it, once it is known; it names the protocol from then on.
    async fn recorded_as(&mut self, key: &str, heard: &Heard) -> Result<()> {
        let run = live_run_id(&self.source, key);
        if let Some(before) = &self.run {
            if *before == run {
                return Ok(());
            }
            let words = ["槽の培養が途中で替わりました".to_owned(), "another batch began in the vessel".to_owned()];
            return Err(self.fails("E-PROTOCOL-019", &words, None).await);
        }
        let store = &self.context.session.store;
        let record = store.record(&self.context.access, "run", run.as_str(), None).await?;
        let present = record.fields.get("protocol").and_then(Json::as_str);
        let is_ours = present == Some(self.protocol.id.as_str());
        let may = if self.again { is_ours } else { present.is_none() };
        if !may || heard.ended_ns.is_some() {
            return Err(Error::new(
                Category::Conflict,
                "E-PROTOCOL-012",
                format!("培養「{run}」では、この手順を始められません（手順: {}）", present.unwrap_or("なし")),
                format!("this protocol cannot begin on the run \"{run}\" (its protocol: {})", present.unwrap_or("none")),
            )
            .at(Place::field("vessel"))
            .hint(
                "新しい培養で始めてください。中断した実行の続きは from_phase で指定します",
                "begin with a new batch; an interrupted one goes on with from_phase",
            ));
        }
        if !is_ours {
            let mut fields = record.fields.clone();
            for (name, fact) in &self.facts {
                fields.entry(name.clone()).or_insert_with(|| fact.clone());
            }
            let put = Put { if_version: Some(record.version), ..Put::new("run", run.clone(), fields) };
            self.commit(put, "手順の開始 / protocol begun").await?;
        }
        self.run = Some(run);
        Ok(())
    }

    /// Gives the commands that are due.
    async fn tell(&mut self, t_ns: i64, heard: &Heard) -> Result<()> {
        let orders = self.machine.step(t_ns, |variable| heard.measured(variable));
        for order in orders {
            self.command(t_ns, &order).await?;
        }
        if let State::Failed { phase } = self.machine.state() {
            let path = self.machine.plan().phases.get(phase).map(|p| p.path()).unwrap_or_default();
            let words = [
                format!("フェーズ「{path}」の移行条件が時間内に成り立ちませんでした"),
                format!("the condition of the phase \"{path}\" did not come in time"),
            ];
            return Err(self.fails("E-PROTOCOL-020", &words, Some(phase)).await);
        }
        Ok(())
    }

    async fn command(&mut self, t_ns: i64, order: &Order) -> Result<()> {
        let why = self.machine.plan().phases.get(order.phase).map(|p| p.path()).unwrap_or_default();
        let (what, sort, label, more, done) = match &order.action {
            Action::Set(set) => {
                let (value, unit) = (set.value, &set.unit);
                let label = label_of(&set.variable);
                let words = format!("{} = {value} {} / {} = {value} {}", label.ja, unit.label(), label.en, unit.label());
                let more = json!({ "variable": set.variable, "value": value, "unit": unit.code() });
                let done = self.instrument.set(&set.variable, value, unit, &why).await;
                (set.variable.clone(), "setpoint", words, more, done)
            }
            Action::Do(deed) => {
                let label = deed.label();
                let words = format!("{} / {}", label.ja, label.en);
                let done = self.instrument.act(*deed, &why).await;
                (deed.code().to_owned(), deed.event_sort(), words, json!({ "deed": deed.code() }), done)
            }
        };
        let (outcome, told) = match &done {
            Ok(done) => ("done", done.told.clone()),
            Err(error) if error.code() == "E-COMMAND-006" => ("unanswered", error.fault().message.en.clone()),
            Err(error) => ("refused", error.fault().message.en.clone()),
        };
        // A command that was not done is no inoculation and no set-point; it is an alarm.
        let sort = if done.is_ok() { sort } else { "alarm" };
        self.event(
            t_ns,
            sort,
            label,
            &why,
            order.phase,
            json!({ "what": what, "outcome": outcome, "told": told, "order": more }),
        )
        .await?;
        let done = done.map_err(|error| error.at(Place::field(format!("phase {}: {why}", order.phase + 1))))?;
        self.commands.push(Command { time: Instant(t_ns).to_string(), phase: order.phase + 1, what, told: done.told });
        Ok(())
    }

    /// Records what happened on the run.
    async fn event(&self, t_ns: i64, sort: &str, label: String, why: &str, phase: usize, more: Json) -> Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let record = self.context.session.store.record(&self.context.access, "run", run.as_str(), None).await?;
        let started = record.fields.get("started").and_then(Json::as_str).and_then(|t| Instant::parse(t).ok());
        let time = Instant(t_ns).to_string();
        let mut fields = FieldMap::new();
        fields.insert("run".into(), run.as_str().into());
        fields.insert("sort".into(), sort.into());
        fields.insert("label".into(), label.into());
        fields.insert("reason".into(), why.into());
        fields.insert("time".into(), time.as_str().into());
        if let Some(started) = started {
            fields.insert("elapsed_s".into(), (t_ns.saturating_sub(started.0) as f64 / 1e9).into());
        }
        let number = phase + 1;
        let mut facts = json!({ "protocol": self.protocol.id.as_str(), "phase": number, "source": self.source });
        if let (Some(facts), Json::Object(more)) = (facts.as_object_mut(), &more) {
            facts.extend(more.clone());
        }
        fields.insert("fields".into(), facts);
        let what = more.get("what").and_then(Json::as_str).unwrap_or_default();
        let id =
            Id::derive("evt", &[run.as_str(), "protocol", self.protocol.id.as_str(), &number.to_string(), what, sort, &time]);
        self.commit(Put::new("event", id, fields), why).await
    }

    async fn commit(&self, put: Put, why: &str) -> Result<()> {
        let commit =
            Commit { operation: "protocol run".into(), reason: Some(why.to_owned()), puts: vec![put], ..Commit::default() };
        let now = Instant(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX));
        self.context.session.store.commit(&self.context.access, now, commit).await.map(drop)
    }

    /// The protocol stops here: the run keeps why, and the culture is a person's to look after.
    async fn fails(&self, code: &'static str, words: &[String; 2], phase: Option<usize>) -> Error {
        let [ja, en] = words;
        let at = phase.unwrap_or(match self.machine.state() {
            State::In { phase, .. } | State::Failed { phase } => phase,
            State::Ready | State::Done => 0,
        });
        let t_ns = self.instrument.latest().t_ns.unwrap_or(self.context.now.0);
        let kept = self
            .event(t_ns, "alarm", format!("{ja} / {en}"), code, at, json!({ "what": "protocol", "outcome": "stopped" }))
            .await;
        if let Err(error) = kept {
            tracing::warn!(code = error.code(), "why the protocol stopped was not recorded");
        }
        Error::new(Category::Conflict, code, format!("手順を中断しました: {ja}"), format!("the protocol has stopped: {en}"))
            .at(Place::field(format!("phase {}", at + 1)))
            .hint(
                "装置は最後に命じた状態のままです。装置を確かめ、続けるなら from_phase で始めてください",
                "the instrument keeps what it was told last; look at it, and go on with from_phase if it may",
            )
    }
}

fn silent(after: Duration) -> [String; 2] {
    let s = after.as_secs_f64();
    [format!("装置から {s} 秒間、何も届いていません"), format!("nothing was heard of the instrument for {s} s")]
}

fn interrupted() -> Error {
    Error::storage("E-PROTOCOL-021", "収集が止まったため、手順を中断しました", "the protocol has stopped because collecting did")
        .hint("装置は最後に命じた状態のままです", "the instrument keeps what it was told last")
}
