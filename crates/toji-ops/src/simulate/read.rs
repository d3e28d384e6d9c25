//! From a simulated plant to a reading: runs with channels and events, and beside them what was true.

use super::file::Shown;
use super::run::configuration;
use crate::progress::Progress;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use toji_core::clock::ZoneEvidence;
use toji_core::culture::{Assay, Channel, Event, Instrument, PointsBuilder, Reading, Run, Sample, When, ZeroTime};
use toji_core::record::FieldMap;
use toji_core::{ClockTime, Error, Id, Instant, Place, Result, Unit};
use toji_plant::{Analysed, Decision, Plant, PlantConfig, ReactorConfig, Reporter, Sensed, SignalId, SignalInfo, What};

/// What is simulated.
pub(super) struct Plan {
    pub(super) config: PlantConfig,
    pub(super) seed: u64,
    pub(super) hours: f64,
    pub(super) every_s: f64,
}

/// A fault that was put in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Label {
    /// Vessel.
    pub(super) reactor: String,
    /// Sort: `stuck`, `drift`, `spikes`, `drop-out`, `swapped`, `re-zeroed`, `feed-blocked`, `clock-offset`, `clock-drift`.
    pub(super) fault: String,
    /// Channel it sits on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<String>,
    /// From, true time.
    pub(super) from: String,
    /// Until, true time.
    pub(super) until: String,
    /// Its size and further facts.
    pub(super) detail: Json,
}

/// An observation or decision with its run and time.
pub(super) struct Said<T> {
    /// Index of the run.
    pub(super) run: usize,
    pub(super) when: ClockTime,
    pub(super) what: T,
}

/// A simulated reading.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) reading: Reading,
    pub(super) sensed: Vec<Said<Sensed>>,
    pub(super) decided: Vec<(Said<Decision>, Instant)>,
    pub(super) faults: Vec<Label>,
    pub(super) configuration: Vec<u8>,
    /// CSV of what was true.
    pub(super) truth: Vec<u8>,
    /// What displays showed, for files of vendors.
    pub(super) shown: Shown,
    pub(super) seed: u64,
    /// What the runs say of the experiment they belong to, run by run; empty without one.
    pub(super) tags: Vec<FieldMap>,
    /// The experiment, as it stands when all its runs are there.
    pub(super) ended: Option<(Id, FieldMap)>,
}

/// A time as the simulator states it: UTC, said by the source itself.
fn clock(at: Instant) -> ClockTime {
    ClockTime { instant: at, zone: "UTC".to_owned(), evidence: ZoneEvidence::File, raw: at.to_string(), doubt: None }
}

fn hours_after(start: Instant, hours: f64) -> Instant {
    Instant(start.0.saturating_add((hours * 3600e9).round() as i64))
}

/// Columns of a reactor as they grow.
struct Log {
    reporter: Reporter,
    columns: Vec<PointsBuilder>,
}

/// Simulates; blocks, so it runs on a thread of its own.
pub(super) fn simulate(plan: &Plan, progress: &Progress) -> Result<Made> {
    let mut plant = Plant::new(plan.config.clone(), plan.seed)?;
    let signals = Plant::signals();
    let mut logs: Vec<Log> = (0..plant.reactors())
        .map(|_| Log { reporter: Reporter::new(), columns: vec![PointsBuilder::default(); signals.len()] })
        .collect();
    let mut truth = Truths::default();
    let mut shown = Shown::default();
    let zeros_h: Vec<f64> = plan.config.reactors.iter().map(|r| zero_h(r, plan.hours)).collect();
    let steps = (plan.hours * 3600.0 / plan.every_s).floor() as u64;
    let mut buffer = Vec::new();
    for step in 0..=steps {
        if step > 0 {
            plant.step(plan.every_s);
        }
        for (r, log) in logs.iter_mut().enumerate() {
            plant.read_into(r, &mut buffer);
            for (reading, column) in buffer.iter().zip(&mut log.columns) {
                if !log.reporter.due(reading) {
                    continue;
                }
                let digits = plant.digits(r, reading.signal);
                match reading.value {
                    Some(value) => {
                        let mantissa = (value * 10f64.powi(i32::from(digits))).round() as i64;
                        column.push_scaled(reading.t_ns, mantissa, digits, reading.quality);
                    }
                    // The device has no value: kept as such, with its flag.
                    None => {
                        column.push(reading.t_ns, "no value");
                    }
                }
            }
        }
        truth.note(&plant, plan.every_s);
        shown.note(&plant, &zeros_h, &mut buffer);
        if step % 360 == 0 {
            let hour = plant.elapsed_s() / 3600.0;
            progress.step(step, Some(steps), format!("{hour:.1} 時間目"), format!("hour {hour:.1}"))?;
        }
    }
    gather(plan, plant, logs, truth, shown)
}

/// Zero of a reactor's time: its inoculation, or the start when it is not inoculated in these hours.
fn zero_h(reactor: &ReactorConfig, hours: f64) -> f64 {
    if reactor.recipe.inoculate_at_h < hours { reactor.recipe.inoculate_at_h } else { 0.0 }
}

fn gather(plan: &Plan, mut plant: Plant, logs: Vec<Log>, truth: Truths, shown: Shown) -> Result<Made> {
    let faults = labels(plan, &plant)?;
    let mut runs = Vec::new();
    for (r, log) in logs.into_iter().enumerate() {
        runs.push(run(plan, &plant, r, log)?);
    }
    let (mut sensed, mut decided) = (Vec::new(), Vec::new());
    for h in plant.take_happenings() {
        let (run, when) = (h.reactor, clock(h.at));
        match h.what {
            What::Event(event) => {
                if let Some(of) = runs.get_mut(run) {
                    of.events.push(Event { when: When::At(when), ..event });
                }
            }
            What::Observation(what) => sensed.push(Said { run, when, what }),
            What::Decision(what) => {
                let by = hours_after(plan.config.start, what.expected_by_h);
                decided.push((Said { run, when, what }, by));
            }
        }
    }
    let samples = plant.take_analysed().into_iter().map(|a| sample(a, &runs)).collect();
    let instrument = Instrument {
        maker: Some("Toji".to_owned()),
        model: Some("toji-plant (simulated / 模擬)".to_owned()),
        software_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Instrument::default()
    };
    let reading =
        Reading { format: "toji-simulation".to_owned(), instrument: Some(instrument), runs, samples, ..Reading::default() };
    let configuration = serde_json::to_vec_pretty(&configuration(plan)?).map_err(|e| Error::bug("E-SIM-004", e))?;
    let name = plan.config.name.clone();
    Ok(Made {
        name,
        reading,
        sensed,
        decided,
        faults,
        configuration,
        truth: truth.csv,
        shown,
        seed: plan.seed,
        tags: Vec::new(),
        ended: None,
    })
}

/// A sample with its results; it belongs to the run of its reactor.
fn sample(analysed: Analysed, runs: &[Run]) -> Sample {
    let when = When::At(clock(analysed.at));
    let assay = |found: toji_plant::Found| {
        let mut assay = Assay::new(found.variable, found.value, Place::default());
        assay.variable = Some(found.variable.to_owned());
        assay.method = Some(found.method.to_owned());
        assay.when = when.clone();
        assay
    };
    Sample {
        assays: analysed.results.into_iter().map(assay).collect(),
        key: analysed.sample,
        run: runs.get(analysed.reactor).map(|r| r.key.clone()),
        fields: [("volume_ml".to_owned(), json!(analysed.volume_ml))].into_iter().collect(),
        when,
    }
}

/// What names the run of a reactor: the same plant, start and seed give the same run.
pub(super) fn run_key(plant: &PlantConfig, reactor: &ReactorConfig, seed: u64) -> String {
    format!("{}/{}/{}/{}/{seed}", plant.name, reactor.name, reactor.batch, plant.start)
}

fn run(plan: &Plan, plant: &Plant, r: usize, log: Log) -> Result<Run> {
    let config = plan.config.reactors.get(r).ok_or_else(|| Error::bug("E-SIM-005", "a reactor without configuration"))?;
    let start = plan.config.start;
    let key = run_key(&plan.config, config, plan.seed);
    let mut run = Run::new(key, format!("{} {} (模擬 / simulated)", config.batch, config.name));
    let inoculated = config.recipe.inoculate_at_h < plan.hours;
    run.zero = Some(clock(hours_after(start, zero_h(config, plan.hours))));
    run.zero_is = if inoculated { ZeroTime::Inoculation } else { ZeroTime::StartOfFile };
    run.vessel = Some(config.name.clone());
    run.strain = plant.strain(r).map(str::to_owned);
    run.simulated = true;
    let volume = plant.vessel(r).map(|v| v.volume_start_l);
    run.fields = [
        ("simulated", json!("simulated / 模擬データ")),
        ("plant", json!(plan.config.name)),
        ("seed", json!(plan.seed)),
        ("scale_l", json!(volume)),
        ("start_volume_l", json!(volume)),
        ("feed_substrate_g_per_l", json!(config.recipe.feed_glucose_g_per_l)),
        ("feed_density_kg_per_l", json!(toji_plant::FEED_KG_PER_L)),
        ("medium", json!(format!("glucose {} g/L (simulated)", config.recipe.glucose_g_per_l))),
        ("recipe", serde_json::to_value(&config.recipe).map_err(|e| Error::bug("E-SIM-006", e))?),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    run.channels = Plant::signals().iter().zip(log.columns).map(|(info, points)| channel(info, points)).collect::<Result<_>>()?;
    Ok(run)
}

fn channel(info: &SignalInfo, points: PointsBuilder) -> Result<Channel> {
    let mut channel = Channel::new(info.key, points.finish());
    channel.variable = info.variable.map(str::to_owned);
    channel.unit = Some(Unit::parse(info.unit)?);
    channel.raw_unit = Some(info.raw_unit.to_owned());
    channel.origin = info.origin;
    channel.sampling = info.sampling;
    channel.fields = [("label_ja".to_owned(), json!(info.ja)), ("label_en".to_owned(), json!(info.en))].into_iter().collect();
    if info.id == SignalId::GasFlow {
        // Standard litres of the simulator are those of 0 °C.
        channel.fields.insert("reference_temperature_c".to_owned(), json!(0.0));
    }
    Ok(channel)
}

fn labels(plan: &Plan, plant: &Plant) -> Result<Vec<Label>> {
    let mut out = Vec::new();
    for r in 0..plant.reactors() {
        for fault in plant.faults(r).iter().filter(|f| f.from_h < plan.hours) {
            out.push(Label {
                reactor: plant.reactor_name(r).unwrap_or_default().to_owned(),
                fault: fault.kind.name().to_owned(),
                channel: fault.kind.signal().map(|s| s.info().key.to_owned()),
                from: hours_after(plan.config.start, fault.from_h).to_string(),
                until: hours_after(plan.config.start, fault.until_h).to_string(),
                detail: serde_json::to_value(fault).map_err(|e| Error::bug("E-SIM-007", e))?,
            });
        }
    }
    Ok(out)
}

/// The table of what was true, a line a minute and reactor; units stand in the names of the columns.
#[derive(Default)]
struct Truths {
    csv: Vec<u8>,
    due_s: f64,
}

impl Truths {
    fn note(&mut self, plant: &Plant, every_s: f64) {
        if plant.elapsed_s() + 0.5 * every_s.min(60.0) < self.due_s {
            return;
        }
        self.due_s += every_s.max(60.0);
        for r in 0..plant.reactors() {
            let Some(truth) = plant.truth(r) else { continue };
            let Ok(Json::Object(fields)) = serde_json::to_value(truth) else { continue };
            if self.csv.is_empty() {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                self.csv.extend(format!("reactor,time,{}\n", names.join(",")).bytes());
            }
            let values: Vec<String> = fields.values().map(|v| if v.is_null() { String::new() } else { v.to_string() }).collect();
            let name = plant.reactor_name(r).unwrap_or_default().replace(['"', ',', '\n', '\r'], "_");
            self.csv.extend(format!("{name},{},{}\n", plant.now(), values.join(",")).bytes());
        }
    }
}
