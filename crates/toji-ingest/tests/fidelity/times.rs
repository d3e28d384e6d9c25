//! Cases about clocks, dates and the order of rows.

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = dates();
    all.extend(clocks());
    all.extend(order());
    all
}

fn dates() -> Vec<Case> {
    vec![
        Case::text(
            "us-dates",
            "month first, told by one day above 12",
            "us.csv",
            "timestamp,pH\n5/6/2024 10:00,7.0\n6/13/2024 10:00,7.1\n",
        )
        .time("timestamp", "clock")
        .says("pH", "[pH]", &[("2024-05-06T10:00:00Z", "7.0"), ("2024-06-13T10:00:00Z", "7.1")]),
        Case::text(
            "eu-dates",
            "day first, told by one day above 12 at the end",
            "eu-dates.csv",
            "timestamp,pH\n5/6/2024 10:00,7.0\n6/6/2024 10:00,7.1\n13/6/2024 10:00,7.2\n",
        )
        .time("timestamp", "clock")
        .says(
            "pH",
            "[pH]",
            &[("2024-06-05T10:00:00Z", "7.0"), ("2024-06-06T10:00:00Z", "7.1"), ("2024-06-13T10:00:00Z", "7.2")],
        ),
        Case::text(
            "dates-that-nothing-decides",
            "5/6/2024: nothing in the file tells the day from the month",
            "open.csv",
            "timestamp,pH\n5/6/2024 10:00,7.0\n5/6/2024 11:00,7.1\n",
        )
        .time("timestamp", "clock")
        .says("pH", "[pH]", &[("2024-06-05T10:00:00Z", "7.0"), ("2024-06-05T11:00:00Z", "7.1")])
        .must_warn(&["W-CLOCK-001"])
        .refusable(),
        Case::text(
            "dates-of-both-orders",
            "US and European dates mixed in one column",
            "both.csv",
            "timestamp,pH\n13/6/2024 10:00,7.0\n6/14/2024 10:00,7.1\n7/8/2024 10:00,7.2\n",
        )
        .time("timestamp", "clock")
        .says(
            "pH",
            "[pH]",
            &[("2024-06-13T10:00:00Z", "7.0"), ("2024-06-14T10:00:00Z", "7.1"), ("2024-08-07T10:00:00Z", "7.2")],
        )
        .must_warn(&["W-CLOCK-002"])
        .refusable(),
        Case::text(
            "two-digit-years",
            "24/05/06: the 6th of May 2024 or the 24th of May 2006",
            "short.csv",
            "timestamp,pH\n24/05/06 10:00,7.0\n24/05/07 10:00,7.1\n",
        )
        .time("timestamp", "clock")
        .says("pH", "[pH]", &[("2024-05-06T10:00:00Z", "7.0"), ("2024-05-07T10:00:00Z", "7.1")])
        .must_warn(&["W-CLOCK-001", "W-CLOCK-003"])
        .refusable(),
        Case::text(
            "era-dates",
            "dates of Japanese eras, the first year written 元年",
            "和暦.csv",
            "日付,時刻,品温（℃）\n令和元年12月31日,8:00,14.8\nR2.1.1,8:00,14.9\n令和2年1月2日,午後3時,15.0\n",
        )
        .time("日付", "clock")
        .zone("Asia/Tokyo")
        .says(
            "品温（℃）",
            "Cel",
            &[("2019-12-30T23:00:00Z", "14.8"), ("2019-12-31T23:00:00Z", "14.9"), ("2020-01-02T06:00:00Z", "15.0")],
        ),
        Case::text(
            "month-names-and-noon",
            "months by name, 12 AM and 12 PM",
            "names.csv",
            "timestamp,pH\n06-May-2024 12:30 AM,7.0\n06-May-2024 12:30 PM,7.1\n",
        )
        .time("timestamp", "clock")
        .says("pH", "[pH]", &[("2024-05-06T00:30:00Z", "7.0"), ("2024-05-06T12:30:00Z", "7.1")]),
        Case::text(
            "dates-that-are-none",
            "the 30th of February and 24:00",
            "none.csv",
            "timestamp,pH\n2024-02-29 10:00,7.0\n2024-02-30 10:00,7.1\n2024-03-01 24:00,7.2\n2024-03-02 10:00,7.3\n2024-03-02 11:00,7.4\n2024-03-02 12:00,7.5\n2024-03-02 13:00,7.6\n2024-03-02 14:00,7.7\n2024-03-02 15:00,7.8\n2024-03-02 16:00,7.9\n",
        )
        .time("timestamp", "clock")
        .says(
            "pH",
            "[pH]",
            &[
                ("2024-02-29T10:00:00Z", "7.0"),
                ("2024-03-02T10:00:00Z", "7.3"),
                ("2024-03-02T11:00:00Z", "7.4"),
                ("2024-03-02T12:00:00Z", "7.5"),
                ("2024-03-02T13:00:00Z", "7.6"),
                ("2024-03-02T14:00:00Z", "7.7"),
                ("2024-03-02T15:00:00Z", "7.8"),
                ("2024-03-02T16:00:00Z", "7.9"),
            ],
        )
        .says("pH", "[pH]", &[("2024-03-02T00:00:00Z", "7.2")])
        .says("pH", "[pH]", &[("", "7.1 =>")])
        .refusable(),
    ]
}

fn clocks() -> Vec<Case> {
    vec![
        Case::text(
            "summer-time-ends",
            "the hour that the end of summer time passes twice",
            "dst-end.csv",
            "Time (Europe/Berlin),pH\n2024-10-27 01:30,7.0\n2024-10-27 02:30,7.1\n2024-10-27 02:30,7.2\n2024-10-27 03:30,7.3\n",
        )
        .time("Time (Europe/Berlin)", "clock")
        .zone("Europe/Berlin")
        .says(
            "pH",
            "[pH]",
            &[
                ("2024-10-26T23:30:00Z", "7.0"),
                ("2024-10-27T00:30:00Z", "7.1"),
                ("2024-10-27T01:30:00Z", "7.2"),
                ("2024-10-27T02:30:00Z", "7.3"),
            ],
        )
        .must_warn(&["W-CLOCK-003"]),
        Case::text(
            "summer-time-begins",
            "an hour that never was",
            "dst-begin.csv",
            "Time (Europe/Berlin),pH\n2024-03-31 01:30,7.0\n2024-03-31 02:30,7.1\n2024-03-31 03:30,7.2\n",
        )
        .time("Time (Europe/Berlin)", "clock")
        .zone("Europe/Berlin")
        .says("pH", "[pH]", &[("2024-03-31T00:30:00Z", "7.0"), ("", "7.1"), ("2024-03-31T01:30:00Z", "7.2")])
        .must_warn(&["W-CLOCK-003"]),
        Case::text(
            "offsets-in-the-cells",
            "two clocks: some cells with an offset, some in UTC",
            "offsets.csv",
            "timestamp,pH\n2024-05-06T10:00:00+09:00,7.0\n2024-05-06T02:00:00Z,7.1\n",
        )
        .time("timestamp", "clock")
        .says("pH", "[pH]", &[("2024-05-06T01:00:00Z", "7.0"), ("2024-05-06T02:00:00Z", "7.1")]),
        Case::text(
            "zone-of-the-site",
            "a clock without zone in a plant nine hours east of UTC",
            "tokyo.csv",
            "timestamp,pH\n2024-05-06 00:30,7.0\n2024-05-06 01:30,7.1\n",
        )
        .time("timestamp", "clock")
        .zone("Asia/Tokyo")
        .says("pH", "[pH]", &[("2024-05-05T15:30:00Z", "7.0"), ("2024-05-05T16:30:00Z", "7.1")]),
        Case::text(
            "hours-or-minutes",
            "elapsed 1:30: hours and minutes, or minutes and seconds",
            "elapsed.csv",
            "Elapsed time,pH\n0:00,7.0\n1:30,7.1\n3:00,7.2\n",
        )
        .time("Elapsed time", "h")
        .says("pH", "[pH]", &[("0h", "7.0"), ("1.5h", "7.1"), ("3h", "7.2")])
        .must_warn(&["W-TABLE-003"])
        .refusable(),
        Case::text(
            "time-without-unit",
            "a time column without unit: seconds, minutes or hours",
            "no-unit.csv",
            "Time,pH\n0,7.0\n10,7.1\n20,7.2\n",
        )
        .time("Time", "min")
        .says("pH", "[pH]", &[("0h", "7.0"), ("0.16666666666666666h", "7.1"), ("0.3333333333333333h", "7.2")])
        .must_warn(&["W-TABLE-003"])
        .refusable(),
        Case::text(
            "long-elapsed",
            "elapsed 120:00:05.5 and 1.02:03:04",
            "hms.csv",
            "Elapsed time,pH\n23:59:59,7.0\n120:00:05.5,7.1\n1.02:03:04,7.2\n",
        )
        .time("Elapsed time", "h")
        .says("pH", "[pH]", &[("23.99972222222222h", "7.0"), ("120.00152777777778h", "7.1"), ("26.051111111111112h", "7.2")])
        .marks(&["W-TABLE-030"])
        .refusable(),
    ]
}

fn order() -> Vec<Case> {
    vec![
        Case::text(
            "time-runs-backwards",
            "the controller's clock was set back",
            "back.csv",
            "timestamp,pH\n2024-05-06 10:00,7.0\n2024-05-06 10:30,7.1\n2024-05-06 10:10,7.2\n2024-05-06 10:40,7.3\n",
        )
        .time("timestamp", "clock")
        .says(
            "pH",
            "[pH]",
            &[
                ("2024-05-06T10:00:00Z", "7.0"),
                ("2024-05-06T10:30:00Z", "7.1"),
                ("2024-05-06T10:10:00Z", "7.2"),
                ("2024-05-06T10:40:00Z", "7.3"),
            ],
        )
        .must_warn(&["W-TABLE-030"]),
        Case::text(
            "time-repeated",
            "three different values at one time",
            "repeated.csv",
            "Time (h),pH\n0,7.0\n1,7.1\n1,7.2\n1,7.3\n2,7.4\n",
        )
        .says("pH", "[pH]", &[("0h", "7.0"), ("1h", "7.1"), ("1h", "7.2"), ("1h", "7.3"), ("2h", "7.4")]),
        Case::text(
            "gap-against-dead-band",
            "a log on change: blank means unchanged, COMM FAIL means nobody knows",
            "on-change.csv",
            "Time (h),pH,Stirrer (rpm)\n0,7.01,300\n1,,\n2,COMM FAIL,COMM FAIL\n3,6.90,\n4,6.90,350\n5,6.8,350\n6,6.8,350\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("2h", "COMM FAIL"), ("3h", "6.90"), ("4h", "6.90"), ("5h", "6.8"), ("6h", "6.8")])
        .says("Stirrer (rpm)", "{rev}/min", &[("0h", "300"), ("2h", "COMM FAIL"), ("4h", "350"), ("5h", "350"), ("6h", "350")])
        .refusable(),
        Case::text(
            "sensor-swapped",
            "another pH electrode from the third row on, told only in a column of words",
            "sensor.csv",
            "Time (h),pH,pH sensor\n0,7.01,SN-1001\n1,7.00,SN-1001\n2,6.71,SN-2002\n3,6.70,SN-2002\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.00"), ("2h", "6.71"), ("3h", "6.70")])
        .says("pH sensor", "", &[("0h", "SN-1001"), ("1h", "SN-1001"), ("2h", "SN-2002"), ("3h", "SN-2002")]),
        Case::text(
            "totaliser-re-zeroed",
            "a base totaliser set back to zero, told in a remark",
            "totaliser.csv",
            "Time (h),Base (mL),備考\n0,0.0,\n1,12.5,\n2,25.1,\n3,0.4,流量積算リセット\n4,12.0,\n",
        )
        .says("Base (mL)", "mL", &[("0h", "0.0"), ("1h", "12.5"), ("2h", "25.1"), ("3h", "0.4"), ("4h", "12.0")])
        .says("備考", "", &[("3h", "流量積算リセット")]),
    ]
}
