"""What the PEtab library's linter says of exported problems: `python petab_lint.py FOLDER…` (pip install petab).

Each folder has one YAML file, of version 1 or 2, as `tests/petab_export.rs` leaves them.
"""

import logging
import sys
from pathlib import Path

import petab
import petab.v1
import petab.v2
import yaml


def said(path):
    """Issues of a problem, one a line."""
    if str(yaml.safe_load(path.read_text())["format_version"]).startswith("2"):
        from petab.v2.lint import lint_problem

        return [str(issue) for issue in lint_problem(path)]
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.levelname}: {record.getMessage()}")
    logger = logging.getLogger("petab")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    problem = petab.v1.Problem.from_yaml(path)
    failed = petab.v1.lint_problem(problem)
    logger.removeHandler(handler)
    return lines + (["lint_problem: errors"] if failed else [])


print(f"petab {petab.__version__}")
for folder in sys.argv[1:]:
    for path in sorted(Path(folder).glob("*.yaml")):
        if "format_version" not in yaml.safe_load(path.read_text()):
            continue
        issues = said(path)
        print(f"{Path(folder).name}: {'no issue' if not issues else ''}")
        for issue in issues:
            print("  " + issue)
