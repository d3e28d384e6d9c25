//! From conditions to places, by a seed.

use super::Wanted;
use super::grid::{System, position_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text};

/// Layouts drawn in search of one whose controls stand on the edge and in the middle.
const DRAWS: usize = 200;

/// A unit with its condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unit {
    /// Number of the unit in the system, from 1, row by row.
    pub unit: usize,
    /// Place: row as a letter, column as a number.
    pub position: String,
    /// Row, from 1.
    pub row: usize,
    /// Column, from 1.
    pub column: usize,
    /// Name of its condition.
    pub condition: String,
    /// Which of the condition's replicates, from 1.
    pub replicate: usize,
    /// Is its condition a control?
    pub control: bool,
    /// Does it stand on the outermost ring?
    pub edge: bool,
    /// Block: its row.
    pub block: usize,
}

/// A layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Layout {
    /// Units that are used, in the order of their numbers.
    pub units: Vec<Unit>,
    /// Places that stay free.
    pub spare: Vec<String>,
    /// What the experimenter should think about before starting.
    pub warnings: Vec<Text>,
}

/// Lays the conditions out. The same system, conditions and seed give the same layout.
///
/// # Errors
/// No conditions, names that are empty or used twice, a condition without units, or more units than the system
/// has.
pub fn plan(system: System, wanted: &[Wanted], seed: u64) -> Result<Layout> {
    let asked = check(system, wanted)?;
    let mut chance = Chance::new(seed);
    let mut cells = draw(system, wanted, asked, &mut chance);
    for _ in 1..DRAWS {
        if controls_are_spread(system, wanted, &cells) {
            break;
        }
        cells = draw(system, wanted, asked, &mut chance);
    }
    if !controls_are_spread(system, wanted, &cells) {
        exchange(system, wanted, &mut cells, &mut chance);
    }
    Ok(written(system, wanted, &cells))
}

fn fault(code: &'static str, ja: String, en: String) -> Error {
    Error::input(code, ja, en).at(Place::field("conditions"))
}

/// Number of units asked for.
fn check(system: System, wanted: &[Wanted]) -> Result<usize> {
    if wanted.is_empty() {
        return Err(fault("E-PLAN-002", "条件がありません".into(), "there is no condition".into())
            .hint("条件を一つ以上指定してください", "name at least one condition"));
    }
    let mut names = BTreeSet::new();
    for condition in wanted {
        let name = condition.name.trim();
        if name.is_empty() || !names.insert(name) {
            return Err(fault(
                "E-PLAN-003",
                format!("条件名「{name}」が空か重複しています"),
                format!("the name of a condition is empty or used twice: \"{name}\""),
            )
            .hint("条件ごとに違う名前を付けてください", "give every condition a name of its own"));
        }
        if condition.replicates == 0 {
            return Err(fault(
                "E-PLAN-004",
                format!("条件「{name}」の反復が 0 です"),
                format!("the condition \"{name}\" has no replicate"),
            )
            .hint("反復は 1 以上にしてください", "give it at least one replicate"));
        }
    }
    let asked = wanted.iter().fold(0_usize, |sum, w| sum.saturating_add(w.replicates));
    let has = system.units();
    if asked > has {
        let (conditions, over) = (wanted.len(), asked - has);
        // The most replicates with which all conditions would fit, and the most conditions at the mean replicates.
        let (each, whole) = (has / conditions, asked.div_ceil(conditions));
        let (ja, en) = if each > 0 {
            (
                format!("{over} 基減らすか、{conditions} 条件を各 {each} 反復（計 {} 基）にしてください", conditions * each),
                format!("take {over} away, or give {conditions} conditions {each} replicates each ({} units)", conditions * each),
            )
        } else {
            let fit = (has / whole).max(1);
            (
                format!("{over} 基減らすか、条件を {fit} 以下にしてください（各 {whole} 反復）"),
                format!("take {over} away, or name at most {fit} conditions of {whole} replicates"),
            )
        };
        return Err(fault(
            "E-PLAN-001",
            format!(
                "{asked} 基の割付を求められましたが、装置には {has} 基（{} 行 × {} 列）しかありません",
                system.rows, system.columns
            ),
            format!("{asked} units are asked for, but the system has {has} ({} rows × {} columns)", system.rows, system.columns),
        )
        .hint(ja, en));
    }
    Ok(asked)
}

/// The condition of every place of the system, row by row.
type Cells = Vec<Option<usize>>;

/// Deals the units, condition by condition, to the rows in turn: so every row has as many units as the others to
/// within one, and of every condition as many to within one. Inside a row the places are shuffled.
fn draw(system: System, wanted: &[Wanted], asked: usize, chance: &mut Chance) -> Cells {
    let mut rows: Vec<usize> = (0..system.rows).collect();
    chance.shuffle(&mut rows);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    chance.shuffle(&mut order);
    let mut dealt: Vec<Cells> = vec![Cells::new(); system.rows];
    let units = order.iter().flat_map(|i| wanted.get(*i).map(|w| std::iter::repeat_n(*i, w.replicates))).flatten();
    for (unit, row) in units.zip(rows.iter().cycle()).take(asked) {
        if let Some(row) = dealt.get_mut(*row) {
            row.push(Some(unit));
        }
    }
    for row in &mut dealt {
        row.resize(system.columns, None);
        chance.shuffle(row);
    }
    dealt.concat()
}

fn is_control(wanted: &[Wanted], cell: Option<usize>) -> bool {
    cell.and_then(|i| wanted.get(i)).is_some_and(|w| w.control)
}

fn edge_of(system: System, at: usize) -> bool {
    system.is_edge(at / system.columns, at % system.columns)
}

/// Do the controls stand as they should: one in the middle, and from two on also one on the edge?
fn controls_are_spread(system: System, wanted: &[Wanted], cells: &[Option<usize>]) -> bool {
    if !system.has_middle() {
        return true;
    }
    let (mut edge, mut middle) = (0, 0);
    for (at, _) in cells.iter().enumerate().filter(|(_, c)| is_control(wanted, **c)) {
        if edge_of(system, at) { edge += 1 } else { middle += 1 }
    }
    match edge + middle {
        0 => true,
        1 => middle == 1,
        _ => middle > 0 && edge > 0,
    }
}

/// Exchanges one control with another unit (or a free place) so that controls stand on both sides; only where the
/// draws did not find such a layout. Blocks differ by one unit more than needed then.
fn exchange(system: System, wanted: &[Wanted], cells: &mut [Option<usize>], chance: &mut Chance) {
    let none_in_middle = !cells.iter().enumerate().any(|(at, c)| is_control(wanted, *c) && !edge_of(system, at));
    let pick = |of: Vec<usize>, chance: &mut Chance| of.get(chance.below(of.len())).copied();
    let places = |control: bool, edge: bool| -> Vec<usize> {
        let fits = |(at, c): &(usize, &Option<usize>)| is_control(wanted, **c) == control && edge_of(system, *at) == edge;
        cells.iter().enumerate().filter(fits).map(|(at, _)| at).collect()
    };
    let control = pick(places(true, none_in_middle), chance);
    let other = pick(places(false, !none_in_middle), chance);
    if let (Some(control), Some(other)) = (control, other) {
        cells.swap(control, other);
    }
}

fn written(system: System, wanted: &[Wanted], cells: &[Option<usize>]) -> Layout {
    let mut given = vec![0; wanted.len()];
    let (mut units, mut spare) = (Vec::new(), Vec::new());
    for (at, cell) in cells.iter().enumerate() {
        let (row, column) = (at / system.columns, at % system.columns);
        let position = position_name(row, column);
        let Some((condition, replicate)) = cell.and_then(|i| wanted.get(i).zip(given.get_mut(i))) else {
            spare.push(position);
            continue;
        };
        *replicate += 1;
        units.push(Unit {
            unit: at + 1,
            position,
            row: row + 1,
            column: column + 1,
            condition: condition.name.clone(),
            replicate: *replicate,
            control: condition.control,
            edge: system.is_edge(row, column),
            block: row + 1,
        });
    }
    Layout { units, spare, warnings: warnings(system, wanted) }
}

fn warnings(system: System, wanted: &[Wanted]) -> Vec<Text> {
    let mut out = Vec::new();
    let controls = wanted.iter().filter(|w| w.control).count();
    if controls == 0 {
        out.push(Text::new(
            "対照がありません。条件の良し悪しは判定できず、平均の順だけになります",
            "there is no control: conditions can only be put in the order of their means, not judged",
        ));
    } else if controls > 1 {
        out.push(Text::new(
            format!("対照が {controls} 条件あります。検定は最初の対照に対して行います"),
            format!("there are {controls} controls: the test compares with the first one"),
        ));
    }
    let single: Vec<&str> = wanted.iter().filter(|w| w.replicates < 2).map(|w| w.name.as_str()).collect();
    if single.len() == wanted.len() {
        out.push(Text::new(
            "どの条件にも反復がありません。ばらつきが分からないので差の確かさを言えません",
            "no condition has a replicate: without a spread nothing can be said about how sure a difference is",
        ));
    } else if !single.is_empty() {
        let names = single.join(", ");
        out.push(Text::new(
            format!("反復のない条件: {names}。ばらつきは他の条件から借りることになります"),
            format!("conditions without a replicate: {names}. Their spread is borrowed from the others"),
        ));
    }
    if controls > 0 && !system.has_middle() && system.units() > 1 {
        out.push(Text::new(
            "全ての槽が外周にあり、端の影響は条件の差から分けられません",
            "every unit stands on the edge: an effect of the edge cannot be told from the rest",
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn conditions(count: usize, replicates: usize) -> Vec<Wanted> {
        (0..count).map(|i| Wanted { name: format!("C{i}"), control: i == 0, replicates }).collect()
    }

    #[test]
    fn twenty_five_units_do_not_fit_on_twenty_four() {
        let plate = System::new(4, 6).unwrap();
        let mut wanted = conditions(8, 3);
        assert_eq!(plan(plate, &wanted, 1).unwrap().units.len(), 24);
        wanted[7].replicates = 4;
        let error = plan(plate, &wanted, 1).unwrap_err();
        let fault = error.fault();
        assert_eq!((error.code(), fault.place.as_ref().unwrap().field.as_deref()), ("E-PLAN-001", Some("conditions")));
        let said = format!("{error:?}");
        for part in ["25", "24", "8 条件を各 3 反復", "8 conditions 3 replicates each"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        let many = plan(plate, &conditions(30, 2), 1).unwrap_err();
        assert!(format!("{many:?}").contains("at most 12 conditions of 2 replicates"), "{many:?}");
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused() {
        let plate = System::new(4, 6).unwrap();
        assert_eq!(plan(plate, &[], 1).unwrap_err().code(), "E-PLAN-002");
        let mut twice = conditions(3, 1);
        twice[2].name = " C1 ".into();
        assert_eq!(plan(plate, &twice, 1).unwrap_err().code(), "E-PLAN-003");
        assert_eq!(plan(plate, &conditions(2, 0), 1).unwrap_err().code(), "E-PLAN-004");
        assert_eq!(plan(plate, &conditions(2, usize::MAX / 2 + 1), 1).unwrap_err().code(), "E-PLAN-001");
    }

    #[test]
    fn what_to_think_about_is_said() {
        let said = |system: System, wanted: &[Wanted]| {
            plan(system, wanted, 1).unwrap().warnings.iter().map(|w| w.en.clone()).collect::<Vec<_>>().join(" | ")
        };
        let plate = System::new(4, 6).unwrap();
        assert_eq!(said(plate, &conditions(8, 3)), "");
        let mut wanted = conditions(8, 1);
        assert!(said(plate, &wanted).contains("no condition has a replicate"));
        wanted[1].replicates = 3;
        assert!(said(plate, &wanted).contains("without a replicate: C0, C2"));
        wanted[0].control = false;
        assert!(said(plate, &wanted).contains("no control"));
        assert!(said(System::new(2, 6).unwrap(), &conditions(4, 3)).contains("on the edge"));
    }

    #[test]
    fn another_seed_is_another_layout() {
        let plate = System::new(4, 6).unwrap();
        let layouts: BTreeSet<String> =
            (0..50).map(|seed| format!("{:?}", plan(plate, &conditions(8, 3), seed).unwrap().units)).collect();
        assert_eq!(layouts.len(), 50);
        // Chance favours no place: condition C5 stands in each of the 24 about as often (3 of 24 × 2,400 = 300).
        let mut stood = [0; 24];
        for seed in 0..2_400 {
            for unit in plan(plate, &conditions(8, 3), seed).unwrap().units.iter().filter(|u| u.condition == "C5") {
                stood[unit.unit - 1] += 1;
            }
        }
        assert!(stood.iter().all(|n| (220..380).contains(n)), "{stood:?}");
    }

    proptest! {
        #[test]
        fn every_layout_is_complete_and_spread(
            rows in 1_usize..9, columns in 1_usize..13, seed in any::<u64>(),
            shape in proptest::collection::vec((1_usize..7, any::<bool>()), 1..12),
        ) {
            let system = System::new(rows, columns).unwrap();
            let wanted: Vec<Wanted> = shape.iter().enumerate()
                .map(|(i, (replicates, control))| Wanted { name: format!("C{i}"), control: *control, replicates: *replicates })
                .collect();
            let asked: usize = wanted.iter().map(|w| w.replicates).sum();
            let answer = plan(system, &wanted, seed);
            if asked > system.units() {
                prop_assert_eq!(answer.unwrap_err().code(), "E-PLAN-001");
                return Ok(());
            }
            let layout = answer.unwrap();
            // The same seed gives the same layout.
            prop_assert_eq!(&layout, &plan(system, &wanted, seed).unwrap());
            // No place twice, none invented, none lost.
            let places: BTreeSet<&str> = layout.units.iter().map(|u| u.position.as_str()).chain(layout.spare.iter().map(String::as_str)).collect();
            prop_assert_eq!(places.len(), system.units());
            prop_assert_eq!(layout.units.len() + layout.spare.len(), system.units());
            // Each condition has exactly its replicates, numbered from one.
            let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for unit in &layout.units {
                seen.entry(&unit.condition).or_default().push(unit.replicate);
                prop_assert_eq!(position_name(unit.row - 1, unit.column - 1), unit.position.clone());
                prop_assert_eq!(unit.unit, (unit.row - 1) * columns + unit.column);
                prop_assert_eq!((unit.edge, unit.block), (system.is_edge(unit.row - 1, unit.column - 1), unit.row));
            }
            for condition in &wanted {
                prop_assert_eq!(seen.get(condition.name.as_str()).cloned(), Some((1..=condition.replicates).collect::<Vec<_>>()));
            }
            // Blocks: as many units in each row to within one, and of each condition too; one exchange may cost one.
            let in_row = |row: usize, name: Option<&str>| {
                layout.units.iter().filter(|u| u.row == row && name.is_none_or(|n| u.condition == n)).count()
            };
            let spread = |name: Option<&str>| {
                let of: Vec<usize> = (1..=rows).map(|row| in_row(row, name)).collect();
                of.iter().max().unwrap() - of.iter().min().unwrap()
            };
            let controls: Vec<&Unit> = layout.units.iter().filter(|u| u.control).collect();
            prop_assert!(spread(None) <= 3);
            for condition in &wanted {
                prop_assert!(spread(Some(&condition.name)) <= 3, "{} of {}", spread(Some(&condition.name)), condition.name);
            }
            // Controls are not all on the edge when there is a middle, nor all in the middle when there are two.
            if system.has_middle() && !controls.is_empty() {
                prop_assert!(controls.iter().any(|u| !u.edge));
                prop_assert!(controls.len() < 2 || controls.iter().any(|u| u.edge));
            }
        }

        #[test]
        fn the_usual_experiments_are_in_perfect_blocks(seed in any::<u64>(), count in 2_usize..9, replicates in 1_usize..4) {
            let system = System::new(4, 6).unwrap();
            let layout = plan(system, &conditions(count, replicates), seed).unwrap();
            for name in std::iter::once(None).chain((0..count).map(|i| Some(format!("C{i}")))) {
                let of: Vec<usize> = (1..=4)
                    .map(|row| layout.units.iter().filter(|u| u.row == row && name.as_ref().is_none_or(|n| &u.condition == n)).count())
                    .collect();
                prop_assert!(of.iter().max().unwrap() - of.iter().min().unwrap() <= 1, "{name:?}: {of:?}");
            }
        }
    }
}
