// What is asked before an act of the commons is done.

export interface ActField {
  name: string;
  label: string;
  kind?: "text" | "lines" | "number" | "select" | "check" | "moment";
  options?: { value: string; label: string }[];
  /** what stands there at first; `1` for a tick */
  value?: string;
  required?: boolean;
  help?: string;
}

export type ActValues = Record<string, string>;

/** What stands in the form at first. */
export function firstValues(fields: readonly ActField[]): ActValues {
  return Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.kind === "select" && field.required ? (field.options?.[0]?.value ?? "") : "")]));
}

/** Names of fields that must be filled in and are not, or hold no whole number above 0. */
export function actFaults(fields: readonly ActField[], values: ActValues): string[] {
  return fields
    .filter((field) => {
      const value = (values[field.name] ?? "").trim();
      if (value === "") return field.required === true;
      if (field.kind === "number") return !/^[1-9]\d*$/.test(value);
      return field.kind === "moment" && Number.isNaN(Date.parse(value));
    })
    .map((field) => field.name);
}

/** Characters of a long text that are shown again before it is sent. */
const SHOWN = 400;

/** A value as the person chose it; a long text by its beginning. */
export function shownValue(field: ActField, value: string, yes: string, no: string): string {
  if (field.kind === "check") return value === "1" ? yes : no;
  if (field.kind === "select") return field.options?.find((one) => one.value === value)?.label ?? value;
  if (field.kind === "moment") return value.replace("T", " ");
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
}
