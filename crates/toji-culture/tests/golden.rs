//! Golden: the ranking beside another program's, which is kept with its version and the script that made it.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use serde_json::Value as Json;
use toji_culture::rank::{Group, Measured, rank};

fn numbers(of: &Json) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn group(name: String, control: bool, values: &Json) -> Group {
    Group { name, control, measured: numbers(values).into_iter().map(|value| Measured { value, edge: None }).collect() }
}

/// scipy's p come from randomised integration: good to 1e-3. Its intervals invert them, good to a hundredth of the
/// standard error.
#[test]
fn dunnett_as_scipy_has_it() {
    let golden: Json = serde_json::from_str(include_str!("golden/dunnett.json")).unwrap();
    assert_eq!(golden["scipy"], "1.17.1");
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        let mut groups = vec![group("control".into(), true, &case["control"])];
        for (i, values) in case["groups"].as_array().unwrap().iter().enumerate() {
            groups.push(group(format!("{i}"), false, values));
        }
        let ranking = rank(&groups, false, 0.95).unwrap();
        let (statistic, p) = (numbers(&case["statistic"]), numbers(&case["p"]));
        let (low, high) = (numbers(&case["low"]), numbers(&case["high"]));
        for i in 0..p.len() {
            let own = ranking.conditions.iter().find(|c| c.name == i.to_string()).unwrap();
            let (difference, name) = (own.difference.unwrap(), &case["name"]);
            let error = difference / statistic[i];
            assert!((own.p.unwrap() - p[i]).abs() < 1e-3, "{name} {i}: p {:?} beside {}", own.p, p[i]);
            let near = |found: Option<f64>, wanted: f64| ((found.unwrap() - wanted) / error).abs() < 0.02;
            assert!(near(own.difference_low, low[i]), "{name} {i}: {:?} beside {}", own.difference_low, low[i]);
            assert!(near(own.difference_high, high[i]), "{name} {i}: {:?} beside {}", own.difference_high, high[i]);
            // The standard error itself is exact: analysis of variance.
            let (n, n0) = (groups[i + 1].measured.len() as f64, groups[0].measured.len() as f64);
            assert!((error.abs() / (ranking.pooled_sd.unwrap() * (1.0 / n + 1.0 / n0).sqrt()) - 1.0).abs() < 1e-9, "{name} {i}");
            compared += 1;
        }
    }
    assert_eq!(compared, 20);
}
