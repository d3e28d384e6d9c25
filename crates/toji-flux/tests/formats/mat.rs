//! Models of the COBRA Toolbox. The files were written by SciPy 1.17.1 (`scipy.io.savemat`), packed and not.

use proptest::prelude::*;
use toji_flux::io::{any, mat, sbml};
use toji_flux::model::Sense;

const PACKED: &[u8] = include_bytes!("../golden/toy_packed.mat");
const PLAIN: &[u8] = include_bytes!("../golden/toy_plain.mat");

#[test]
fn a_model_is_read_from_packed_and_plain_files() {
    for bytes in [PACKED, PLAIN] {
        let reading = mat::read(bytes).unwrap();
        let model = &reading.model;
        assert_eq!(model.id, "toy");
        let metabolites: Vec<_> = model.metabolites.iter().map(|m| (m.id.as_str(), m.compartment.as_deref(), m.charge)).collect();
        assert_eq!(metabolites, [("a[c]", Some("c"), Some(-1.0)), ("b[c]", Some("c"), Some(0.0)), ("c_é[e]", Some("e"), None)]);
        assert_eq!((model.metabolites[0].formula.as_deref(), model.metabolites[1].name.as_deref()), (Some("CHO2"), None));
        let [r1, r2, exchange] = model.reactions.as_slice() else { panic!() };
        assert_eq!((r1.id.as_str(), r1.name.as_deref(), r1.subsystem.as_deref()), ("r1", Some("one"), Some("Glycolysis")));
        assert_eq!((r1.lower, r1.upper, &r1.stoichiometry[..]), (0.0, 1000.0, &[(0, -1.0), (1, 2.0)][..]));
        assert_eq!(r2.stoichiometry, [(1, -1.5), (2, 0.25)]);
        assert_eq!((exchange.lower, exchange.upper), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(r1.gpr.as_ref().unwrap().text(&|g| model.genes[g].id.clone()), "g1 and g2");
        assert!(r2.gpr.is_none());
        let objective = model.active_objective().unwrap();
        assert_eq!((objective.sense, &objective.terms[..]), (Sense::Maximize, &[(1, 1.0)][..]));
        let lost: Vec<_> = reading.findings.iter().map(|f| f.message.en.as_str()).collect();
        assert_eq!(lost, ["not kept: field rxnConfidenceScores"]);
        assert!(any::read(bytes, &sbml::Options::default()).unwrap().model == *model);
    }
}

#[test]
fn what_is_cut_off_or_no_model_is_refused() {
    assert_eq!(mat::read(&PLAIN[..2000]).unwrap_err().code(), "E-GEM-001");
    assert_eq!(mat::read(&PACKED[..600]).unwrap_err().code(), "E-GEM-001");
    assert_eq!(mat::read(&PLAIN[..128]).unwrap_err().code(), "E-GEM-001");
    let renamed = PLAIN.to_vec();
    let at = renamed.windows(4).position(|w| w == b"rxns").unwrap();
    let renamed = [&renamed[..at], b"rxnz", &renamed[at + 4..]].concat();
    assert_eq!(mat::read(&renamed).unwrap_err().code(), "E-GEM-001");
}

proptest! {
    #[test]
    fn no_bytes_panic(at in 128_usize..3100, put in prop::collection::vec(any::<u8>(), 1..9), whole in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = PLAIN.to_vec();
        for (slot, byte) in bytes.iter_mut().skip(at).zip(put) {
            *slot = byte;
        }
        let _ = mat::read(&bytes);
        let _ = mat::read(&[&PLAIN[..128], &whole[..]].concat());
    }
}
