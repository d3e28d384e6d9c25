// A number as a person types it: full-width digits and grouping commas are what keyboards and spreadsheets give.

/** The number; null where the text is none. */
export function typedNumber(text: string): number | null {
  const plain = text.normalize("NFKC").trim().replaceAll(",", "").replaceAll("−", "-");
  const value = Number(plain);
  return plain !== "" && Number.isFinite(value) ? value : null;
}
