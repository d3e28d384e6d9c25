// The question of a scale-up as the address keeps it: a key for every setting, empty for the server's own.
import type { Input } from "../../api/types";
import { typedNumber } from "../../parts/number-input";

/** Settings that are numbers, in the order of the form, each with its unit (UCUM) and its group. */
export const NUMBERS = [
  { key: "agitation_per_min", unit: "/min", group: "small" },
  { key: "gas_l_per_min", unit: "L/min", group: "small" },
  { key: "pressure_bar", unit: "bar", group: "small" },
  { key: "pressure_to_bar", unit: "bar", group: "large" },
  { key: "power_w", unit: "W", group: "large" },
  { key: "coil_m2", unit: "m2", group: "large" },
  { key: "cooling_w_per_m2_k", unit: "W/(m2.K)", group: "large" },
  { key: "cooling_c", unit: "Cel", group: "large" },
  { key: "oxygen_mmol_per_l_h", unit: "mmol/(L.h)", group: "broth" },
  { key: "respiratory_quotient", unit: "mol/mol", group: "broth" },
  { key: "temperature_c", unit: "Cel", group: "broth" },
  { key: "viscosity_pa_s", unit: "Pa.s", group: "broth" },
  { key: "oxygen_least_percent", unit: "%", group: "limits" },
  { key: "co2_most_bar", unit: "bar", group: "limits" },
  { key: "tip_speed_most_m_per_s", unit: "m/s", group: "limits" },
  { key: "gas_velocity_most_m_per_s", unit: "m/s", group: "limits" },
] as const;

export type NumberKey = (typeof NUMBERS)[number]["key"];
export const GROUPS = ["small", "large", "broth", "limits"] as const;
const TEXTS = ["run", "from", "to"] as const;
export type Draft = Record<string, string>;

/** Every key that the address may hold. */
export const KEYS: readonly string[] = [...TEXTS, ...NUMBERS.map((one) => one.key), "non_coalescing", "seed"];

export function draftOf(query: URLSearchParams): Draft {
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""]));
}

/** The question, and the keys whose text is no number. */
export function scaleInput(draft: Draft): { input: Input<"culture scale">; faults: string[] } {
  const faults: string[] = [];
  const input: Record<string, unknown> = {};
  for (const key of TEXTS) if (draft[key]?.trim()) input[key] = draft[key]?.trim();
  for (const key of [...NUMBERS.map((one) => one.key), "seed"]) {
    const text = draft[key] ?? "";
    if (text.trim() === "") continue;
    const value = typedNumber(text);
    if (value === null || (key === "seed" && !Number.isInteger(value))) faults.push(key);
    else input[key] = value;
  }
  if (draft["non_coalescing"] === "1") input["non_coalescing"] = true;
  return { input: input as Input<"culture scale">, faults };
}
