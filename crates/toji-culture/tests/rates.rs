//! The standard analysis beside statsmodels and scipy (golden/rates.py), beside a known truth, and under any input.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use proptest::prelude::*;
use serde_json::Value as Json;
use toji_core::Text;
use toji_core::chance::Chance;
use toji_culture::rates::{
    Analysis, Basis, Biomass, CODES, Culture, Gas, Line, Loop, Named, Point, Quantity, Reference, Standing, analyse, fit,
};

fn golden() -> Json {
    serde_json::from_str(include_str!("golden/rates.json")).unwrap()
}
fn numbers(of: &Json) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}
fn number(of: &Json) -> f64 {
    of.as_f64().unwrap()
}
fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * b.abs().max(1e-9)
}
fn line(name: &str, unit: &str, t_h: &[f64], value: &[f64]) -> Line {
    let points = t_h.iter().zip(value).map(|(t, v)| Point::good(t * 3600.0, *v)).collect();
    Line { name: Text::same(name), unit: unit.into(), points, holds: false }
}
fn mass(line: Line) -> Biomass {
    Biomass { basis: Basis::DryWeight, line, g_per_l: None }
}
fn of<'a>(analysis: &'a Analysis, code: &str) -> &'a Quantity {
    let lacks = || analysis.not_determined.iter().find(|n| n.code == code);
    analysis.quantities.iter().find(|q| q.code == code).unwrap_or_else(|| panic!("{code}: {:?}", lacks()))
}
fn why<'a>(analysis: &'a Analysis, code: &str) -> &'a str {
    &analysis.not_determined.iter().find(|n| n.code == code).unwrap_or_else(|| panic!("{code} was determined")).why.en
}

#[test]
fn regressions_as_statsmodels_has_them() {
    let golden = golden();
    assert_eq!((&golden["versions"]["statsmodels"], &golden["versions"]["scipy"]), (&"0.15.0".into(), &"1.17.1".into()));
    for case in golden["regressions"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let weights = (!case["weights"].is_null()).then(|| numbers(&case["weights"]));
        let f = fit(&x, &y, weights.as_deref(), 0.0).unwrap();
        for (own, theirs) in [
            (f.slope, "slope"),
            (f.at(0.0), "intercept"),
            (f.slope_error_plain, "plain"),
            (f.slope_error_hac, "hac"),
            (f.r_squared, "r_squared"),
            (f.residual_variance, "residual_variance"),
        ] {
            assert!(close(own, number(&case[theirs]), 1e-9), "n {}: {theirs} {own} beside {}", x.len(), case[theirs]);
        }
        assert_eq!(f.slope_error, f.slope_error_plain.max(f.slope_error_hac));
    }
    for pair in golden["student"].as_array().unwrap() {
        let [freedom, quantile] = numbers(pair)[..] else { panic!() };
        assert!(close(toji_core::special::t_quantile_975(freedom), quantile, 1e-8), "{freedom}");
    }
}

#[test]
fn window_rate_and_lag_as_statsmodels_has_them() {
    for case in golden()["growth"].as_array().unwrap() {
        let mut biomass = line("dry weight", "g/L", &numbers(&case["t_h"]), &numbers(&case["x"]));
        if !case["sigma"].is_null() {
            biomass.points.iter_mut().zip(numbers(&case["sigma"])).for_each(|(p, s)| p.sigma = Some(s));
        }
        let culture = Culture { inoculated_s: Some(0.0), biomass: vec![mass(biomass)], ..Culture::default() };
        let analysis = analyse(&culture);
        let (rate, lag) = (of(&analysis, "growth-rate-max"), of(&analysis, "lag-time"));
        let name = &case["name"];
        assert_eq!((rate.n as u64, rate.unit.as_str()), (case["n"].as_u64().unwrap(), "/h"), "{name}");
        assert!(close(rate.from_s.unwrap(), 3600.0 * number(&case["from_h"]), 1e-9), "{name}");
        assert!(close(rate.to_s.unwrap(), 3600.0 * number(&case["to_h"]), 1e-9), "{name}");
        assert!(close(rate.value, number(&case["slope"]), 1e-8), "{name}: {}", rate.value);
        assert!(close(rate.high.unwrap() - rate.value, number(&case["half"]), 1e-6), "{name}: {rate:?}");
        assert!((lag.value - number(&case["lag_h"])).abs() < 1e-6, "{name}: {lag:?}");
        assert!(close(lag.high.unwrap() - lag.value, number(&case["lag_half_h"]), 1e-5), "{name}: {lag:?}");
        let doubling = of(&analysis, "doubling-time");
        assert!(close(doubling.value, 2f64.ln() / rate.value, 1e-12));
        assert!(doubling.low.unwrap() < doubling.value && doubling.value < doubling.high.unwrap());
    }
}

fn fed_batch() -> (Culture, Json) {
    let golden = golden()["fed_batch"].clone();
    let t = numbers(&golden["t_h"]);
    let culture = Culture {
        inoculated_s: Some(0.0),
        biomass: vec![mass(line("dry weight", "g/L", &t, &numbers(&golden["biomass"])))],
        substrate: Named::Known(line("glucose", "g/L", &t, &numbers(&golden["substrate"]))),
        product: Named::Known(line("titre", "g/L", &t, &numbers(&golden["product"]))),
        volume: Some(line("volume", "L", &t, &numbers(&golden["volume_l"]))),
        feed: Some(line("feed", "mL", &t, &numbers(&golden["feed_ml"]))),
        feed_substrate_g_per_l: Some(500.0),
        seed: 1,
        ..Culture::default()
    };
    (culture, golden)
}

#[test]
fn yields_as_scipy_has_them_and_as_they_were_put_in() {
    let (culture, golden) = fed_batch();
    let analysis = analyse(&culture);
    for (code, theirs, truth) in [
        ("yield-biomass-substrate", "xs", 0.45),
        ("yield-product-substrate", "ps", 0.08),
        ("yield-product-biomass", "px", 0.08 / 0.45),
    ] {
        let own = of(&analysis, code);
        let theirs = &golden[theirs];
        assert!(close(own.value, number(&theirs["slope"]), 1e-9), "{code}: {own:?} beside {theirs}");
        // Ends of percentile intervals differ by chance: 2,000 resamples here, 20,000 there.
        let width = number(&theirs["high"]) - number(&theirs["low"]);
        let near = |own: Option<f64>, end: &str| (own.unwrap() - number(&theirs[end])).abs() < 0.15 * width;
        assert!(near(own.low, "low") && near(own.high, "high"), "{code}: {own:?} beside {theirs}");
        assert!((own.value - truth).abs() < 0.05 * truth, "{code}");
        assert_eq!(own.unit, "g/g");
    }
    // The same seed gives the same interval, another one another.
    assert_eq!(analysis, analyse(&culture));
    let other = analyse(&Culture { seed: 2, ..culture });
    let ends = |a: &Analysis| of(a, "yield-biomass-substrate").low;
    assert_ne!(ends(&analysis), ends(&other));
}

#[test]
fn nothing_is_guessed() {
    let (culture, _) = fed_batch();
    let od = |g_per_l| {
        let line = Line { unit: "{OD600}".into(), ..culture.biomass[0].line.clone() };
        Culture { biomass: vec![Biomass { basis: Basis::OpticalDensity, line, g_per_l }], ..culture.clone() }
    };
    let without = analyse(&od(None));
    assert!(why(&without, "yield-biomass-substrate").contains("OD is no g/L"));
    assert_eq!(of(&without, "biomass-final").unit, "{OD600}");
    assert!(close(of(&without, "growth-rate-max").value, of(&analyse(&culture), "growth-rate-max").value, 1e-12));
    let with = analyse(&od(Some(0.5)));
    let half = of(&analyse(&culture), "yield-biomass-substrate").value / 2.0;
    assert!(close(of(&with, "yield-biomass-substrate").value, half, 1e-9));
    assert_eq!(of(&with, "biomass-final").unit, "g/L");
    let lost = analyse(&Culture { feed_substrate_g_per_l: None, ..culture.clone() });
    assert!(why(&lost, "yield-biomass-substrate").contains("feed"));
    let lost = analyse(&Culture { volume: None, ..culture.clone() });
    assert!(why(&lost, "yield-product-biomass").contains("volume"));
    let two = Named::Ambiguous(vec!["glucose".into(), "glycerol".into()]);
    assert!(why(&analyse(&Culture { substrate: two, ..culture.clone() }), "yield-biomass-substrate").contains("glycerol"));
    // Half of the feed unrecorded: more biomass than the carbon allows.
    let hidden = Culture { feed: None, ..culture.clone() };
    assert!(why(&analyse(&hidden), "yield-biomass-substrate").len() > 10);
    let unseeded = analyse(&Culture { inoculated_s: None, ..culture });
    for code in ["inoculated-at", "lag-time", "productivity"] {
        assert!(!why(&unseeded, code).is_empty());
    }
    let empty = analyse(&Culture::default());
    assert_eq!((empty.quantities.len(), empty.not_determined.len(), empty.growth), (0, CODES.len(), None));
}

/// A culture of known rate, lag and plateau with 3 % noise: how often the interval holds the truth.
fn series(seed: u64, step_h: f64, noise: f64) -> Line {
    let mut chance = Chance::new(seed);
    let mut normal = move || (0..12).map(|_| chance.below(1_000_000) as f64 / 1e6).sum::<f64>() - 6.0;
    let n = (16.0 / step_h) as usize;
    let t: Vec<f64> = (0..n).map(|i| i as f64 * step_h).collect();
    let x: Vec<f64> = t.iter().map(|t| 0.1 * ((t - 2.0).clamp(0.0, 8.0) * 0.45).exp() * (1.0 + noise * normal())).collect();
    line("dry weight", "g/L", &t, &x)
}

#[test]
fn the_interval_of_the_rate_covers_what_it_says() {
    for (step_h, noise) in [(2.0, 0.03), (0.75, 0.03), (0.25, 0.03), (0.1, 0.02)] {
        let mut covered = 0;
        let mut lags = 0;
        for seed in 0..100 {
            let culture =
                Culture { inoculated_s: Some(0.0), biomass: vec![mass(series(seed, step_h, noise))], ..Culture::default() };
            let analysis = analyse(&culture);
            let rate = of(&analysis, "growth-rate-max");
            covered += usize::from(rate.low.unwrap() <= 0.45 && 0.45 <= rate.high.unwrap());
            let lag = of(&analysis, "lag-time");
            lags += usize::from(lag.low.unwrap() <= 2.0 && 2.0 <= lag.high.unwrap());
        }
        assert!(covered >= 88, "every {step_h} h: {covered} of 100");
        assert!(lags >= 88, "every {step_h} h: {lags} of 100 lags");
    }
}

/// Off-gas, loops and totals of a made culture whose numbers follow from its formulas.
fn logged() -> Culture {
    let t: Vec<f64> = (0..=600).map(|i| f64::from(i) / 60.0).collect();
    let by = |f: &dyn Fn(f64) -> f64| t.iter().map(|t| f(*t)).collect::<Vec<f64>>();
    let jitter = |t: f64| 0.004 * ((t * 997.0).sin() + (t * 613.0).cos());
    let out_o2 = by(&|t| 20.95 - 0.02 * (0.5 * t).exp() + jitter(t));
    let out_co2 = by(&|t| 0.042 + 0.02 * (0.5 * t).exp() + jitter(t + 0.3));
    let measured = line("pH", "[pH]", &t, &by(&|t| if t < 8.0 { 7.02 } else { 7.3 }));
    let held = |value: f64| Line { holds: true, ..line("set-point", "[pH]", &[-1.0], &[value]) };
    Culture {
        inoculated_s: Some(0.0),
        ended_s: Some(36_000.0),
        gas: Gas {
            flow: Some(line("gas flow", "L/min", &t, &by(&|_| 1.0))),
            reference: Reference::Stated(0.0),
            exit_oxygen: Some(line("O2", "%", &t, &out_o2)),
            exit_co2: Some(line("CO2", "%", &t, &out_co2)),
            ..Gas::default()
        },
        start_l: Some(1.0),
        feed: Some(line("feed", "mL", &[0.0, 4.0, 5.0, 6.0, 10.0], &[5.0, 25.0, 45.0, 1.0, 41.0])),
        ph: Loop { measured: Some(measured), wanted: Some(held(7.0)), band: 0.1 },
        ..Culture::default()
    }
}

#[test]
fn gas_totals_and_loops_follow_their_formulas() {
    let analysis = analyse(&logged());
    assert!(close(of(&analysis, "duration").value, 10.0, 1e-12));
    let band = of(&analysis, "time-in-band-ph");
    assert!(close(band.value, 80.0, 0.003) && band.low.is_none(), "{band:?}");
    assert!(why(&analysis, "time-in-band-do").contains("measured"));
    // 5 → 45, set back, then 1 → 41: 40 + 1 + 40.
    let feed = of(&analysis, "feed-total");
    assert!(close(feed.value, 81.0, 1e-12) && feed.method.en.contains("set back 1 times"), "{feed:?}");
    // At the end exit oxygen is 20.95 − 0.02·e^(0.5 t): the last ten minutes' mean by the balance, worked here again.
    let mean = 0.02 * (f64::exp(5.0) - f64::exp(0.5 * (10.0 - 1.0 / 6.0))) / (0.5 / 6.0);
    let (o, c) = ((20.95 - mean) / 100.0, (0.042 + mean) / 100.0);
    let exit = (1.0 - 0.2095 - 0.000_42) / (1.0 - o - c);
    // 60 L/h at 0 °C over 1 L of broth that the feed has made 1.08 L.
    let litres = 1.0 + 0.081 - 0.01 / 12.0;
    let our = 60.0 / 22.413_969_54 * 1000.0 * (0.2095 - exit * o) / litres;
    let own = of(&analysis, "oxygen-uptake-max");
    assert!((own.value - our).abs() < 0.01 * our, "{} against {our}", own.value);
    assert!(own.low.unwrap() < our && our < own.high.unwrap(), "{own:?} against {our}");
    // Oxygen and carbon dioxide change by the same fraction: the quotient of the balance is 1 to a hundredth.
    let rq = of(&analysis, "respiratory-quotient");
    assert!((rq.value - 1.0).abs() < 0.01 && rq.low.unwrap() <= rq.value && rq.value <= rq.high.unwrap(), "{rq:?}");
    // Without the reference of the flow the interval reaches down to what 25 °C would give.
    let mut unstated = logged();
    unstated.gas.reference = Reference::NotStated;
    let wide = analyse(&unstated);
    assert!(close(of(&wide, "oxygen-uptake-max").low.unwrap(), own.low.unwrap() * 273.15 / 298.15, 1e-9));
    // Enriched, but nobody says with what: refused.
    let mut mixed = logged();
    mixed.gas.mixed = true;
    assert!(why(&analyse(&mixed), "oxygen-uptake-max").contains("inlet"));
}

#[test]
fn censored_and_flagged_points_are_counted_and_not_used() {
    let (mut culture, _) = fed_batch();
    let clean = analyse(&culture);
    let lines = [&mut culture.biomass[0].line];
    for line in lines {
        line.points.push(Point { standing: Standing::Flagged, ..Point::good(7_000.0, 1e6) });
        line.points.push(Point { standing: Standing::Censored, ..Point::good(100.0, 0.01) });
    }
    let analysis = analyse(&culture);
    let (before, after) = (of(&clean, "growth-rate-max"), of(&analysis, "growth-rate-max"));
    assert_eq!((before.value, before.low), (after.value, after.low));
    assert!(after.method.en.contains("1 censored and 1 flagged") && after.method.ja.contains("打切り値 1 点と印付き 1 点"));
    // Substrate below detection is nearly nothing: the yield goes on through it, and says so.
    let (mut fed, _) = fed_batch();
    if let Named::Known(line) = &mut fed.substrate {
        for point in line.points.iter_mut().filter(|p| p.value < 0.2) {
            (point.standing, point.value) = (Standing::Censored, 0.2);
        }
    }
    let (through, whole) = (of(&analyse(&fed), "yield-biomass-substrate").clone(), of(&clean, "yield-biomass-substrate"));
    assert!(through.n == whole.n && close(through.value, whole.value, 0.01), "{through:?} beside {whole:?}");
    assert!(through.method.en.contains("half the limit") && through.method.ja.contains("限界の半分"), "{through:?}");
    let none = Line { points: vec![Point { standing: Standing::Censored, ..Point::good(0.0, 0.02) }], ..Line::default() };
    let blank = analyse(&Culture { overflow: vec![none], ..Culture::default() });
    assert!(why(&blank, "overflow-max").contains("censored"));
}

#[test]
fn the_order_of_input_leaves_no_trace() {
    let mut chance = Chance::new(4);
    for culture in [
        fed_batch().0,
        logged(),
        Culture { biomass: vec![mass(series(1, 0.01, 0.02)), mass(series(2, 2.0, 0.02))], ..fed_batch().0 },
    ] {
        let expected = analyse(&culture);
        let mut mixed = culture.clone();
        mixed.biomass.reverse();
        let mut lines: Vec<&mut Line> = mixed.biomass.iter_mut().map(|b| &mut b.line).collect();
        lines.extend(
            [
                &mut mixed.volume,
                &mut mixed.feed,
                &mut mixed.gas.flow,
                &mut mixed.gas.exit_oxygen,
                &mut mixed.gas.exit_co2,
                &mut mixed.ph.measured,
            ]
            .into_iter()
            .flatten(),
        );
        for named in [&mut mixed.substrate, &mut mixed.product] {
            if let Named::Known(line) = named {
                lines.push(line);
            }
        }
        lines.into_iter().for_each(|l| chance.shuffle(&mut l.points));
        let found = analyse(&mixed);
        let first = found.quantities.iter().zip(&expected.quantities).find(|(a, b)| a != b);
        assert!(found == expected, "{first:?}");
    }
}

#[test]
fn a_long_log_is_analysed_in_time() {
    // Half a million points a line: two days at three a second.
    let t: Vec<f64> = (0..500_000).map(|i| f64::from(i) / 10_800.0).collect();
    let x: Vec<f64> = t.iter().map(|t| 0.05 * (0.3 * t.min(15.0)).exp()).collect();
    let od = line("OD", "{OD600}", &t, &x);
    let culture = Culture {
        inoculated_s: Some(0.0),
        biomass: vec![Biomass { basis: Basis::OpticalDensity, line: od, g_per_l: None }],
        ..Culture::default()
    };
    let analysis = analyse(&culture);
    assert!(close(of(&analysis, "growth-rate-max").value, 0.3, 1e-3));
    assert!(analysis.growth.unwrap().t_s.len() <= 300);
}

fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -1e3..1e3,
        4 => 0.0..10.0,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 1e15, -1e15]),
    ]
}

prop_compose! {
    fn any_line()(
        points in prop::collection::vec((wild(), wild(), prop::option::of(wild()), 0u8..6), 0..60),
        holds in any::<bool>(),
        step in prop::option::of(1.0..600.0),
    ) -> Line {
        let standing = |s: u8| match s { 4 => Standing::Censored, 5 => Standing::Flagged, _ => Standing::Good };
        let points = points.into_iter().enumerate().map(|(i, (t, value, sigma, s))| Point {
            // Half of the lines have a regular clock, so that the inner steps are reached.
            t_s: step.map_or(t * 10.0, |step| i as f64 * step), value, sigma, standing: standing(s),
        }).collect();
        Line { name: Text::same("x"), unit: "g/L".into(), points, holds }
    }
}

prop_compose! {
    fn any_culture()(
        lines in prop::collection::vec(any_line(), 16),
        stated in prop::collection::vec(prop::option::of(wild()), 6),
        drawn in prop::collection::vec((wild(), wild()), 0..5),
        basis in prop::sample::select(vec![Basis::DryWeight, Basis::OpticalDensity, Basis::Backscatter]),
        seed in any::<u64>(),
    ) -> Culture {
        let l = |i: usize| lines[i].clone();
        let o = |i: usize| Some(lines[i].clone()).filter(|l| l.points.len() % 7 != 0);
        Culture {
            inoculated_s: stated[0],
            ended_s: stated[1],
            biomass: vec![Biomass { basis, line: l(0), g_per_l: stated[2] }, mass(l(1))],
            substrate: Named::Known(l(2)),
            product: Named::Known(l(3)),
            overflow: vec![l(4)],
            gas: Gas {
                flow: o(5), reference: stated[3].map_or(Reference::NotStated, Reference::Stated),
                inlet_oxygen: o(6), inlet_co2: None, exit_oxygen: o(7), exit_co2: o(8), mixed: false, our: o(9), cer: None,
            },
            volume: o(10), weight: o(11), start_l: stated[4], feed: o(12), base: o(13), acid: None,
            feed_substrate_g_per_l: stated[5], feed_density_kg_per_l: stated[3], drawn,
            ph: Loop { measured: o(14), wanted: o(15), band: 0.1 },
            temperature: Loop::default(),
            oxygen: Loop { measured: o(15), wanted: o(14), band: f64::NAN },
            seed,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_comes_in_every_code_is_answered_and_every_number_finite(culture in any_culture()) {
        let analysis = analyse(&culture);
        let mut codes: Vec<&str> = analysis.quantities.iter().map(|q| q.code.as_str()).collect();
        codes.extend(analysis.not_determined.iter().map(|n| n.code.as_str()));
        codes.sort_unstable();
        let mut all = CODES.to_vec();
        all.sort_unstable();
        prop_assert_eq!(codes, all);
        for q in &analysis.quantities {
            prop_assert!(q.value.is_finite() && q.low.is_none_or(f64::is_finite) && q.high.is_none_or(f64::is_finite), "{:?}", q);
            prop_assert!(q.low.is_none_or(|l| q.high.is_some_and(|h| l <= h)), "{:?}", q);
            prop_assert!(!q.method.ja.is_empty() && !q.method.en.is_empty() && !q.label.ja.is_empty());
        }
        for n in &analysis.not_determined {
            prop_assert!(!n.why.ja.is_empty() && n.why.ja != n.why.en);
        }
        if let Some(growth) = &analysis.growth {
            prop_assert_eq!(growth.t_s.len(), growth.rate_per_h.len());
            prop_assert!(growth.rate_per_h.iter().all(|r| r.is_finite()));
        }
        prop_assert_eq!(analyse(&culture), analysis);
    }

    #[test]
    fn constant_and_falling_signals_have_no_growth(level in 0.01..100.0f64, fall in 0.0..0.5f64) {
        let t: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.5).collect();
        let x: Vec<f64> = t.iter().map(|t| level * (-fall * t).exp()).collect();
        let analysis = analyse(&Culture { biomass: vec![mass(line("dry weight", "g/L", &t, &x))], ..Culture::default() });
        prop_assert!(why(&analysis, "growth-rate-max").contains("double"));
    }
}
