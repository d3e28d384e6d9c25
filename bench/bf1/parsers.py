"""The Python parsers of instrument files: CPU seconds a file, imports not counted. `parsers.py OUT.json < LIST.json`.

The list holds [tool, vendor, path]. allotropy must be told the vendor; ours finds the format by content.
"""

import contextlib
import io
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

from measure import Meter


def reader(tool, vendor, path):
    if tool == "allotropy":
        from allotropy.parser_factory import Vendor
        from allotropy.to_allotrope import allotrope_from_file
        return lambda: allotrope_from_file(path, Vendor[vendor])
    if tool == "bletl":
        import bletl
        return lambda: bletl.parse(path)
    import detl
    return lambda: detl.parse(path)


def main():
    warnings.simplefilter("ignore")
    out = []
    for tool, vendor, path in json.load(sys.stdin):
        entry = {"tool": tool, "version": version(tool), "path": path, "bytes": Path(path).stat().st_size}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                timing, _ = Meter().best(reader(tool, vendor, path))
            entry.update(timing)
        except Exception as error:  # A file a tool cannot read is reported, not compared.
            entry["refused"] = f"{type(error).__name__}: {error}"[:300]
        out.append(entry)
    Path(sys.argv[1]).write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
