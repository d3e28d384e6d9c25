//! Cases about workbooks.

use crate::case::Case;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Note, Workbook, Worksheet};
use std::io::{Cursor, Read as _, Write as _};

fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet());
    book.save_to_buffer().unwrap()
}

fn rows(sheet: &mut Worksheet, header: &[&str], rows: &[&[f64]]) {
    for (column, name) in (0..).zip(header) {
        sheet.write(0, column, *name).unwrap();
    }
    for (row, values) in (1..).zip(rows) {
        for (column, value) in (0..).zip(*values) {
            sheet.write(row, column, *value).unwrap();
        }
    }
}

/// A workbook with a part of it rewritten.
fn rewritten(bytes: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        if name == part {
            content = change(String::from_utf8(content).unwrap()).into_bytes();
        }
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(&content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = hidden();
    all.extend(cells());
    all.extend(dates());
    all.extend(damaged());
    all
}

fn plain_rows(sheet: &mut Worksheet) {
    rows(sheet, &["Time (h)", "pH", "DO (%)"], &[&[0.0, 7.01, 99.0], &[1.0, 7.02, 98.0], &[2.0, 7.03, 97.0], &[3.0, 7.04, 96.0]]);
}

fn plain_truth(case: Case) -> Case {
    case.says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7.03"), ("3h", "7.04")]).says(
        "DO (%)",
        "%",
        &[("0h", "99"), ("1h", "98"), ("2h", "97"), ("3h", "96")],
    )
}

fn hidden() -> Vec<Case> {
    let hidden_rows = book(|sheet| {
        plain_rows(sheet);
        sheet.set_row_hidden(2).unwrap();
        sheet.set_row_hidden(3).unwrap();
    });
    let hidden_column = book(|sheet| {
        plain_rows(sheet);
        sheet.set_column_hidden(2).unwrap();
    });
    let hidden_sheet = {
        let mut book = Workbook::new();
        plain_rows(book.add_worksheet());
        let other = book.add_worksheet();
        other.set_name("raw").unwrap();
        rows(other, &["Time (h)", "OD600"], &[&[0.0, 0.1], &[1.0, 0.2]]);
        other.set_hidden(true);
        book.save_to_buffer().unwrap()
    };
    let remark = book(|sheet| {
        plain_rows(sheet);
        sheet.insert_note(2, 1, &Note::new("electrode fouled, value not to be used")).unwrap();
    });
    vec![
        plain_truth(Case::bytes("hidden-rows", "two rows hidden in the spreadsheet", "hidden.xlsx", hidden_rows))
            .must_warn(&["W-XLS-010"]),
        plain_truth(Case::bytes("hidden-column", "a column hidden in the spreadsheet", "hidden-column.xlsx", hidden_column))
            .must_warn(&["W-XLS-010"]),
        plain_truth(Case::bytes("hidden-sheet", "a hidden sheet with other values", "hidden-sheet.xlsx", hidden_sheet)).says(
            "OD600",
            "{OD600}",
            &[("", "raw =>")],
        ),
        plain_truth(Case::bytes(
            "remark-on-a-cell",
            "a remark on a cell says that its value must not be used",
            "remark.xlsx",
            remark,
        ))
        .says("", "", &[("", "electrode fouled, value not to be used")]),
    ]
}

fn cells() -> Vec<Case> {
    let formulas = rewritten(
        &book(|sheet| {
            rows(sheet, &["Time (h)", "pH", "OD600"], &[&[0.0, 7.0], &[1.0, 7.1], &[2.0, 7.2]]);
            sheet.write_formula(1, 2, Formula::new("=0.05*2").set_result("0.1")).unwrap();
            sheet.write_formula(2, 2, Formula::new("=C2*2").set_result("77")).unwrap();
            sheet.write_formula(3, 2, Formula::new("=C3*2").set_result("0.4")).unwrap();
        }),
        "xl/worksheets/sheet1.xml",
        |xml| xml.replace("<v>77</v>", ""),
    );
    let errors = book(|sheet| {
        plain_rows(sheet);
        sheet.write_formula(2, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        sheet.write_formula(3, 2, Formula::new("=NA()").set_result("#N/A")).unwrap();
        sheet.write(4, 2, true).unwrap();
    });
    let text_numbers = book(|sheet| {
        rows(sheet, &["Time (h)", "pH"], &[&[0.0], &[1.0], &[2.0]]);
        for (row, text) in (1..).zip(["7.01", "7,02", " 7.03 "]) {
            sheet.write_string(row, 1, text).unwrap();
        }
    });
    let percent = book(|sheet| {
        rows(sheet, &["Time (h)", "pH", "DO (%)"], &[&[0.0, 7.0], &[1.0, 7.1], &[2.0, 7.2]]);
        let shown = Format::new().set_num_format("0.0%");
        for (row, value) in (1..).zip([0.995, 0.5, 0.25]) {
            sheet.write_number_with_format(row, 2, value, &shown).unwrap();
        }
    });
    let merged = book(|sheet| {
        let format = Format::new();
        for (column, name) in (0..).zip(["Fermenter", "Time (h)", "OD600"]) {
            sheet.write(0, column, name).unwrap();
        }
        sheet.merge_range(1, 0, 2, 0, "F1", &format).unwrap();
        sheet.merge_range(3, 0, 4, 0, "F3", &format).unwrap();
        for (row, (t, od)) in (1..).zip([(0.0, 0.1), (2.0, 0.5), (0.0, 0.2), (2.0, 0.6)]) {
            sheet.write(row, 1, t).unwrap();
            sheet.write(row, 2, od).unwrap();
        }
    });
    let far_cell = book(|sheet| {
        plain_rows(sheet);
        sheet.write(2, 9, "taken by the night shift").unwrap();
    });
    vec![
        Case::bytes("formula-never-calculated", "a formula that a program wrote and nobody calculated", "formula.xlsx", formulas)
            .says("pH", "[pH]", &[("0h", "7"), ("1h", "7.1"), ("2h", "7.2")])
            .says("OD600", "{OD600}", &[("0h", "0.1"), ("1h", "=C2*2 =>"), ("2h", "0.4")])
            .refusable(),
        Case::bytes("error-cells", "#DIV/0!, #N/A and TRUE among numbers", "errors.xlsx", errors)
            .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "#DIV/0!"), ("2h", "7.03"), ("3h", "7.04")])
            .says("DO (%)", "%", &[("0h", "99"), ("1h", "98"), ("2h", "#N/A"), ("3h", "true")])
            .refusable(),
        Case::bytes("numbers-as-text", "numbers stored as text, one with a comma", "text.xlsx", text_numbers).says(
            "pH",
            "[pH]",
            &[("0h", "7.01"), ("1h", "7,02 => 7.02"), ("2h", "7.03")],
        ),
        Case::bytes("percent-format", "50 % stored as 0.5 and shown as percent", "percent.xlsx", percent)
            .says("pH", "[pH]", &[("0h", "7"), ("1h", "7.1"), ("2h", "7.2")])
            .says("DO (%)", "%", &[("0h", "99.5"), ("1h", "50"), ("2h", "25")])
            .refusable(),
        Case::bytes("merged-cells", "run names in merged cells", "merged.xlsx", merged)
            .id_column("Fermenter")
            .says_of("OD600", "{OD600}", &[("F1", "0h", "0.1"), ("F1", "2h", "0.5"), ("F3", "0h", "0.2"), ("F3", "2h", "0.6")])
            .must_warn(&["N-TABLE-032"]),
        plain_truth(Case::bytes("cell-outside", "a remark in a cell to the right of the table", "outside.xlsx", far_cell)).says(
            "",
            "",
            &[("", "taken by the night shift")],
        ),
    ]
}

fn dates() -> Vec<Case> {
    let stamp = |text: &str| ExcelDateTime::parse_from_str(text).unwrap();
    let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    let dated = |format: &Format| {
        book(|sheet| {
            rows(sheet, &["timestamp", "pH"], &[]);
            for (row, (at, ph)) in
                (1..).zip([("2024-05-06 10:20:00", 7.0), ("2024-05-06 23:59:59", 7.1), ("2024-05-07 00:00:01", 7.2)])
            {
                sheet.write_datetime_with_format(row, 0, stamp(at), format).unwrap();
                sheet.write(row, 1, ph).unwrap();
            }
        })
    };
    let truth = |case: Case| {
        case.time("timestamp", "clock").says(
            "pH",
            "[pH]",
            &[("2024-05-06T10:20:00Z", "7"), ("2024-05-06T23:59:59Z", "7.1"), ("2024-05-07T00:00:01Z", "7.2")],
        )
    };
    // The other calendar counts from 1904: the same days have numbers smaller by 1462.
    let mac = rewritten(&dated(&format), "xl/workbook.xml", |xml| xml.replace("<workbookPr", "<workbookPr date1904=\"1\""));
    let mac = rewritten(&mac, "xl/worksheets/sheet1.xml", |xml| {
        xml.split("<v>")
            .enumerate()
            .map(|(i, piece)| {
                let Some((value, rest)) = piece.split_once("</v>").filter(|_| i > 0) else { return piece.to_owned() };
                let number: f64 = value.parse().unwrap();
                let number = if number > 40_000.0 { number - 1462.0 } else { number };
                format!("<v>{number}</v>{rest}")
            })
            .collect()
    });
    let serial = book(|sheet| rows(sheet, &["Date", "pH"], &[&[45_418.430_555_555_555, 7.0], &[45_418.5, 7.1]]));
    let name_dates = book(|sheet| {
        for (column, name) in (0..).zip(["Sample ID", "Time (h)", "OD600"]) {
            sheet.write(0, column, name).unwrap();
        }
        sheet.write(1, 0, "S1").unwrap();
        sheet.write_datetime_with_format(2, 0, stamp("2024-03-01"), &Format::new().set_num_format("d-mmm")).unwrap();
        sheet.write(3, 0, "S3").unwrap();
        for row in 1..4u32 {
            sheet.write(row, 1, f64::from(row - 1)).unwrap();
            sheet.write(row, 2, f64::from(row) / 10.0).unwrap();
        }
    });
    let value_dates = book(|sheet| {
        rows(
            sheet,
            &["Time (h)", "pH", "OD600"],
            &[&[0.0, 7.0, 0.1], &[1.0, 7.1], &[2.0, 7.2, 0.3], &[3.0, 7.3, 0.4], &[4.0, 7.4, 0.5], &[5.0, 7.5, 0.6]],
        );
        sheet.write_datetime_with_format(2, 2, stamp("2024-02-01"), &Format::new().set_num_format("d/m")).unwrap();
    });
    let mixed = book(|sheet| {
        rows(sheet, &["timestamp", "pH"], &[]);
        sheet.write_datetime_with_format(1, 0, stamp("2024-05-06 10:00:00"), &format).unwrap();
        sheet.write_string(2, 0, "2024-05-06 11:00").unwrap();
        sheet.write_string(3, 0, "13/5/2024 12:00").unwrap();
        for (row, ph) in (1..).zip([7.0, 7.1, 7.2]) {
            sheet.write(row, 1, ph).unwrap();
        }
    });
    vec![
        truth(Case::bytes("dates-1900", "dates as numbers of the 1900 calendar", "dates.xlsx", dated(&format))),
        truth(Case::bytes("dates-1904", "dates as numbers of the 1904 calendar", "mac.xlsx", mac)),
        Case::bytes("serials-without-format", "dates as bare numbers: 45418.43", "serial.xlsx", serial)
            .time("Date", "h")
            .says("pH", "[pH]", &[("2024-05-06T10:20:00Z", "7"), ("2024-05-06T12:00:00Z", "7.1")])
            .must_warn(&["W-TABLE-003"])
            .refusable(),
        Case::bytes(
            "identifier-made-a-date",
            "a sample name that the spreadsheet has turned into a date",
            "genes.xlsx",
            name_dates,
        )
        .id_column("Sample ID")
        .says_of("OD600", "{OD600}", &[("S1", "0h", "0.1"), ("MARCH1", "1h", "0.2"), ("S3", "2h", "0.3")])
        .must_warn(&["W-TABLE-037"])
        .refusable(),
        Case::bytes("value-made-a-date", "1/2 that the spreadsheet has turned into a date", "half.xlsx", value_dates)
            .says("pH", "[pH]", &[("0h", "7"), ("1h", "7.1"), ("2h", "7.2"), ("3h", "7.3"), ("4h", "7.4"), ("5h", "7.5")])
            .says(
                "OD600",
                "{OD600}",
                &[("0h", "0.1"), ("1h", "2024-02-01 =>"), ("2h", "0.3"), ("3h", "0.4"), ("4h", "0.5"), ("5h", "0.6")],
            ),
        Case::bytes("dates-and-texts", "real dates and dates as text in one column", "mixed.xlsx", mixed)
            .time("timestamp", "clock")
            .says(
                "pH",
                "[pH]",
                &[("2024-05-06T10:00:00Z", "7"), ("2024-05-06T11:00:00Z", "7.1"), ("2024-05-13T12:00:00Z", "7.2")],
            ),
    ]
}

fn damaged() -> Vec<Case> {
    let whole = book(plain_rows);
    let cut = whole[..whole.len() * 2 / 3].to_vec();
    vec![
        Case::bytes("workbook-cut-off", "a workbook cut off while it was copied", "cut.xlsx", cut).must_refuse(),
        plain_truth(Case::bytes("workbook-named-csv", "a workbook named .csv", "export.csv", whole)),
    ]
}
