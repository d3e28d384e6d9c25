//! Proves the properties of the rules, refutes the altered rules, and says so.

use std::process::ExitCode;
use std::time::Instant;
use toji_proofs::Result;
use toji_proofs::change::Change;
use toji_proofs::mutant::MUTANTS;
use toji_proofs::property::{PROPERTIES, Property};
use toji_proofs::prover::Prover;
use toji_proofs::text::{Edit, edited, named, rules, schema, valid};

/// Rules that could be left out without any decision changing, since nothing else permits what they forbid. They stand
/// for whatever is added later.
const SPARE: [&str; 3] = ["no-account", "no-account-write", "write-own-only"];

/// Not true: to see that what is not true is refuted.
const FALSE: &str = r#"
@id("F1") @kind("never") @ja("協調領域のデータは所有者以外には閲覧されない(偽)") @en("nobody but the owner reads cooperative data (not true)")
permit (principal is Person, action == Action::"read", resource)
when { resource.area == Area::"cooperative" && resource.owner != principal.organisation };
@id("F2") @kind("always") @ja("誰でも公開領域の概要を閲覧できる(偽)") @en("everybody sees what is in the public area (not true)")
permit (principal, action == Action::"describe", resource) when { resource.area == Area::"public" };
"#;

fn main() -> ExitCode {
    match prove() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn prove() -> Result<bool> {
    let begin = Instant::now();
    let schema = schema()?;
    let mut prover = Prover::new(schema.clone())?;
    let text = rules();
    let set = valid(&text, &schema)?;
    let compiled = prover.compile(&set)?;
    let properties = Property::read(PROPERTIES, &schema, &prover)?;
    let mut fine = true;
    let mut demand = |holds: bool, what: &str| {
        fine &= holds;
        println!("{} {what}", if holds { "ok  " } else { "FAIL" });
    };

    println!("{} rules, {} kinds of request (who x action x what)\n", set.policies().count(), prover.kinds().len());
    let (failing, checks) = prover.failing(&set)?;
    demand(failing.is_empty(), &format!("no rule fails on any request ({checks} checks) {}", failing.join(", ")));
    for p in &properties {
        let reach = p.reach(&mut prover)?;
        let found = p.refute(&mut prover, &compiled)?;
        demand(
            found.is_empty() && reach > 0,
            &format!("{} proved, in {reach} kinds of request: {}\n       {}", p.name, p.en, p.ja),
        );
        found.iter().for_each(|e| println!("{}", indented(&e.told())));
    }

    println!("\nclaims that are not true");
    let shifted = Edit::Replace("context.now < resource.embargo", "context.now + 1 <= resource.embargo");
    let (failing, _) = prover.failing(&named(&edited(&text, "open", shifted)?)?)?;
    demand(!failing.is_empty(), &format!("a sum that leaves the range of numbers is found: {}", failing.join(", ")));
    for p in Property::read(FALSE, &schema, &prover)? {
        let found = p.refute(&mut prover, &compiled)?;
        demand(found.iter().any(|e| p.is_broken_by(e, &set)), &format!("{} refuted: {}", p.name, p.en));
    }

    println!("\naltered rules, each refuted by the property that it should break");
    for m in MUTANTS {
        let altered = named(&edited(&text, m.rule, m.edit)?)?;
        let compiled = prover.compile(&altered)?;
        let p = properties.iter().find(|p| p.name == m.breaks).ok_or_else(|| format!("no property {}", m.breaks))?;
        let found = p.refute(&mut prover, &compiled)?;
        let broken = found.iter().find(|e| p.is_broken_by(e, &altered) && !p.is_broken_by(e, &set));
        demand(broken.is_some(), &format!("{} refutes {}: {}", m.breaks, m.rule, told(m.edit)));
        if let Some(e) = broken {
            println!("{}", indented(&e.told()));
        }
    }

    println!("\neach rule left out: what changes");
    for policy in set.policies() {
        let name = policy.id().to_string();
        let change = Change::between(&mut prover, &set, &named(&edited(&text, &name, Edit::Drop)?)?)?;
        let (gains, losses) = (Change::kinds(&change.gains), Change::kinds(&change.losses));
        let spare = gains.is_empty() && losses.is_empty();
        let what = if spare { "nothing (spare)".to_owned() } else { format!("gained {gains:?} lost {losses:?}") };
        demand(spare == SPARE.contains(&name.as_str()), &format!("{name}: {what}"));
    }
    let (proved, refuted) = (properties.len(), MUTANTS.len());
    let seconds = begin.elapsed().as_secs_f64();
    if fine {
        println!("\n{proved} properties proved, {refuted} altered rules refuted, {seconds:.1} s");
    }
    Ok(fine)
}

fn told(edit: Edit) -> String {
    match edit {
        Edit::Drop => "left out".to_owned(),
        Edit::Replace(from, to) => format!("`{from}` becomes `{to}`"),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("       | {line}\n")).collect::<String>().trim_end().to_owned()
}
