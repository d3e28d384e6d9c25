// Names of kinds and of their fields, as declared on the server: asked for once,
// when a page first needs them, and kept. Until then the code stands for itself.
import { SvelteMap } from "svelte/reactivity";
import { call } from "../api/client";
import { readKind } from "../api/shape";
import type { Kind, Text } from "../api/types";
import { tx, word } from "../i18n/index.svelte";

const labels = new SvelteMap<string, Text>();
const declared = new SvelteMap<string, Kind>();
const asked = new Set<string>();

/** Starts one question once. A failure leaves the code as its own name. */
function once(key: string, ask: () => Promise<void>): void {
  if (asked.has(key)) return;
  asked.add(key);
  ask().catch(() => asked.delete(key));
}

export function kindLabel(kind: string): string {
  once("list", async () => {
    const { kinds } = await call("kind list", {});
    for (const one of kinds) labels.set(one.kind, one.label);
  });
  const label = labels.get(kind);
  return label ? tx(label) : word("kind", kind);
}

export function fieldLabel(kind: string, name: string): string {
  once(`kind ${kind}`, async () => {
    declared.set(kind, readKind(await call("kind show", { kind })));
  });
  const field = declared.get(kind)?.fields.find((one) => one.name === name);
  return field ? tx(field.label) : word("field", name);
}

/** The declaration of a field, once it is known. */
export function fieldOf(kind: string, name: string) {
  return declared.get(kind)?.fields.find((one) => one.name === name);
}
