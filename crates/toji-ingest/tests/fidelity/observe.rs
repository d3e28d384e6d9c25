//! What Toji made of a file, in the form the judge reads.

use crate::case::{At, Case, Observed, Outcome};
use toji_core::clock::Zone;
use toji_core::culture::{Reading, Run, When};
use toji_core::{Quality, ZoneEvidence};
use toji_ingest::{Site, Source, read};

pub(crate) fn observe(case: &Case) -> Outcome {
    let zone = if case.zone.is_empty() {
        Zone::assumed()
    } else {
        Zone::named(case.zone, ZoneEvidence::SiteDefault).unwrap_or_else(|e| panic!("{e}"))
    };
    let site = Site { zone, ..Site::default() };
    let result = Source::new(case.file, &case.bytes).and_then(|source| read(&source, &site).map(|(_, reading)| reading));
    match result {
        Ok(reading) => outcome(&reading),
        Err(error) => {
            let fault = error.fault();
            assert!(!fault.message.ja.is_empty() && !fault.message.en.is_empty(), "{}: one language is missing", case.id);
            Outcome {
                refused: Some(format!("{} {}", error.code(), fault.message.en)),
                located: fault.hint.as_ref().is_some_and(|h| !h.ja.is_empty() && !h.en.is_empty()),
                ..Outcome::default()
            }
        }
    }
}

fn outcome(reading: &Reading) -> Outcome {
    let mut out = Outcome::default();
    for run in &reading.runs {
        channels(run, &mut out);
        words(run, &mut out);
    }
    for sample in &reading.samples {
        let at = when(&sample.when, None);
        for assay in &sample.assays {
            let value = &assay.value;
            out.observed.push(Observed {
                id: sample.key.clone(),
                what: assay.analyte.clone(),
                at,
                number: value.number,
                text: Some(value.text.clone()),
                unit: value.unit.as_ref().map(|u| u.code().to_owned()).or_else(|| value.raw_unit.clone()),
                marked: !assay.flags.is_empty(),
            });
        }
        for (name, value) in &sample.fields {
            let text = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            out.observed.push(Observed { id: sample.key.clone(), what: name.clone(), at, text, ..Observed::default() });
        }
    }
    out.listed = reading.not_read.iter().map(|n| n.text.clone()).collect();
    out.listed.extend(reading.diagnostics.iter().map(|d| d.message.en.clone()));
    out.warnings = reading.diagnostics.iter().map(|d| d.code.clone()).collect();
    out.warnings.sort();
    out.warnings.dedup();
    out
}

fn channels(run: &Run, out: &mut Outcome) {
    for channel in &run.channels {
        for i in 0..channel.points.len() {
            let t_ns = channel.points.t_ns[i];
            let at = match &run.zero {
                Some(_) => At::Unix(t_ns as f64 / 1e9),
                None => At::Hours(t_ns as f64 / 3.6e12),
            };
            let quality = Quality::unpack(channel.points.quality[i]).unwrap_or_else(|| panic!("bits of no quality"));
            let text = channel.points.texts.iter().find(|(at, _)| *at as usize == i).map(|(_, text)| text.clone());
            out.observed.push(Observed {
                id: run.key.clone(),
                what: channel.key.clone(),
                at: Some(at),
                number: channel.points.number(i),
                text,
                unit: channel.unit.as_ref().map(|u| u.code().to_owned()).or_else(|| channel.raw_unit.clone()),
                marked: !quality.is_good(),
            });
        }
    }
}

fn words(run: &Run, out: &mut Outcome) {
    for event in &run.events {
        let what = event.fields.get("column").and_then(|c| c.as_str()).unwrap_or(&event.sort).to_owned();
        let (at, text) = (when(&event.when, Some(run)), Some(event.label.clone()));
        out.observed.push(Observed { id: run.key.clone(), what, at, text, ..Observed::default() });
    }
    for seen in &run.observations {
        let what = seen.note.clone().unwrap_or_else(|| seen.attribute.clone());
        let (at, text) = (when(&seen.when, Some(run)), Some(seen.value.text.clone()));
        out.observed.push(Observed { id: run.key.clone(), what, at, text, ..Observed::default() });
    }
    for (name, value) in &run.fields {
        let texts: Vec<String> = match value {
            serde_json::Value::Array(all) => all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
            serde_json::Value::String(text) => vec![text.clone()],
            other => vec![other.to_string()],
        };
        for text in texts {
            out.observed.push(Observed { id: run.key.clone(), what: name.clone(), text: Some(text), ..Observed::default() });
        }
    }
}

fn when(when: &When, run: Option<&Run>) -> Option<At> {
    match when {
        When::At(clock) => Some(At::Unix(clock.instant.0 as f64 / 1e9)),
        When::Elapsed(ns) => Some(match run.and_then(|r| r.zero.as_ref()) {
            Some(zero) => At::Unix((zero.instant.0 as f64 + *ns as f64) / 1e9),
            None => At::Hours(*ns as f64 / 3.6e12),
        }),
        When::Unknown => None,
    }
}
