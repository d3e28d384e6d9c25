//! From the declaration to the kernel's definition: mass balances are derived here, never typed.
//!
//! The state of a species is its amount V·c, so that additions and withdrawals keep mass exactly:
//! d(V·c)/dt = V·Σ ν·r + Σ F_in·c_in − Σ F_out·(1 − retained)·c + V·kLa·(c* − c).

use super::balance::{Balance, Composition, balances};
use super::dimension::{Typed, Units};
use super::file::{File, Start};
use super::{Described, Kind, Model};
use crate::kernel::{Definition, Event, Expression, Function, Options, Quantity, Role, System, notation};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result, Text, Unit};

/// The quantity that is the volume of the broth.
pub const VOLUME: &str = "V";

/// The state behind a species.
pub(super) fn amount_of(species: &str) -> String {
    format!("{species}·V")
}

fn times(a: Expression, b: Expression) -> Expression {
    Expression::apply(Function::Multiply, [a, b])
}

struct Builder<'f> {
    file: &'f File,
    units: Units,
    time: Unit,
    volume: Unit,
    /// Unit of every declared quantity, for the description.
    described: Vec<Described>,
    definition: Definition,
    found: Vec<Diagnostic>,
    /// Net volume flow and, per species, what flows and reacts, as rates of amounts.
    volume_rate: Vec<Expression>,
    rates: BTreeMap<&'f str, Vec<Expression>>,
    species: BTreeMap<&'f str, Unit>,
}

/// Compiles a model file.
///
/// # Errors
/// Every fault of the file at once, each at its field.
pub(super) fn build(file: &File) -> Result<Model> {
    let mut heads = Vec::new();
    let unit = |code: &str, field: &str, heads: &mut Vec<Diagnostic>| match Unit::parse(code) {
        Ok(unit) => unit,
        Err(error) => {
            heads.push(finding(field, &error));
            Unit::one()
        }
    };
    let time = unit(&file.model.time, "model.time", &mut heads);
    let volume = unit(&file.vessel.unit, "vessel.unit", &mut heads);
    let mut it = Builder {
        file,
        units: Units::with_time(time.clone()),
        time,
        volume,
        described: Vec::new(),
        definition: Definition::default(),
        found: heads,
        volume_rate: Vec::new(),
        rates: BTreeMap::new(),
        species: BTreeMap::new(),
    };
    it.declare();
    it.constants();
    it.profiles();
    it.defines();
    let stoichiometry = it.reactions();
    it.streams();
    it.transfers();
    it.states();
    it.events();
    it.observed();
    it.factors();
    if it.found.is_empty() { it.finish(stoichiometry) } else { Err(refused(it.found)) }
}

fn refused(found: Vec<Diagnostic>) -> Error {
    let (n, plural) = (found.len(), if found.len() == 1 { "" } else { "s" });
    Error::input("E-MODEL-013", format!("モデルに誤りが {n} 件あります"), format!("the model has {n} fault{plural}")).with(found)
}

fn finding(field: &str, error: &Error) -> Diagnostic {
    let fault = error.fault();
    let place = Place { column: fault.place.as_ref().and_then(|p| p.column), ..Place::field(field) };
    let found = Diagnostic::error(fault.code, place, fault.message.ja.clone(), fault.message.en.clone());
    match &fault.hint {
        Some(hint) => found.remedy(hint.ja.clone(), hint.en.clone()),
        None => found,
    }
}

/// Moles made of each substance per unit of the rate, as expressions of mass or amount: reaction, species, expression.
type Stoichiometry<'f> = Vec<(&'f str, &'f str, Typed)>;

impl<'f> Builder<'f> {
    fn fault(&mut self, field: &str, ja: String, en: String, remedy: [&str; 2]) {
        self.found.push(Diagnostic::error("E-MODEL-014", Place::field(field), ja, en).remedy(remedy[0], remedy[1]));
    }

    fn unit(&mut self, code: &str, field: &str) -> Option<Unit> {
        Unit::parse(code).map_err(|error| self.found.push(finding(field, &error))).ok()
    }

    fn typed(&mut self, text: &str, field: &str) -> Option<Typed> {
        match notation::read(text).and_then(|e| self.units.typed(&e)) {
            Ok(typed) => Some(typed),
            Err(error) => {
                self.found.push(finding(field, &error));
                None
            }
        }
    }

    /// The expression in a unit.
    fn read(&mut self, text: &str, unit: &Unit, field: &str) -> Option<Expression> {
        let typed = self.typed(text, field)?;
        self.convert(typed, unit, field)
    }

    fn convert(&mut self, typed: Typed, unit: &Unit, field: &str) -> Option<Expression> {
        match typed.to(unit) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.found.push(finding(field, &error));
                None
            }
        }
    }

    fn start(&mut self, start: &Start, unit: &Unit, field: &str) -> Option<Expression> {
        match start {
            Start::Number(value) => Some(Expression::Number(*value)),
            Start::Expression(text) => self.read(text, unit, field),
        }
    }

    fn put(&mut self, name: &str, role: Role) {
        self.definition.quantities.push(Quantity { name: name.into(), role });
    }

    fn name(&mut self, name: &str, unit: &Unit, kind: Kind, label: Option<&Text>, field: &str) {
        let is_name = !name.starts_with(|c: char| c.is_numeric()) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if name.is_empty() || !is_name || ["time", "and", "or", "not"].contains(&name) {
            self.fault(
                field,
                format!("«{name}» は名前に使えません"),
                format!("«{name}» cannot be a name"),
                ["文字で始まり、文字・数字・_ だけの名前にしてください", "begin with a letter, then letters, digits and _"],
            );
        }
        if !self.units.declare(name, unit.clone()) {
            self.fault(
                field,
                format!("«{name}» は二度宣言されています"),
                format!("«{name}» is declared twice"),
                [
                    "定数・種・定義・状態を通して名前は一つにしてください",
                    "a name stands once among constants, species, definitions and states",
                ],
            );
        }
        let label = label.cloned().unwrap_or_else(|| Text::new(name, name));
        self.described.push(Described { name: name.to_owned(), unit: unit.clone(), kind, label });
    }

    fn declare(&mut self) {
        let file = self.file;
        let volume = self.volume.clone();
        self.name(VOLUME, &volume, Kind::Volume, Some(&Text::new("液量", "Volume of the broth")), "vessel");
        for (name, it) in &file.constant {
            let unit = self.unit(&it.unit, &format!("constant.{name}.unit")).unwrap_or_else(Unit::one);
            self.name(name, &unit, Kind::Constant, it.label.as_ref(), &format!("constant.{name}"));
        }
        for (name, it) in &file.species {
            let unit = self.unit(&it.unit, &format!("species.{name}.unit")).unwrap_or_else(Unit::one);
            self.name(name, &unit, Kind::Species, it.label.as_ref(), &format!("species.{name}"));
            if let Some(Ok(composition)) = it.formula.as_deref().map(Composition::read) {
                let (mass, field) = (format!("M_{name}"), format!("species.{name}.formula"));
                let label = Text::new(format!("{name} のモル質量"), format!("Molar mass of {name}"));
                let per_mole = self.unit("g/mol", &field).unwrap_or_else(Unit::one);
                self.name(&mass, &per_mole, Kind::Constant, Some(&label), &field);
                self.put(&mass, Role::Constant(Expression::Number(composition.grams_per_mole())));
            }
            self.species.insert(name, unit);
            self.rates.insert(name, Vec::new());
        }
        for (name, it) in &file.state {
            let unit = self.unit(&it.unit, &format!("state.{name}.unit")).unwrap_or_else(Unit::one);
            self.name(name, &unit, Kind::State, it.label.as_ref(), &format!("state.{name}"));
        }
        for (name, it) in &file.profile {
            let unit = self.unit(&it.unit, &format!("profile.{name}.unit")).unwrap_or_else(Unit::one);
            self.name(name, &unit, Kind::Profile, it.label.as_ref(), &format!("profile.{name}"));
            for i in 1..=it.values.len() {
                self.name(&format!("{name}_{i}"), &unit, Kind::Constant, None, &format!("profile.{name}"));
            }
        }
        for (name, it) in &file.define {
            let unit = self.unit(&it.unit, &format!("define.{name}.unit")).unwrap_or_else(Unit::one);
            self.name(name, &unit, Kind::Defined, it.label.as_ref(), &format!("define.{name}"));
        }
        for (name, it) in &file.factor {
            let field = format!("factor.{name}");
            if let Err(error) = it.check(name) {
                self.found.push(finding(&field, &error));
                continue;
            }
            let (values, waves) = it.constants(name);
            for constant in values.iter().chain(&waves) {
                self.name(constant, &Unit::one(), Kind::Constant, None, &field);
            }
            self.name(name, &Unit::one(), Kind::Defined, it.label.as_ref(), &field);
        }
    }

    fn unit_of(&self, name: &str) -> Unit {
        self.described.iter().find(|d| d.name == name).map_or_else(Unit::one, |d| d.unit.clone())
    }

    fn constants(&mut self) {
        for (name, it) in &self.file.constant {
            let field = format!("constant.{name}");
            let value = match (it.value, &it.expression) {
                (Some(value), None) => Some(Expression::Number(value)),
                (None, Some(text)) => self.read(text, &self.unit_of(name), &field),
                _ => {
                    self.fault(
                        &field,
                        format!("定数 «{name}» には value か expression のどちらか一つが必要です"),
                        format!("the constant «{name}» needs one of value and expression"),
                        [
                            "値なら value、他の定数から決まるなら expression です",
                            "value for a number, expression where it follows from others",
                        ],
                    );
                    None
                }
            };
            self.put(name, Role::Constant(value.unwrap_or(Expression::Number(f64::NAN))));
        }
    }

    /// A profile is a state that events set; a line is one whose slope they set.
    fn profiles(&mut self) {
        for (name, it) in &self.file.profile {
            if it.at.is_empty() || it.at.len() != it.values.len() || !it.at.is_sorted_by(|a, b| a < b) {
                self.fault(
                    &format!("profile.{name}"),
                    format!("«{name}» には同じ数の at と values が必要で、at は小さい順です"),
                    format!("«{name}» needs as many values as times, and the times in order"),
                    [
                        "at = [0, 5, 10]、values = [0, 0.1, 0.2] のように書いてください",
                        "write at = [0, 5, 10] and values = [0, 0.1, 0.2]",
                    ],
                );
                continue;
            }
            let value = |i: usize| Expression::name(format!("{name}_{}", i + 1));
            for (i, number) in it.values.iter().enumerate() {
                self.put(&format!("{name}_{}", i + 1), Role::Constant(Expression::Number(*number)));
            }
            let slope = |i: usize| match it.at.get(i + 1) {
                Some(next) => {
                    let rise = Expression::apply(Function::Subtract, [value(i + 1), value(i)]);
                    Expression::apply(Function::Divide, [rise, Expression::Number(next - it.at[i])])
                }
                None => Expression::Number(0.0),
            };
            let slope_name = format!("slope of {name}");
            let rate = if it.line { Expression::name(slope_name.as_str()) } else { Expression::Number(0.0) };
            self.put(name, Role::State { initial: value(0), rate });
            if it.line {
                self.put(&slope_name, Role::State { initial: slope(0), rate: Expression::Number(0.0) });
            }
            for (i, at) in it.at.iter().enumerate().skip(1) {
                let mut sets = vec![(name.as_str().into(), value(i))];
                if it.line {
                    sets.push((slope_name.as_str().into(), slope(i)));
                }
                self.definition.events.push(Event {
                    name: format!("{name} {}", i + 1).into(),
                    trigger: Expression::apply(Function::GreaterOrEqual, [Expression::Time, Expression::Number(*at)]),
                    was_true: false,
                    persistent: true,
                    delay: None,
                    priority: None,
                    at_trigger: true,
                    sets,
                });
            }
        }
    }

    fn defines(&mut self) {
        for (name, it) in &self.file.define {
            if let Some(expression) = self.read(&it.expression, &self.unit_of(name), &format!("define.{name}.expression")) {
                let expression = self.multiplied(name, expression);
                self.put(name, Role::Assigned(expression));
            }
        }
    }

    /// A rate times the factors that are on it.
    fn multiplied(&self, target: &str, rate: Expression) -> Expression {
        let on = self.file.factor.iter().filter(|(_, factor)| factor.on == target);
        on.fold(rate, |rate, (name, _)| times(rate, Expression::name(name.as_str())))
    }

    /// Learnt factors. What they multiply is a rate and nothing that decides what a reaction makes, what a flow brings
    /// or what the gas holds, so that no balance can depend on them.
    fn factors(&mut self) {
        let file = self.file;
        let fixed = self.fixed();
        for (name, it) in &file.factor {
            let field = format!("factor.{name}");
            if it.check(name).is_err() {
                continue;
            }
            if !file.define.contains_key(&it.on) && !file.reaction.contains_key(&it.on) {
                self.found.push(finding(&format!("{field}.on"), &crate::hybrid::no_target(file, &it.on)));
                continue;
            }
            if fixed.contains(it.on.as_str()) {
                self.fault(
                    &format!("{field}.on"),
                    format!("«{}» は化学量論・流れの組成・気液平衡を決めているため、学習した係数を掛けられません", it.on),
                    format!(
                        "«{}» decides a stoichiometry, what a flow contains or a saturation, so no learnt factor multiplies it",
                        it.on
                    ),
                    [
                        "係数は速度だけに掛けます。反応そのものか、速度の量を選んでください",
                        "factors multiply rates only: choose a reaction or a rate",
                    ],
                );
            }
            for input in &it.input {
                let of = if input.of == "time" {
                    Some(self.time.clone())
                } else {
                    self.described.iter().find(|d| d.name == input.of).map(|d| d.unit.clone())
                };
                let field = format!("{field}.input.{}", input.of);
                match (of, self.unit(&input.unit, &format!("{field}.unit"))) {
                    (Some(of), Some(given)) if of == given => {}
                    (Some(of), Some(given)) => self.fault(
                        &field,
                        format!("係数の入力 «{}» の単位 {given} がモデルの {of} と違います", input.of),
                        format!("the input «{}» of a factor is in {given}, in the model in {of}", input.of),
                        ["学習したときと同じモデルに使ってください", "use the factor with the model it was learnt with"],
                    ),
                    (None, _) => self.fault(
                        &field,
                        format!("係数の入力 «{}» がモデルにありません", input.of),
                        format!("the model has no «{}», which a factor takes as input", input.of),
                        ["学習したときと同じモデルに使ってください", "use the factor with the model it was learnt with"],
                    ),
                    (_, None) => {}
                }
            }
            let (values, waves) = it.constants(name);
            for (constant, value) in values.iter().zip(&it.values).map(|(c, v)| (c, *v)).chain(waves.iter().map(|w| (w, 0.0))) {
                self.put(constant, Role::Constant(Expression::Number(value)));
            }
            match it.expression(name) {
                Ok(expression) => self.put(name, Role::Assigned(expression)),
                Err(error) => self.found.push(finding(&field, &error)),
            }
        }
    }

    /// Names that stoichiometry, composition and saturation depend on, through definitions too.
    fn fixed(&self) -> std::collections::BTreeSet<String> {
        let file = self.file;
        let texts = file
            .reaction
            .values()
            .flat_map(|r| r.makes.values())
            .chain(file.stream.values().flat_map(|s| s.contains.values().chain(s.retains.values())))
            .chain(file.stream.values().flat_map(|s| s.inflow.iter().chain(&s.outflow)))
            .chain(file.transfer.values().map(|t| &t.saturation))
            .chain(file.event.values().filter_map(|e| e.add.as_ref()).flat_map(|a| a.contains.values()));
        let mut open: Vec<String> = Vec::new();
        let names = |text: &str, open: &mut Vec<String>| {
            if let Ok(expression) = notation::read(text) {
                expression.names(&mut |name| open.push(name.to_string()));
            }
        };
        texts.for_each(|text| names(text, &mut open));
        let mut fixed = std::collections::BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(definition) = file.define.get(&name)
                && !fixed.contains(&name)
            {
                names(&definition.expression, &mut open);
            }
            fixed.insert(name);
        }
        fixed
    }

    /// Unit of the rate of a species' amount.
    fn amount_rate(&mut self, species: &str, field: &str) -> Unit {
        let unit = self.unit_of(species).times(&self.volume).and_then(|u| u.per(&self.time));
        unit.unwrap_or_else(|error| {
            self.found.push(finding(field, &error));
            Unit::one()
        })
    }

    fn known_species(&mut self, name: &str, field: &str) -> bool {
        let known = self.species.contains_key(name);
        if !known {
            let names = self.species.keys().copied().collect::<Vec<_>>().join(", ");
            self.fault(
                field,
                format!("«{name}» は種として宣言されていません（{names}）"),
                format!("«{name}» is not declared as a species ({names})"),
                ["species に加えるか、名前を直してください", "add it to species, or correct the name"],
            );
        }
        known
    }

    fn reactions(&mut self) -> Stoichiometry<'f> {
        let mut stoichiometry = Vec::new();
        for (name, it) in &self.file.reaction {
            let Some(unit) = self.unit(&it.unit, &format!("reaction.{name}.unit")) else { continue };
            let Some(rate) = self.read(&it.rate, &unit, &format!("reaction.{name}.rate")) else { continue };
            let rate = Typed { expression: self.multiplied(name, rate), unit };
            for (species, made) in &it.makes {
                let field = format!("reaction.{name}.makes.{species}");
                if !self.known_species(species, &field) {
                    continue;
                }
                let Some(made) = self.typed(made, &field) else { continue };
                let per_volume = rate.unit.times(&made.unit).and_then(|u| u.times(&self.volume));
                let unit = per_volume.unwrap_or_else(|error| {
                    self.found.push(finding(&field, &error));
                    Unit::one()
                });
                let expression = times(times(Expression::name(VOLUME), made.expression.clone()), rate.expression.clone());
                let to = self.amount_rate(species, &field);
                if let Some(expression) = self.convert(Typed { expression, unit }, &to, &field) {
                    self.rates.entry(species).or_default().push(expression);
                }
                stoichiometry.push((name.as_str(), species.as_str(), made));
            }
        }
        stoichiometry
    }

    fn streams(&mut self) {
        for (name, it) in &self.file.stream {
            let Some(unit) = self.unit(&it.unit, &format!("stream.{name}.unit")) else { continue };
            let volume_rate = self.volume.per(&self.time).unwrap_or_else(|_| Unit::one());
            if it.inflow.is_some() == it.outflow.is_some() {
                self.fault(
                    &format!("stream.{name}"),
                    format!("流れ «{name}» には inflow か outflow のどちらか一つが必要です"),
                    format!("the stream «{name}» needs one of inflow and outflow"),
                    ["槽へ入るなら inflow、出るなら outflow です", "inflow into the broth, outflow out of it"],
                );
            }
            if let Some(text) = &it.inflow {
                let field = format!("stream.{name}.inflow");
                let Some(flow) = self.read(text, &unit, &field) else { continue };
                let Some(flow) = self.convert(Typed { expression: flow, unit }, &volume_rate, &field) else { continue };
                self.volume_rate.push(flow.clone());
                for (species, text) in &it.contains {
                    let field = format!("stream.{name}.contains.{species}");
                    if !self.known_species(species, &field) {
                        continue;
                    }
                    if let Some(concentration) = self.read(text, &self.unit_of(species), &field) {
                        self.rates.entry(species).or_default().push(times(flow.clone(), concentration));
                    }
                }
            } else if let Some(text) = &it.outflow {
                let field = format!("stream.{name}.outflow");
                let Some(flow) = self.read(text, &unit, &field) else { continue };
                let Some(flow) = self.convert(Typed { expression: flow, unit }, &volume_rate, &field) else { continue };
                let out = Expression::apply(Function::Negate, [flow]);
                self.volume_rate.push(out.clone());
                for species in self.file.species.keys() {
                    let passes = match it.retains.get(species) {
                        None => Some(Expression::Number(1.0)),
                        Some(text) => self
                            .read(text, &Unit::one(), &format!("stream.{name}.retains.{species}"))
                            .map(|kept| Expression::apply(Function::Subtract, [Expression::Number(1.0), kept])),
                    };
                    if let Some(passes) = passes {
                        let leaves = times(times(out.clone(), passes), Expression::name(species.as_str()));
                        self.rates.entry(species).or_default().push(leaves);
                    }
                }
                for species in it.retains.keys() {
                    self.known_species(species, &format!("stream.{name}.retains.{species}"));
                }
            }
        }
    }

    fn transfers(&mut self) {
        for (name, it) in &self.file.transfer {
            if !self.known_species(&it.species, &format!("transfer.{name}.species")) {
                continue;
            }
            let per_time = Unit::one().per(&self.time).unwrap_or_else(|_| Unit::one());
            let kla = self.read(&it.kla, &per_time, &format!("transfer.{name}.kla"));
            let saturation = self.read(&it.saturation, &self.unit_of(&it.species), &format!("transfer.{name}.saturation"));
            if let (Some(kla), Some(saturation)) = (kla, saturation) {
                let gap = Expression::apply(Function::Subtract, [saturation, Expression::name(it.species.as_str())]);
                let rate = times(times(Expression::name(VOLUME), kla), gap);
                self.rates.entry(&it.species).or_default().push(rate);
            }
        }
    }

    fn states(&mut self) {
        let file = self.file;
        let volume = self.volume.clone();
        let initial = self.start(&file.vessel.volume, &volume, "vessel.volume").unwrap_or(Expression::Number(f64::NAN));
        let rate = Expression::Apply(Function::Add, std::mem::take(&mut self.volume_rate));
        self.put(VOLUME, Role::State { initial, rate });
        for (name, it) in &file.species {
            let unit = self.unit_of(name);
            let initial =
                self.start(&it.initial, &unit, &format!("species.{name}.initial")).unwrap_or(Expression::Number(f64::NAN));
            let rate = Expression::Apply(Function::Add, self.rates.remove(name.as_str()).unwrap_or_default());
            let amount = amount_of(name);
            self.put(&amount, Role::State { initial: times(initial, Expression::name(VOLUME)), rate });
            let share = Expression::apply(Function::Divide, [Expression::name(amount), Expression::name(VOLUME)]);
            self.put(name, Role::Assigned(share));
        }
        for (name, it) in &file.state {
            let unit = self.unit_of(name);
            let field = format!("state.{name}");
            let initial = self.start(&it.initial, &unit, &format!("{field}.initial")).unwrap_or(Expression::Number(f64::NAN));
            let rate = match &it.rate {
                None => Some(Expression::Number(0.0)),
                Some(text) => {
                    // A rate of °C is in K.
                    let size = if unit.code() == "Cel" { Unit::parse("K").unwrap_or_else(|_| Unit::one()) } else { unit };
                    match size.per(&self.time) {
                        Ok(unit) => self.read(text, &unit, &format!("{field}.rate")),
                        Err(error) => {
                            self.found.push(finding(&field, &error));
                            None
                        }
                    }
                }
            };
            self.put(name, Role::State { initial, rate: rate.unwrap_or(Expression::Number(f64::NAN)) });
        }
    }

    fn events(&mut self) {
        let file = self.file;
        let volume = self.volume.clone();
        for (name, it) in &file.event {
            let field = |part: &str| format!("event.{name}.{part}");
            let Some(trigger) = self.read(&it.when, &Unit::one(), &field("when")) else { continue };
            let mut sets: Vec<(std::sync::Arc<str>, Expression)> = Vec::new();
            let added = it.add.as_ref().and_then(|add| self.read(&add.volume, &volume, &field("add.volume")));
            let taken = it.withdraw.as_ref().and_then(|text| self.read(text, &volume, &field("withdraw")));
            let broth = || Expression::name(VOLUME);
            if added.is_some() || taken.is_some() {
                // Taken from the broth as it is, then added to the rest.
                let kept = taken.map_or(broth(), |w| Expression::apply(Function::Subtract, [broth(), w]));
                let share = Expression::apply(Function::Divide, [kept.clone(), broth()]);
                for species in file.species.keys() {
                    let mut amount = times(Expression::name(amount_of(species)), share.clone());
                    let contained = it.add.as_ref().and_then(|add| add.contains.get(species));
                    if let (Some(text), Some(added)) = (contained, &added)
                        && let Some(concentration) =
                            self.read(text, &self.unit_of(species), &field(&format!("add.contains.{species}")))
                    {
                        amount = Expression::apply(Function::Add, [amount, times(added.clone(), concentration)]);
                    }
                    sets.push((amount_of(species).into(), amount));
                }
                let volume = added.map_or(kept.clone(), |a| Expression::apply(Function::Add, [kept, a]));
                sets.push((VOLUME.into(), volume));
            }
            for species in it.add.iter().flat_map(|add| add.contains.keys()) {
                self.known_species(species, &field(&format!("add.contains.{species}")));
            }
            for (state, text) in &it.set {
                let field = field(&format!("set.{state}"));
                if !file.state.contains_key(state) {
                    self.fault(
                        &field,
                        format!("«{state}» は state ではないため設定できません"),
                        format!("«{state}» is no state and cannot be set"),
                        ["種は add と withdraw で変えます", "species are changed by add and withdraw"],
                    );
                } else if let Some(value) = self.read(text, &self.unit_of(state), &field) {
                    sets.push((state.as_str().into(), value));
                }
            }
            self.definition.events.push(Event {
                name: name.as_str().into(),
                trigger,
                was_true: false,
                persistent: true,
                delay: None,
                priority: None,
                at_trigger: true,
                sets,
            });
        }
    }

    fn observed(&mut self) {
        for (name, it) in &self.file.observe {
            let field = format!("observe.{name}");
            let Some(unit) = self.unit(&it.unit, &format!("{field}.unit")) else { continue };
            if let Some(expression) = self.read(&it.expression, &unit, &format!("{field}.expression")) {
                self.name(name, &unit, Kind::Observed, it.label.as_ref(), &field);
                self.put(name, Role::Assigned(expression));
            }
        }
    }

    fn finish(mut self, stoichiometry: Stoichiometry<'f>) -> Result<Model> {
        let balances = self.balances(&stoichiometry)?;
        for balance in balances.iter().filter(|b| !b.open && !b.is_closed()) {
            self.fault(
                &format!("reaction.{}", balance.reaction),
                format!(
                    "反応 «{}» の {} の収支が閉じません（残差 {:.3e} mol、出入り {:.3e} mol）",
                    balance.reaction, balance.of, balance.residual, balance.turned_over
                ),
                format!(
                    "the balance of {} in the reaction «{}» is not closed: {:.3e} mol of {:.3e} mol turned over",
                    balance.of, balance.reaction, balance.residual, balance.turned_over
                ),
                [
                    "化学量論を直すか、モデルにない物質（水、CO2 など）が担う元素なら open に挙げてください",
                    "correct the stoichiometry, or name the element in open where substances outside the model take it",
                ],
            );
        }
        if !self.found.is_empty() {
            return Err(refused(self.found));
        }
        let system = System::compile(&self.definition)?;
        Ok(Model {
            id: self.file.model.id.clone(),
            title: self.file.model.title.clone(),
            source: self.file.model.source.clone(),
            time: self.time,
            described: self.described,
            profiles: self.file.profile.iter().map(|(name, it)| (name.clone(), it.at.clone())).collect(),
            definition: self.definition,
            system,
            balances,
            file: self.file.clone(),
        })
    }

    /// Balances of all reactions whose species have formulas, at the declared constants.
    fn balances(&mut self, stoichiometry: &Stoichiometry<'f>) -> Result<Vec<Balance>> {
        let mut compositions = BTreeMap::new();
        for (name, it) in &self.file.species {
            if let Some(formula) = &it.formula {
                match Composition::read(formula) {
                    Ok(composition) => {
                        compositions.insert(name.as_str(), composition);
                    }
                    Err(error) => self.found.push(finding(&format!("species.{name}.formula"), &error)),
                }
            }
        }
        // The coefficients as quantities of a model without anything else, at the start.
        let mut definition = Definition { events: Vec::new(), ..self.definition.clone() };
        for (i, (_, _, made)) in stoichiometry.iter().enumerate() {
            let name = format!("coefficient {i}").into();
            definition.quantities.push(Quantity { name, role: Role::Assigned(made.expression.clone()) });
        }
        let system = System::compile(&definition)?;
        let start = system.simulate(&system.constants(), &[0.0], &Options::default())?;
        let values = &start.at(0)[self.definition.quantities.len()..];
        let mut all = Vec::new();
        for (name, it) in &self.file.reaction {
            let rate = Unit::parse(&it.unit)?;
            let mut made = Vec::new();
            for ((reaction, species, coefficient), value) in stoichiometry.iter().zip(values) {
                if reaction != name {
                    continue;
                }
                let Some(composition) = compositions.get(species) else { continue };
                let unit = rate.times(&coefficient.unit)?;
                if let Some(moles) = moles(*value, &unit, &self.time, composition) {
                    made.push((composition.clone(), moles));
                }
            }
            all.extend(balances(name, &made, &it.open));
        }
        Ok(all)
    }
}

/// A value per volume and time as moles of formula units per litre and time.
fn moles(value: f64, unit: &Unit, time: &Unit, composition: &Composition) -> Option<f64> {
    let to = |code: &str| Unit::parse(code).and_then(|u| u.per(time)).and_then(|to| unit.convert(value, &to)).ok();
    to("mol/L").or_else(|| to("g/L").map(|grams| grams / composition.grams_per_mole()))
}
