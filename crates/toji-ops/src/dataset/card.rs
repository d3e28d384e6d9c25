//! The data card a person reads first, in English and in Japanese.

use super::built::Built;
use super::check::parts;
use super::content::{simulated, text};
use std::fmt::Write as _;
use toji_core::Lang;

pub(super) fn english(built: &Built<'_>) -> String {
    write(built, Lang::En)
}
pub(super) fn japanese(built: &Built<'_>) -> String {
    write(built, Lang::Ja)
}

fn write(built: &Built<'_>, lang: Lang) -> String {
    let ja = lang == Lang::Ja;
    let say = |j: &'static str, e: &'static str| if ja { j } else { e };
    let (content, manifest) = (built.content, &built.content.manifest);
    let title = manifest.title();
    let split = parts(built.dealt);
    let made = content.runs.iter().filter(|r| simulated(&r.record)).count();
    let mut out = format!("# {}\n\n", title.get(lang));
    if let Some(words) = &manifest.description {
        let _ = writeln!(out, "{}\n", words.get(lang));
    }
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(out, "- {name}: {value}");
    };
    fact(say("名前と版", "Name and version"), format!("{} {}", manifest.name, manifest.version));
    fact(say("培養", "Runs"), format!("{} ({} {made})", content.runs.len(), say("うち模擬", "simulated:")));
    fact(say("測定点", "Points"), content.points().to_string());
    fact(say("整列", "Aligned view"), format!("{} × {} ({} s)", built.grids.rows, built.grids.columns.len(), manifest.grid_s));
    fact(
        say("分割 (学習・検証・試験)", "Split (train, validation, test)"),
        format!("{} / {} / {}", split.train, split.validation, split.test),
    );
    fact(say("台帳の位置", "Position in the ledger"), format!("{} ({})", manifest.as_of.unwrap_or_default(), content.at));
    let licence = content.licence.as_ref();
    let name = licence.and_then(|l| text(&l.fields, if ja { "name_ja" } else { "name_en" }));
    fact(say("利用条件", "Terms of use"), name.unwrap_or(say("記載なし", "not stated")).to_owned());
    let duo = content.duo();
    if !duo.is_empty() {
        fact("DUO", duo.join(", "));
    }
    if let Some(words) = licence.and_then(|l| text(&l.fields, if ja { "text_ja" } else { "text_en" })) {
        let _ = writeln!(out, "\n> {}", words.replace('\n', "\n> "));
    }
    readiness(built, lang, &mut out);
    out.push_str(if ja { FILES_JA } else { FILES_EN });
    out
}

fn readiness(built: &Built<'_>, lang: Lang, out: &mut String) {
    let ja = lang == Lang::Ja;
    let account = built.account;
    let points = |thousandths: u64| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    let heading = if ja { "AI 利用への準備度" } else { "Readiness" };
    let _ = writeln!(out, "\n## {heading}: {} / 100\n", points(account.score_thousandths));
    let head =
        if ja { "| 規則 | 問い | 対象 | 該当 | 失点 |" } else { "| rule | question | places | failing | lost |" };
    let _ = writeln!(out, "{head}\n| --- | --- | ---: | ---: | ---: |");
    for rule in &account.rules {
        let lost = format!("{} / {}", points(rule.lost_thousandths), points(rule.weight_thousandths));
        let _ = writeln!(out, "| {} | {} | {} | {} | {lost} |", rule.rule, rule.label.get(lang), rule.places, rule.failing);
    }
    let more = if ja {
        "失点の一つひとつのコード・場所・対処は `readiness.json` にあります。"
    } else {
        "`readiness.json` has code, place and remedy of every lost point."
    };
    let _ = writeln!(out, "\n{more}");
}

const FILES_EN: &str = "
## Files

| path | what |
| --- | --- |
| `splits.csv` | training, validation and test, by whole units |
| `tables/*.csv` | runs, channels, samples, assays, events, observations, decisions, strains, vessels, source files |
| `series/*.parquet` | every point at its own time: `elapsed_ns` since the run's zero, `time` in UTC where there is a clock, `value`, `quality` (0 is good), `text` (what stood there when it was no number) |
| `aligned/values.parquet`, `aligned/mask.parquet` | all runs on one grid; mask 1 where a value was measured in the cell |
| `tables/columns.csv` | variable, unit and rule of the aligned columns |
| `strains/*.json` | strains in the DSMZ microbial strain data standard |
| `manifest.json` | what the release was made from; the same manifest gives the same bytes. With `units = canonical` the numbers of a channel are in the usual unit of its variable, and its `fields.stored_unit` names the one they were stored in |
| `croissant.json`, `ro-crate-metadata.json`, `datapackage.json`, `datacite.json` | descriptions for tools |
| `MANIFEST.sha256` | SHA-256 of every file; the SHA-256 of this list is the root hash |

Censored results keep their bounds: `value` is empty, `value_low` and `value_high` hold what is known,
`value_censoring` says left, right or interval, and `value_text` is what stood in the source.

## Loading

```python
import loader
assays = loader.pandas(\"assays\")
values = loader.polars(\"values\")
train = loader.torch(\"train\")
```

Check the files with `sha256sum -c MANIFEST.sha256` or `toji dataset verify`.
";

const FILES_JA: &str = "
## ファイル

| 場所 | 内容 |
| --- | --- |
| `splits.csv` | 学習・検証・試験の分割 (単位ごと) |
| `tables/*.csv` | 培養・系列・試料・分析値・事象・官能観察・判断・株・槽・取込ファイル |
| `series/*.parquet` | 全点を元の時刻のまま: `elapsed_ns` は零点から、`time` は時計があれば UTC、`value`、`quality` (0 が良好)、`text` (数値でないときの原文) |
| `aligned/values.parquet`・`aligned/mask.parquet` | 全培養を一つの格子に整列。マスク 1 はその升目で実測 |
| `tables/columns.csv` | 整列した列の変数・単位・規則 |
| `strains/*.json` | DSMZ 微生物株データ標準による株の記載 |
| `manifest.json` | この公開物の元。同じマニフェストからは同じバイト列ができます。`units = canonical` のとき、数値は変数の標準の単位で、元の単位は系列の `fields.stored_unit` にあります |
| `croissant.json`・`ro-crate-metadata.json`・`datapackage.json`・`datacite.json` | ツール向けの記載 |
| `MANIFEST.sha256` | 全ファイルの SHA-256。この一覧自身の SHA-256 が根ハッシュです |

打切り値は範囲のまま渡ります。`value` は空で、`value_low`・`value_high` に分かっている範囲、
`value_censoring` に left・right・interval、`value_text` に取込元の原文が入ります。

## 読み込み

```python
import loader
assays = loader.pandas(\"assays\")
values = loader.polars(\"values\")
train = loader.torch(\"train\")
```

`sha256sum -c MANIFEST.sha256` または `toji dataset verify` で確かめられます。
";
