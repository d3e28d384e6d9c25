// Queries that work on every store, to begin from.
import type { Key } from "../i18n/en";

export interface Example {
  label: Key;
  query: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    label: "sql.example.runs",
    query: `SELECT id, title, vessel_name, strain_name, started, format
FROM run
ORDER BY started DESC
LIMIT 20`,
  },
  {
    label: "sql.example.hourly",
    query: `SELECT run, key, unit, floor(elapsed_s / 3600) AS hour, avg(value) AS mean, count(*) AS points
FROM series
WHERE quality % 16 = 0
GROUP BY run, key, unit, hour
ORDER BY run, key, hour
LIMIT 200`,
  },
  {
    label: "sql.example.limits",
    query: `SELECT analyte, value_kind, value_low, value_high, value_unit, time, flags
FROM assay
WHERE value_kind IN ('less-than', 'greater-than', 'below-detection')
ORDER BY analyte, time`,
  },
  {
    label: "sql.example.counts",
    query: `SELECT format, count(*) AS runs
FROM run
GROUP BY format
ORDER BY runs DESC`,
  },
  {
    label: "sql.example.tables",
    query: `SELECT table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema <> 'information_schema'
ORDER BY table_name, ordinal_position`,
  },
];
