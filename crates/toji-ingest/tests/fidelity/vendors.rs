//! Cases in the shapes of makers' files; all values are ours.

use crate::case::Case;

const FLEX2: &str = "Date & Time,Sample ID,Sample Type,Gln,Glu,Gluc,Lac,NH4+,Na+,K+,Ca++,pH,PO2,PCO2,Osm,Vessel ID,Batch ID,Sample Time,Chemistry Dilution Ratio,Operator,Cell Type,Cell Density Dilution\n6/13/2024 10:00:00 AM,SIM-1,Cell Culture,2.5,1.1,3.21,0.4,1.2,130,5.1,1.01,7.021,120.5,38.2,301,V1,simulated,6/13/2024 9:55:00 AM,1:1,simulated,CHO,1\n6/13/2024 2:00:00 PM,SIM-2,Cell Culture,< 0.2,1.2,0.09,,1.3,131,5.2,1.02,6.9,118.0,39.0,305,V1,simulated,6/13/2024 1:55:00 PM,1:1,simulated,CHO,1\n";

/// A short BioLector Pro file as the viewing program of the maker saves it again.
const EDITED: &str = "=====parameters=====\n[FILE NAME];simulated_edited.csv\nFILE NAME;simulated\nUSER;simulated\nDATE;2024-05-06 10:00\nWELL No.;CONTENT;FILTERSET;CHANNEL;0;600\nA01;X1;1;Biomass Gain=3;10.1;10.2\n";

/// A simulated DASware export, and the first temperatures of its first vessel as they stand in the text.
fn dasware(id: &'static str, what: &'static str, file: &'static str, share: f64) -> Case {
    let all = toji_ingest::generate::demo_files(7);
    let (_, whole) = all.into_iter().find(|(name, _)| name.ends_with(".dasware.csv")).unwrap();
    let bytes = whole[..(whole.len() as f64 * share) as usize].to_vec();
    let text: String = bytes.iter().map(|b| char::from(*b)).collect();
    let mut lines = text.lines().skip_while(|l| !l.starts_with("\"[TrackData1]\"")).skip(1);
    let header: Vec<&str> = lines.next().unwrap().split(';').map(|c| c.trim_matches('"')).collect();
    let column = header.iter().position(|h| h.contains(".T1.PV")).unwrap();
    // The row of the start-up is flagged, and others say nothing where nothing changed.
    let cells = lines.skip(1).map(|l| l.split(';').nth(column).unwrap_or("").trim().trim_matches('"').to_owned());
    let says: Vec<String> = cells.filter(|c| !c.is_empty()).take(6).collect();
    let rows: Vec<(&str, &str)> = says.iter().map(|s| ("", s.as_str())).collect();
    Case::bytes(id, what, file, bytes).vendor("dasware").separator(";").says("Unit 1.T1.PV", "Cel", &rows).rest_allowed()
}

pub(crate) fn cases() -> Vec<Case> {
    let cut = &FLEX2[..FLEX2.len() - 60];
    let flex = |id, what, file, text: &str| Case::text(id, what, file, text).vendor("nova-flex2");
    let gluc = |case: Case| case.says_of("Gluc", "g/L", &[("SIM-1", "", "3.21"), ("SIM-2", "", "0.09")]);
    let ph = |case: Case| case.says_of("pH", "[pH]", &[("SIM-1", "", "7.021"), ("SIM-2", "", "6.9")]);
    vec![
        ph(gluc(flex("analyser-renamed", "an analyser's file that somebody gave another name", "monday.csv", FLEX2)))
            .says_of("Gln", "mmol/L", &[("SIM-1", "", "2.5"), ("SIM-2", "", "< 0.2")])
            .rest_allowed(),
        ph(gluc(flex(
            "analyser-own-name",
            "the same under the instrument's own name",
            "SampleResults2024-06-13_100000.csv",
            FLEX2,
        )))
        .says_of("Gln", "mmol/L", &[("SIM-1", "", "2.5"), ("SIM-2", "", "< 0.2")])
        .rest_allowed(),
        flex("analyser-half-written", "an analyser's file whose last row is cut off", "SampleResults2024-06-13_100000.csv", cut)
            .says_of("Gluc", "g/L", &[("SIM-1", "", "3.21"), ("SIM-2", "", "0.09")])
            .rest_allowed()
            .refusable(),
        Case::text(
            "vendor-edited",
            "a BioLector file saved again by the maker's viewing program: values are not as measured",
            "edited.csv",
            EDITED,
        )
        .vendor("biolector")
        .separator(";")
        .must_refuse(),
        dasware("controller-renamed", "a controller's export that somebody gave another name", "run.txt", 1.0),
        dasware("controller-half-written", "a controller's export cut off while it was copied", "export.csv", 0.4),
    ]
}
