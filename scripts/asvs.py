#!/usr/bin/env python3
"""Writes docs/src/{en,ja}/asvs.md from docs/asvs.tsv, after looking that every test it names is there.

Columns: number in ASVS 5.0.0, standing, the requirement in our own words (English, Japanese), what shows it or why not
(English, Japanese). Standings: T shown by the tests named, R so by construction and not tested, D written down, P in
part, O open, N not applicable.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = [line.split("\t") for line in (ROOT / "docs/asvs.tsv").read_text(encoding="utf-8").splitlines()]
STANDING = {
    "T": ("tested", "試験あり"),
    "R": ("by construction", "構造による"),
    "D": ("written down", "文書あり"),
    "P": ("in part", "一部"),
    "O": ("open", "未対応"),
    "N": ("not applicable", "該当なし"),
}
CHAPTERS = {
    1: ("Encoding and sanitisation", "符号化と無害化"), 2: ("Validation and business logic", "検査と業務手順"),
    3: ("Web front end", "画面"), 4: ("API and web service", "API"), 5: ("Files", "ファイル"),
    6: ("Authentication", "認証"), 7: ("Sessions", "セッション"), 8: ("Authorisation", "権限"),
    9: ("Self-contained tokens", "自己完結型トークン"), 10: ("OAuth and OIDC", "OAuth と OIDC"),
    11: ("Cryptography", "暗号"), 12: ("Communication", "通信"), 13: ("Configuration", "設定"),
    14: ("Data protection", "データ保護"), 15: ("Coding and architecture", "設計と実装"),
    16: ("Logs and errors", "記録と異常"), 17: ("WebRTC", "WebRTC"),
}
# The requirements of levels 1 and 2 in the published standard.
EXPECTED = 253
TEST = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`")


def tests():
    """Names of all test functions."""
    found = subprocess.run(
        ["git", "grep", "-hoE", r"fn [a-z0-9_]+", "--", "crates", "tests"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return {line[3:] for line in found.splitlines()}


def check():
    known = tests()
    faults = []
    numbers = [row[0] for row in ROWS]
    if len(numbers) != EXPECTED or len(set(numbers)) != EXPECTED:
        faults.append(f"{len(numbers)} rows, {len(set(numbers))} numbers, not {EXPECTED}")
    for number, standing, *_, evidence, _ in ROWS:
        named = [name for name in TEST.findall(evidence) if not name.startswith("format_")]
        faults += [f"{number}: there is no test `{name}`" for name in named if name not in known]
        if standing == "T" and not named and "ui/e2e" not in evidence and ".test.ts" not in evidence:
            faults.append(f"{number}: tested, but by nothing that is named")
    return faults


def japanese(evidence, words):
    """The tests that the English names, then the Japanese words."""
    parts = ["、".join(f"`{name}`" for name in TEST.findall(evidence))]
    if words != "同左":
        parts.append(words)
    return "。".join(part for part in parts if part) or evidence


def page(lang):
    en = lang == "en"
    counts = {key: sum(row[1] == key for row in ROWS) for key in STANDING}
    told = (", " if en else "、").join(f"{STANDING[key][0 if en else 1]} {n}" for key, n in counts.items())
    if en:
        out = [
            "# OWASP ASVS 5.0, levels 1 and 2", "",
            "The requirements of levels 1 and 2 of the [Application Security Verification Standard](https://owasp.org/www-project-application-security-verification-standard/) 5.0.0, by their numbers (`v5.0.0-…`), in our own short words; the words of the standard decide. Beside each stands the test that shows it, or the reason there is none. Nobody from outside has checked this.",
            "", f"Of {len(ROWS)}: {told}.", "",
            "*Tested*: the tests named fail when it does not hold. *By construction*: the design makes it so, and no test shows it. *In part* and *open* are what they say. Made by `scripts/asvs.py` from `docs/asvs.tsv`; the script refuses a test that does not exist.",
            "",
        ]
    else:
        out = [
            "# OWASP ASVS 5.0（第 1・第 2 水準）", "",
            "[Application Security Verification Standard](https://owasp.org/www-project-application-security-verification-standard/) 5.0.0 の第 1・第 2 水準の要求を、番号（`v5.0.0-…`）ごとに、短い自前の言葉で並べました。正しい文言は標準にあります。それぞれの横に、示す試験か、ない理由を書きました。外部の審査は受けていません。",
            "", f"全 {len(ROWS)} 件：{told}。", "",
            "「試験あり」は、成り立たなければ挙げた試験が失敗します。「構造による」は、そうなる設計で、試験はありません。`scripts/asvs.py` が `docs/asvs.tsv` から作り、存在しない試験の名前は拒みます。",
            "",
        ]
    chapter = None
    for number, standing, words_en, words_ja, evidence, reason in ROWS:
        head = int(number.split(".")[0])
        if head != chapter:
            chapter = head
            title = CHAPTERS[head][0 if en else 1]
            columns = "| number | requirement | standing | by |" if en else "| 番号 | 要求 | 状況 | 根拠 |"
            out += ["", f"## V{head} {title}", "", columns, "| --- | --- | --- | --- |"]
        words, by = (words_en, evidence) if en else (words_ja, japanese(evidence, reason))
        out.append(f"| v5.0.0-{number} | {words} | {STANDING[standing][0 if en else 1]} | {by} |")
    return "\n".join(out) + "\n"


def main():
    faults = check()
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    for lang in ("en", "ja"):
        path = ROOT / f"docs/src/{lang}/asvs.md"
        text = re.sub(r"\n{3,}", "\n\n", page(lang))
        if "--check" in sys.argv and path.read_text(encoding="utf-8") != text:
            print(f"{path} is not what docs/asvs.tsv says: run scripts/asvs.py", file=sys.stderr)
            return 1
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
