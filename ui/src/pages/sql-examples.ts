// Queries that work on every store, to begin from.

export interface Example {
  /** a key of the dictionaries */
  label: string;
  query: string;
}

export const EXAMPLES: readonly Example[] = [
  { label: "sql.example.tables", query: "SELECT table_name, table_type FROM information_schema.tables ORDER BY table_name" },
  { label: "sql.example.columns", query: "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY table_name, ordinal_position" },
  { label: "sql.example.runs", query: "SELECT * FROM runs LIMIT 20" },
];
