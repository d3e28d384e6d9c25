//! What the fuzz targets call: every parser with any bytes. Nothing may panic, and what is read obeys its
//! own invariants.

use toji_commons::agreement::{Agreement, Granted, Ground, Purpose, from_odrl};
use toji_commons::log::{Checkpoint, KeyKind, Note, Seen, SigningKey, VerifierKey, Witness};
use toji_commons::mark::{self, MarkKey};
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::Reading;
use toji_core::kind::{KindSet, read_cell, write_cell};
use toji_core::live::Batch;
use toji_core::{Decimal, Kind, Unit, Value};
use toji_culture::exchange::petab::Problem;
use toji_culture::exchange::sbml as exchange;
use toji_culture::kernel::{Definition, Expression, Options, Role, System};
use toji_flux::io as models;
use toji_flux::model::{Formula, Gpr};
use toji_ingest::{Site, Source};
use toji_live::{Config, Tally};

/// Every series has one time, one number and one quality a point, and texts in order.
fn check(reading: &Reading) {
    for channel in reading.runs.iter().flat_map(|r| &r.channels) {
        let points = &channel.points;
        assert_eq!(points.t_ns.len(), points.quality.len());
        assert!(points.texts.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(points.texts.last().is_none_or(|(i, _)| (*i as usize) < points.len()));
    }
}

/// The workbook library panics on some damaged workbooks; the reader catches that and refuses the file.
/// libFuzzer's hook would end the process before the reader can, so those panics pass it by.
fn pass_guarded_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let abort = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/calamine-")) {
                abort(panic);
            }
        }));
    });
}

/// One format, whether it claims the bytes or not.
pub fn format(id: &str, bytes: &[u8]) {
    pass_guarded_panics();
    let format = toji_ingest::formats::all().iter().find(|f| f.id() == id).expect("the format is listed");
    if let Ok(source) = Source::new("fuzz", bytes) {
        let _ = format.detect(&source);
        if let Ok(reading) = format.read(&source, &Site::default()) {
            check(&reading);
        }
    }
}

/// The way a file really takes: detect, read, write as ASM.
pub fn any_file(bytes: &[u8]) {
    pass_guarded_panics();
    if let Ok(source) = Source::new("fuzz", bytes)
        && let Ok((_, reading)) = toji_ingest::read(&source, &Site::default())
    {
        check(&reading);
        let _ = toji_ingest::asm_write::write(&reading, "fuzz");
    }
}

/// The guided importer: propose, then apply what was proposed.
pub fn propose(bytes: &[u8]) {
    pass_guarded_panics();
    if let Ok(source) = Source::new("fuzz", bytes)
        && let Ok(proposal) = toji_ingest::table::propose(&source, &Site::default())
        && let Ok(reading) = toji_ingest::table::apply(&source, &proposal.mapping, &Site::default())
    {
        check(&reading);
    }
}

/// Units: what is read prints as a code that reads back to itself.
pub fn unit(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(unit) = Unit::parse(text)
    {
        assert_eq!(Unit::parse(unit.code()).expect("a code reads back"), unit);
    }
}

/// Dates and times.
pub fn clock(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for order in [DateOrder::YearMonthDay, DateOrder::MonthDayYear, DateOrder::DayMonthYear] {
            let _ = WallClock::parse(text, order);
        }
        let _ = toji_core::Instant::parse(text);
    }
}

/// Values keep their text.
pub fn value(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(Value::parse(text).text, text.trim());
    }
}

/// Decimals: what is read prints as text that reads back to the same number.
pub fn decimal(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(decimal) = Decimal::parse(text)
    {
        let again = Decimal::parse(&decimal.to_string());
        assert!(again.is_none_or(|a| a.to_f64() == decimal.to_f64()));
    }
}

/// Declarations of kinds.
pub fn kind(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Kind::parse("fuzz.toml", text);
    }
}

/// Cells of every field of every kind.
pub fn cell(bytes: &[u8]) {
    let Some((pick, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let fields: Vec<_> = KindSet::builtin().expect("kinds are sound").iter().flat_map(|k| &k.fields).collect();
    let field = fields[usize::from(*pick) * 7 % fields.len()];
    if let Ok(read) = read_cell(field, text) {
        let _ = write_cell(field, read.as_ref());
    }
}

/// Every point of a batch belongs to a signal the batch declares.
fn check_batches(batches: &[Batch]) {
    for batch in batches {
        assert!(batch.points.iter().all(|point| (point.signal as usize) < batch.signals.len()));
    }
}

/// Rules of every form: times as numbers and as text with a zone, fields by name and by pointer, bare words.
const SOURCES: &str = r#"
[[mqtt]]
name = "hall"
broker = { host = "127.0.0.1", client_id = "toji" }
[[mqtt.topic]]
topic = "0"
run = "{/batch}"
time = "ts"
time_format = "unix-ms"
simulated = "sim"
field = [{ field = "pH", unit = "[pH]" }, { field = "/gas/o2", key = "O2", unit = "%" }]
others = true
started = { at = "state", is = "running" }
ended = { at = "state", is = "ended" }
[[mqtt.topic]]
topic = "1"
run = "b"
signal = "s"
[[mqtt.topic]]
topic = "2"
run = "b"
time = "at"
zone = "Asia/Tokyo"
field = [{ field = "T", unit = "Cel" }]
[[sparkplug]]
name = "plant"
broker = { host = "127.0.0.1", client_id = "toji" }
run = "{device}-{batch}"
batch_metric = "batch"
metric = [{ name = "pH", unit = "[pH]" }]
"#;

/// JSON messages of live sources; the first byte picks the rule.
pub fn live_json(bytes: &[u8]) {
    let Some((pick, payload)) = bytes.split_first() else { return };
    let config = Config::read(SOURCES).expect("the rules are sound");
    let mut reader = toji_live::mqtt::json::Reader::new("hall".into(), &config.mqtt[0].topics);
    check_batches(&reader.read(&(pick % 4).to_string(), payload, 9, &Tally::default()));
}

/// A sequence of Sparkplug messages: a byte for the topic, a byte for the length, the payload.
pub fn live_sparkplug(bytes: &[u8]) {
    const TOPICS: [&str; 6] = ["NBIRTH/n", "DBIRTH/n/d", "NDATA/n", "DDATA/n/d", "NDEATH/n", "DDEATH/n/d"];
    let mut config = Config::read(SOURCES).expect("the rules are sound");
    let mut host = toji_live::sparkplug::host::Host::new(config.sparkplug.remove(0));
    let tally = Tally::default();
    let mut rest = bytes;
    while let [pick, length, tail @ ..] = rest {
        let (payload, next) = tail.split_at(usize::from(*length).min(tail.len()));
        let topic = format!("spBv1.0/g/{}", TOPICS[usize::from(*pick) % TOPICS.len()]);
        check_batches(&host.take(&topic, payload, 9, &tally));
        rest = next;
    }
    check_batches(&host.give_up_waiting(i64::MAX, &tally));
}

/// Configurations of live sources.
pub fn live_config(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Config::read(text);
    }
}

/// SiLA 2 feature definitions.
pub fn sila_feature(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = toji_live::sila::feature::Feature::read(text);
    }
}

/// Steps of protocols: what is read describes itself in both languages.
pub fn protocol(bytes: &[u8]) {
    if let Ok(steps) = serde_json::from_slice(bytes)
        && let Ok(plan) = toji_live::protocol::steps::read(&steps)
    {
        for phase in &plan.phases {
            let _ = (phase.path(), phase.until.words());
        }
    }
}

/// Names in all expressions of a model: how large it is.
fn size(definition: &Definition) -> usize {
    let mut count = 0;
    let mut add = |of: &Expression| of.names(&mut |_| count += 1);
    for quantity in &definition.quantities {
        match &quantity.role {
            Role::Constant(value) | Role::Assigned(value) => add(value),
            Role::State { initial, rate } => {
                add(initial);
                add(rate);
            }
        }
    }
    for event in &definition.events {
        add(&event.trigger);
        event.sets.iter().for_each(|(_, value)| add(value));
    }
    count
}

/// SBML documents: every fault has a place and a remedy; what is taken compiles or is refused by the kernel; what is
/// written of it is read again as it was.
pub fn sbml(bytes: &[u8]) {
    match exchange::import(bytes) {
        Ok(import) if size(&import.definition) < 10_000 => {
            let _ = System::compile(&import.definition);
            if let Ok(written) = exchange::write(&import.definition, &import.metadata) {
                let again = exchange::import(written.text.as_bytes()).expect("what is written is read");
                assert_eq!(again.definition.quantities.len(), import.definition.quantities.len());
                assert_eq!(again.definition.events.len(), import.definition.events.len());
            }
        }
        Ok(_) => {}
        Err(error) => {
            for finding in &error.fault().diagnostics {
                assert!(finding.remedy.is_some() && (finding.place.line.is_some() || finding.place.field.is_some()));
            }
        }
    }
}

/// Formulas in MathML, inside a small document.
pub fn sbml_math(bytes: &[u8]) {
    const BEFORE: &str = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model>
<listOfFunctionDefinitions><functionDefinition id="f"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda><bvar><ci>x</ci></bvar>
<apply><times/><ci>x</ci><ci>x</ci></apply></lambda></math></functionDefinition></listOfFunctionDefinitions>
<listOfParameters><parameter id="k" value="2" constant="true"/><parameter id="s" value="1" constant="false"/>
<parameter id="y" constant="false"/></listOfParameters><listOfRules><rateRule variable="s">
<math xmlns="http://www.w3.org/1998/Math/MathML"><ci>k</ci></math></rateRule>
<assignmentRule variable="y"><math xmlns="http://www.w3.org/1998/Math/MathML">"#;
    const AFTER: &str = "</math></assignmentRule></listOfRules></model></sbml>";
    sbml(&[BEFORE.as_bytes(), bytes, AFTER.as_bytes()].concat());
}

/// PEtab: conditions, measurements, observables and parameters, parted by zero bytes, over a fixed model.
pub fn petab(bytes: &[u8]) {
    const YAML: &str = "format_version: 1\nparameter_file: '3'\nproblems:\n- condition_files: ['0']\n  measurement_files: ['1']\n  \
                        observable_files: ['2']\n  sbml_files: [model]\n";
    const MODEL: &str = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model><listOfParameters>
<parameter id="x" value="1" constant="false"/><parameter id="k" value="1" constant="true"/></listOfParameters><listOfRules>
<rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>k</ci></math></rateRule></listOfRules></model></sbml>"#;
    let tables: Vec<&[u8]> = bytes.split(|b| *b == 0).collect();
    let file = |name: &str| match name.parse::<usize>() {
        Ok(number) => tables.get(number).map(|table| table.to_vec()),
        Err(_) => Some(MODEL.as_bytes().to_vec()),
    };
    match Problem::read(YAML, &file) {
        Ok(problem) => drop(problem.compile()),
        Err(error) => assert!(error.fault().diagnostics.iter().all(|finding| finding.remedy.is_some())),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Problem::read(text, &|_| None);
    }
}

/// Tables of PEtab version 2, separated by NUL: conditions, experiments, observables, parameters, measurements, mapping.
/// What is read is compiled and, where it is small, simulated at its nominal values.
pub fn petab_second(bytes: &[u8]) {
    const YAML: &str = "format_version: 2.0.0\nmodel_files:\n  m: {language: sbml, location: model}\ncondition_files: ['0']\n\
                        experiment_files: ['1']\nobservable_files: ['2']\nparameter_files: ['3']\nmeasurement_files: ['4']\n\
                        mapping_files: ['5']\n";
    const MODEL: &str = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model><listOfCompartments>
<compartment id="C" spatialDimensions="3" size="1" constant="true"/></listOfCompartments><listOfSpecies><species id="S" compartment="C"
initialConcentration="1" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/></listOfSpecies><listOfParameters>
<parameter id="k" value="1" constant="true"/></listOfParameters><listOfReactions><reaction id="r" reversible="false"><listOfReactants>
<speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants><kineticLaw><math
xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>S</ci><ci>q</ci></apply></math><listOfLocalParameters>
<localParameter id="q" value="1"/></listOfLocalParameters></kineticLaw></reaction></listOfReactions></model></sbml>"#;
    let tables: Vec<&[u8]> = bytes.split(|b| *b == 0).collect();
    let file = |name: &str| match name.parse::<usize>() {
        Ok(number) => tables.get(number).map(|table| table.to_vec()),
        Err(_) => Some(MODEL.as_bytes().to_vec()),
    };
    match Problem::read(YAML, &file) {
        Ok(problem) => {
            if let Ok(likelihood) = problem.compile()
                && problem.measurements.len() < 20
            {
                let nominal: Vec<f64> = likelihood.parameters().iter().map(|(_, value)| *value).collect();
                let options = Options { steps_max: 200, ..Options::default() };
                if let Ok(found) = likelihood.evaluate(&nominal, &options) {
                    assert_eq!(found.simulated.len(), problem.measurements.len());
                }
                let _ = likelihood.log_priors(&nominal);
            }
        }
        Err(error) => assert!(error.fault().diagnostics.iter().all(|finding| finding.remedy.is_some())),
    }
}

/// Policies of other data spaces: what is read has an end, a purpose and a grant, and is no wider for being read again;
/// what is refused says where.
pub fn odrl(bytes: &[u8]) {
    use std::collections::{BTreeMap, BTreeSet};
    let Ok(policy) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let at = |text: &str| toji_core::Instant::parse(text).expect("an instant");
    let mut ground = Ground::new(at("2026-04-01T00:00:00Z"), at("2036-04-01T00:00:00Z"));
    ground.purposes = BTreeMap::from([("cx.pcf.base:1".to_owned(), BTreeSet::from([Purpose::Assessment]))]);
    ground.usage = BTreeSet::from([Granted::Read]);
    ground.met = BTreeSet::from([("Membership".to_owned(), "active".to_owned())]);
    match from_odrl(&policy, &ground) {
        Ok(reading) => {
            let terms = &reading.terms;
            assert!(terms.from < terms.until && terms.until <= ground.latest_end);
            assert!(!terms.purposes.is_empty() && !terms.grants.is_empty());
            assert_eq!(from_odrl(&policy, &ground).expect("read before"), reading);
        }
        Err(error) => assert!(error.fault().diagnostics.iter().all(|d| d.place.field.is_some())),
    }
}

/// Signed notes: what is read is written and read again as it was, and nobody's key verifies what it did not sign.
pub fn signed_note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = SigningKey::from_seed("fuzz", KeyKind::Log, &[7; 32]).expect("a key");
    if let Ok(note) = Note::parse(text) {
        let written = note.to_string();
        let again = Note::parse(&written).expect("what is written is read");
        assert_eq!((again.text(), again.signatures().len()), (note.text(), note.signatures().len()));
        assert!(note.verified(std::slice::from_ref(key.verifier())).is_err(), "signed with a key nobody used");
        let _ = Agreement::open(&note, &std::collections::BTreeMap::new());
    }
    if let Ok(verifier) = VerifierKey::parse(text) {
        assert_eq!(VerifierKey::parse(&verifier.to_string()).expect("what is written is read"), verifier);
    }
}

/// Checkpoints of a log: what is read is written as it came, and a witness refuses what the log did not sign.
pub fn checkpoint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        let again = Checkpoint::parse(&checkpoint.text()).expect("what is written is read");
        assert_eq!(again, checkpoint);
    }
    if let Ok(note) = Note::parse(text) {
        let log = SigningKey::from_seed("log", KeyKind::Log, &[1; 32]).expect("a key");
        let own = SigningKey::from_seed("own", KeyKind::Cosigner, &[2; 32]).expect("a key");
        let mut witness = Witness::new(own, log.verifier().clone(), "log", Seen::default());
        assert!(witness.consider(&note, &[], 1).is_err(), "not signed by the log");
        assert_eq!(*witness.seen(), Seen::default(), "a refusal leaves nothing behind");
    }
}

/// Tables that are traced: any text is a table or refused, and none names a copy it was not made from.
pub fn marked_table(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(table) = mark::read_csv(text) else { return };
    let key = MarkKey::new([3; 32]);
    let header = table.header.clone();
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(|cell| cell.text.clone()).collect()).collect();
    let bands = vec![0; rows.len()];
    let copy = toji_core::Id::parse("copy-fuzz").expect("an identifier");
    let marked = mark::mark(&key, &copy, &header, &rows, &bands);
    let (labelled, arranged) = marked.arrange(&header, &rows);
    assert_eq!((marked.order.len(), arranged.len()), (rows.len(), rows.len()));
    let read = mark::read_parted(std::str::from_utf8(&marked.csv(&labelled, &arranged)).expect("text"), ',').expect("a table");
    let texts: Vec<Vec<String>> = read.rows.into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect();
    assert_eq!(texts, arranged, "no value is altered");
    let _ = mark::trace(&key, &table, &[marked.trail]);
}

/// A model that was read makes a network, and what is written of it as SBML is read again with the same reactions.
fn model(read: toji_core::Result<models::Reading>) {
    match read {
        Ok(reading) => {
            let _ = reading.model.network();
            let written = models::sbml::write(&reading.model).expect("a checked model is written");
            if let Ok(again) = models::sbml::read(&written.bytes[..], &models::sbml::Options::default()) {
                assert_eq!(again.model.reactions.len(), reading.model.reactions.len());
            }
        }
        Err(error) => {
            for finding in &error.fault().diagnostics {
                assert!(finding.remedy.is_some(), "{finding:?}");
            }
        }
    }
}

/// SBML of flux models.
pub fn flux_sbml(bytes: &[u8]) {
    model(models::sbml::read(bytes, &models::sbml::Options::default()));
}

/// COBRA JSON.
pub fn flux_json(bytes: &[u8]) {
    model(models::json::read(bytes));
}

/// COBRA YAML.
pub fn flux_yaml(bytes: &[u8]) {
    model(models::yaml::read(bytes));
}

/// A model in a COMBINE archive, packed, or of whatever format.
pub fn flux_archive(bytes: &[u8]) {
    model(models::any::read(bytes, &models::sbml::Options::default()));
}

/// A model in a MATLAB file of version 5.
pub fn flux_mat(bytes: &[u8]) {
    model(models::mat::read(bytes));
}

/// A gene rule: what is read is written and read the same.
pub fn flux_gpr(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut names: Vec<String> = Vec::new();
    let mut number = |name: &str| {
        names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
    };
    if let Ok(Some(rule)) = Gpr::parse(text, &mut number) {
        let written = rule.text(&|gene| format!("g{gene}"));
        let again = Gpr::parse(&written, &mut |name| name[1..].parse().expect("a number")).expect("what is written is read");
        assert_eq!(again, Some(rule));
    }
}

/// A chemical formula.
pub fn flux_formula(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(formula) = Formula::parse(text)
    {
        assert!(formula.atoms.values().all(|n| *n != 0.0));
    }
}
