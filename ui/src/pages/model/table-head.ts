// A table of courses as it is given: what it holds, told before it is sent. The server reads it in earnest.

export interface TableHead {
  runs: string[];
  readings: string[];
  settings: string[];
  rows: number;
  /** columns without which nothing can be read */
  missing: ("run" | "time")[];
}

/** Cells of a line of a CSV file, quotes taken away. */
export function cells(line: string): string[] {
  const found: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const letter = line[i];
    if (quoted) {
      if (letter === '"' && line[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else if (letter === '"') quoted = false;
      else cell += letter;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === ",") {
      found.push(cell);
      cell = "";
    } else cell += letter;
  }
  found.push(cell);
  return found.map((one) => one.trim());
}

const nameOf = (header: string) => (header.split("[")[0] ?? "").trim();

export function tableHead(text: string): TableHead {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const header = cells(lines[0] ?? "").map(nameOf);
  const run = header.indexOf("run");
  const body = lines.slice(1).map(cells);
  const runs = run < 0 ? [] : [...new Set(body.map((row) => row[run] ?? "").filter((one) => one !== ""))];
  const named = header.filter((one) => one !== "" && !["run", "time", "started"].includes(one));
  return {
    runs,
    readings: named.filter((one) => !one.startsWith("set:")),
    settings: named.filter((one) => one.startsWith("set:")).map((one) => one.slice(4)),
    rows: body.length,
    missing: (["run", "time"] as const).filter((one) => !header.includes(one)),
  };
}
