// Fills the form of any kind from its declaration: the fields it requires, and the
// first text field, which the journey changes later.

const SAMPLES = { integer: "1", number: "1.5", date: "2026-04-01", instant: "2026-04-01T09:30:00+09:00", json: "{}" };

export async function fillRequired(page, kind, lang, id) {
  const fields = kind.fields ?? kind.field;
  const text = fields.find((field) => field.type === "text" && field.required && !field.many) ?? fields.find((field) => field.type === "text" && !field.many);
  for (const field of fields.filter((one) => one.required || one === text)) {
    const input = page.getByLabel(new RegExp(`^${escaped(field.label[lang])}`)).first();
    if (field.type === "choice" && !field.open) await input.selectOption(field.choices[0].code);
    else if (field.type === "boolean") await input.selectOption("true");
    else await input.fill(SAMPLES[field.type] ?? (field.type === "choice" ? field.choices[0].code : `${id} strain`));
  }
  return { label: escaped(text.label[lang]), text: `${id} strain` };
}

/** A text as a pattern that matches it alone. */
export function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
