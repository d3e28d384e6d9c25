#!/usr/bin/env python3
"""The documents hold together: every page is in its table of contents, both languages have the same
pages, and every link to a file or a heading leads somewhere. Also README, ARCHITECTURE and CONTRIBUTING."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
faults = []


def prose(path):
    """The text without code, where brackets mean something else."""
    text = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def headings(path):
    found = set()
    for title in re.findall(r"^#+\s+(.*?)\s*$", re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.S | re.M), flags=re.M):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(slug)
    return found


def check(path):
    for target in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists():
            faults.append(f"{path.relative_to(ROOT)}: link to {target}: no such file")
        elif heading and there.suffix == ".md" and heading.lower() not in headings(there):
            faults.append(f"{path.relative_to(ROOT)}: link to {target}: no such heading")


books = {lang: ROOT / "docs/src" / lang for lang in ("ja", "en")}
pages = {lang: {p.name for p in book.glob("*.md")} for lang, book in books.items()}
for name in sorted(pages["ja"] ^ pages["en"]):
    faults.append(f"docs/src: {name} exists in one language only")
for lang, book in books.items():
    listed = {Path(t.partition("#")[0]).name for t in LINK.findall(prose(book / "SUMMARY.md"))}
    for name in sorted(pages[lang] - listed - {"SUMMARY.md"}):
        faults.append(f"docs/src/{lang}/SUMMARY.md: does not list {name}")
for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench/README.md", ROOT / "ui/README.md"]:
    if "node_modules" not in path.parts:
        check(path)
print("\n".join(faults) if faults else "documents hold together")
sys.exit(bool(faults))
