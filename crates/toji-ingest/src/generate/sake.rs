//! Files of a sake brewery: moromi progress as YAML, and a day sheet in cp932.
//!
//! The mash saccharifies and ferments at once. Sugar is released from the rice at a rate that falls with
//! what is left; yeast takes it up by Monod, faster when warmer (`2^((T−10)/10)`) and slower as alcohol
//! rises (Luong, Biotechnol. Bioeng. 27:280, 1985, with no growth at 22 %). Nihonshudo follows its
//! definition, `1443/d − 1443` with density `d` at 15/4 °C; extract raises the density by about 0.0038 and
//! alcohol lowers it by about 0.0013 per percent.

use super::random::Random;
use super::stamp;
use std::fmt::Write as _;

struct Day {
    temperature_c: f64,
    room_c: f64,
    alcohol_percent: f64,
    nihonshudo: f64,
    baume: f64,
}

const MARKS: [&str; 5] = ["添", "踊", "仲", "留", "留２"];

fn moromi(seed: u64) -> Vec<Day> {
    let mut random = Random::new(seed, "moromi");
    let (mut starch, mut sugar, mut alcohol, mut yeast) = (34.0f64, 2.0f64, 0.2f64, 0.05f64);
    (0..26)
        .map(|day| {
            // Warm rice and water are added in three steps, then the mash warms to its peak and is led down.
            let age = f64::from(day);
            let led = if age < 4.0 { 12.0 - 1.2 * age } else { 7.5 + 5.5 * (-((age - 13.0) / 5.5).powi(2)).exp() };
            let temperature_c = led + 0.15 * random.normal();
            for _ in 0..24 {
                let warm = 2f64.powf((temperature_c - 10.0) / 10.0);
                let release = 0.0058 * starch * warm;
                let uptake = 0.055 * yeast * sugar / (0.8 + sugar) * (1.0 - alcohol / 22.0).max(0.0) * warm;
                yeast = (yeast + 0.035 * yeast * (1.0 - yeast / 3.2) * warm).min(3.2);
                starch -= release;
                sugar = (sugar + release - uptake).max(0.0);
                alcohol += 0.62 * uptake;
            }
            let density = 1.0 + 0.0038 * (sugar + 0.12 * (34.0 - starch)) - 0.0013 * alcohol;
            let nihonshudo = 1443.0 / density - 1443.0;
            Day {
                temperature_c,
                room_c: 7.0 + 1.0 * random.normal(),
                alcohol_percent: alcohol * (1.0 + 0.01 * random.normal()),
                nihonshudo,
                // One degree Baumé is ten of Nihonshudo, with the other sign.
                baume: -nihonshudo / 10.0,
            }
        })
        .collect()
}

/// Moromi progress in the shape of a brewery's YAML record.
pub(super) fn yaml(seed: u64, start_s: i64) -> Vec<u8> {
    let mut out = String::from(
        "# 模擬データ (simulated)\ncomment: 模擬データ (simulated)\ndate_line: 0\nprefix_day_labels:\n- 添\n- 踊\n- 仲\n- 留\nstates:\n",
    );
    for (i, day) in (0i64..).zip(moromi(seed)) {
        let date: String = stamp(start_s + i * 86_400).chars().take(10).collect();
        let _ = writeln!(out, "- time: {date}");
        if let Some(mark) = usize::try_from(i).ok().filter(|i| *i < 4).and_then(|i| MARKS.get(i)) {
            let _ = writeln!(out, "  mark: {mark}");
        }
        let _ = write!(out, "  room_dry_temp: {:.1}\n  temps: {:.1}\n", day.room_c, day.temperature_c);
        if i >= 7 {
            if day.baume > 3.0 {
                let _ = writeln!(out, "  baume: {:.1}", day.baume);
            } else {
                let _ = writeln!(out, "  nihonshudo: {:.0}", day.nihonshudo);
            }
            let _ = writeln!(out, "  alcohol: {:.1}", day.alcohol_percent);
        }
    }
    out.into_bytes()
}

/// A brewery's day sheet as a spreadsheet saves it on a Japanese system: cp932, era dates, full width.
pub(super) fn day_sheet(seed: u64, start_s: i64) -> Vec<u8> {
    const AROMA: [&str; 5] = ["", "吟醸香あり", "リンゴ様", "バナナ様", "アルコール香強い"];
    let mut out = String::from(
        "醪経過簿（模擬データ）,,,,,,,\r\nタンク,模擬１号,,,,,,\r\n日付,時刻,品温（℃）,室温（℃）,日本酒度,アルコール分（％）,香り,備考\r\n",
    );
    let mut random = Random::new(seed, "sheet");
    for (i, day) in (0i64..).zip(moromi(seed.wrapping_add(1))).skip(4) {
        let date = stamp(start_s + i * 86_400);
        let piece = |a: usize, b: usize| date.get(a..b).and_then(|t| t.parse::<i64>().ok()).unwrap_or(1);
        let era = format!("令和{}年{}月{}日", piece(0, 4) - 2018, piece(5, 7), piece(8, 10));
        let analysed = i % 2 == 0 && i > 6;
        let (smv, alcohol) =
            if analysed { (format!("{:.0}", day.nihonshudo), format!("{:.1}", day.alcohol_percent)) } else { Default::default() };
        let aroma = AROMA.get(random.below(5) as usize).copied().unwrap_or("");
        let note = if i % 6 == 0 { "櫂入れ" } else { "" };
        let wide: String = format!("{:.1}", day.temperature_c)
            .chars()
            .map(|c| if c == '.' { '．' } else { char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c) })
            .collect();
        let _ = write!(out, "{era},8:{:02},{wide},{:.1},{smv},{alcohol},{aroma},{note}\r\n", random.below(30), day.room_c);
    }
    encoding_rs::SHIFT_JIS.encode(&out).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mash_ferments_like_one() {
        let days = moromi(1);
        let last = &days[days.len() - 1];
        assert!((14.0..20.0).contains(&last.alcohol_percent), "{}", last.alcohol_percent);
        assert!(last.nihonshudo > -15.0 && last.nihonshudo < 15.0, "{}", last.nihonshudo);
        assert!(days[7].baume > 4.0, "{}", days[7].baume);
        assert!(days.windows(2).all(|d| d[1].alcohol_percent > d[0].alcohol_percent - 0.5));
    }
}
