//! Cases about bytes and the lie of the table: encodings, headers, footers, cut and renamed files.

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = encodings();
    all.extend(headers());
    all.extend(ends());
    all.extend(wrong_names());
    all
}

const JA: &str = "経過時間（h）,品温（℃）,備考\n0,14.8,蔵の記録\n1,15.1,櫂入れ\n";

fn japanese(id: &'static str, what: &'static str, bytes: Vec<u8>) -> Case {
    Case::bytes(id, what, "日誌.csv", bytes)
        .time("経過時間（h）", "h")
        .says("品温（℃）", "Cel", &[("0h", "14.8"), ("1h", "15.1")])
        .says("備考", "", &[("0h", "蔵の記録"), ("1h", "櫂入れ")])
}

fn encodings() -> Vec<Case> {
    let sjis = encoding_rs::SHIFT_JIS.encode(JA).0.into_owned();
    let utf16 = |little: bool| -> Vec<u8> {
        let mut out = if little { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
        out.extend(JA.encode_utf16().flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }));
        out
    };
    let mut bom = vec![0xef, 0xbb, 0xbf];
    bom.extend(JA.as_bytes());
    let mut mixed =
        b"Time (h),pH,\xe6\xb8\xa9\xe5\xba\xa6 (\xc2\xb0C)\n0,7.0,30.1\n1,7.1,30.2\n# gemessen bei 30 \xb0C\n".to_vec();
    mixed.extend(b"2,7.2,30.3\n3,7.2,30.3\n4,7.2,30.3\n5,7.2,30.3\n");
    let latin = b"Time (h),Temp (\xb0C),note\n0,30.1,sch\xf6n\n1,30.2,tr\xfcb\n".to_vec();
    let euc = encoding_rs::EUC_JP.encode(JA).0.into_owned();
    vec![
        japanese("utf8-mark", "UTF-8 with a byte order mark", bom),
        japanese("cp932", "cp932, as Japanese Excel saves CSV", sjis),
        japanese("utf16-le", "UTF-16, little end first", utf16(true)),
        japanese("utf16-be", "UTF-16, big end first", utf16(false)),
        japanese("euc-jp", "EUC-JP, from an old Unix logger", euc).marks(&["W-TEXT-002", "N-TEXT-003"]).refusable(),
        Case::bytes("windows-1252", "windows-1252 without any sign of it", "latin.csv", latin)
            .says("Temp (°C)", "Cel", &[("0h", "30.1"), ("1h", "30.2")])
            .says("note", "", &[("0h", "schön"), ("1h", "trüb")]),
        Case::bytes("two-encodings", "UTF-8 with one line of windows-1252 appended by another program", "mixed.csv", mixed)
            .says("pH", "[pH]", &[("0h", "7.0"), ("1h", "7.1"), ("2h", "7.2"), ("3h", "7.2"), ("4h", "7.2"), ("5h", "7.2")])
            .says(
                "温度 (°C)",
                "Cel",
                &[("0h", "30.1"), ("1h", "30.2"), ("2h", "30.3"), ("3h", "30.3"), ("4h", "30.3"), ("5h", "30.3")],
            )
            .must_warn(&["W-TEXT-001"]),
        Case::text("half-width-kana", "half-width kana, as old terminals send it (cp932)", "kana.csv", "")
            .with_bytes(encoding_rs::SHIFT_JIS.encode("Time (h),pH,ﾋﾝｵﾝ\n0,7.0,14.8\n1,7.1,15.1\n").0.into_owned())
            .says("pH", "[pH]", &[("0h", "7.0"), ("1h", "7.1")])
            .says("ﾋﾝｵﾝ", "", &[("0h", "14.8"), ("1h", "15.1")])
            .marks(&["W-TEXT-002"]),
        Case::bytes(
            "nul-bytes",
            "a block of NUL bytes where the disk lost power",
            "nul.csv",
            b"Time (h),pH\n0,7.01\n1,7.02\n\0\0\0\0\0\0\0\0\0\0\0\0\n3,7.04\n4,7.\x0005\n5,7.06\n6,7.07\n".to_vec(),
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("3h", "7.04"), ("5h", "7.06"), ("6h", "7.07")])
        .says("pH", "[pH]", &[("4h", "7.\u{0}05 =>")])
        .refusable(),
    ]
}

fn headers() -> Vec<Case> {
    vec![
        Case::text(
            "headers-twice",
            "two columns of the same name",
            "twice.csv",
            "Time (h),pH,pH,DO (%)\n0,7.01,6.99,99\n1,7.02,6.98,98\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("0h", "6.99"), ("1h", "7.02"), ("1h", "6.98")])
        .says("DO (%)", "%", &[("0h", "99"), ("1h", "98")]),
        Case::text("header-empty", "a column of numbers without a name", "nameless.csv", "Time (h),pH,\n0,7.01,12\n1,7.02,13\n")
            .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02")])
            .says("", "", &[("0h", "12"), ("1h", "13")]),
        Case::text(
            "lines-above",
            "a letterhead with a batch, a strain and a remark above the table",
            "head.csv",
            "Batch: B-17\nStrain,K701\nHand-written\n\nTime (h),pH\n0,7.01\n1,7.02\n",
        )
        .skip(4)
        .says_of("pH", "[pH]", &[("B-17", "0h", "7.01"), ("B-17", "1h", "7.02")])
        .says("Strain", "", &[("", "K701")])
        .says("", "", &[("", "Hand-written")]),
        Case::text(
            "line-breaks-in-quotes",
            "a header and a remark that run over two lines",
            "breaks.csv",
            "\"Time\n(h)\",pH,\"Comment\"\n0,7.01,\"sampled,\nthen fed\"\n1,7.02,\"said \"\"ok\"\"\"\n",
        )
        .time("Time\n(h)", "h")
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02")])
        .says("Comment", "", &[("0h", "sampled,\nthen fed"), ("1h", "said \"ok\"")]),
        Case::text(
            "quote-never-closed",
            "a quotation mark that is never closed",
            "open-quote.csv",
            "Time (h),pH,Comment\n0,7.01,\"fed\n1,7.02,ok\n2,7.03,ok\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7.03")])
        .refusable(),
        Case::text("old-mac-line-ends", "carriage returns alone", "mac.csv", "Time (h),pH\r0,7.01\r1,7.02\r")
            .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02")])
            .refusable(),
        Case::text(
            "second-table-below",
            "a second table below the first, with its columns in another order",
            "stacked.csv",
            "Time (h),pH,DO (%)\n0,7.01,99\n1,7.02,98\n\nTime (h),DO (%),pH\n0,97,6.91\n1,96,6.92\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("0h", "6.91"), ("1h", "6.92")])
        .says("DO (%)", "%", &[("0h", "99"), ("1h", "98"), ("0h", "97"), ("1h", "96")])
        .marks(&["W-TABLE-036"])
        .refusable(),
        Case::text(
            "comment-lines",
            "remarks with a number sign between the rows",
            "remarks.csv",
            "Time (h),pH\n0,7.01\n# electrode cleaned\n1,7.02\n2,7.03\n3,7.04\n4,7.05\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7.03"), ("3h", "7.04"), ("4h", "7.05")])
        .says("", "", &[("", "# electrode cleaned")]),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        Case::text(
            "footer",
            "sums and a signature below the table",
            "footer.csv",
            "Time (h),pH,DO (%)\n0,7.01,99\n1,7.03,97\n2,7.01,99\n3,7.03,97\n4,7.01,99\n5,7.03,97\n6,7.01,99\n7,7.03,97\nMean,7.02,98\nExported by the control room,,\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.03"), ("2h", "7.01"), ("3h", "7.03"), ("4h", "7.01"), ("5h", "7.03"), ("6h", "7.01"), ("7h", "7.03")])
        .says("DO (%)", "%", &[("0h", "99"), ("1h", "97"), ("2h", "99"), ("3h", "97"), ("4h", "99"), ("5h", "97"), ("6h", "99"), ("7h", "97")])
        .says("", "", &[("", "Mean"), ("", "Exported by the control room")]),
        Case::text(
            "half-written",
            "the file ends in the middle of a row",
            "cut.csv",
            "Time (h),pH,DO (%)\n0,7.01,99.5\n1,7.02,98.25\n2,7.0",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7.0 =>")])
        .says("DO (%)", "%", &[("0h", "99.5"), ("1h", "98.25")])
        .must_warn(&["W-TABLE-035"])
        .refusable(),
        Case::text(
            "half-written-number",
            "the file ends in the middle of the last number",
            "cut-number.csv",
            "Time (h),pH\r\n0,7.01\r\n1,7.02\r\n2,7.",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7. => 7")])
        .must_warn(&["N-TABLE-035", "W-TABLE-035"])
        .refusable(),
        Case::text("nothing-but-a-header", "a header without rows", "empty.csv", "Time (h),pH,DO (%)\n").must_refuse(),
        Case::text("empty", "a file of no bytes", "nothing.csv", "").must_refuse(),
    ]
}

fn wrong_names() -> Vec<Case> {
    vec![
        Case::text(
            "named-xls",
            "a text file named .xls, as many instruments write",
            "export.xls",
            "Time (h)\tpH\n0\t7.01\n1\t7.02\n",
        )
        .separator("\t")
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02")]),
        Case::text(
            "page-named-xls",
            "a web page named .xls",
            "page.xls",
            "<html><body><table><tr><td>Time (h)</td><td>pH</td></tr><tr><td>0</td><td>7.01</td></tr></table></body></html>\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01")])
        .refusable(),
        Case::text(
            "licence",
            "a licence text, which is no data at all",
            "LICENSE.txt",
            "Permission is hereby granted, free of charge, to any person obtaining a copy,\nof this software, to use it, copy it, and so on, 2024.\n",
        )
        .must_refuse(),
    ]
}
