// A plan of gases as JSON, with one to begin from: purge, start-up, operation, shutdown, and a trip after a fault.
import type { Input } from "../../api/types";

export type GasPlan = NonNullable<Input<"culture gas-safety">["plan"]>;

const inflow = (name: string, gas: string, low: number, high: number, sparged: boolean) => ({ name, mixture: { [gas]: 1 }, low_mol_per_h: low, high_mol_per_h: high, sparged });
const purge = [inflow("N2", "nitrogen", 60, 60, false)];
const gases = (from: number, oxygen: number) => [inflow("H2", "hydrogen", from * 10, 10, true), inflow("O2", "oxygen", from * oxygen, oxygen, true), inflow("CO2", "carbon_dioxide", from * 2, 2, true), inflow("N2", "nitrogen", 12, 12, false)];

export function examplePlan(oxygenMolPerH = 2): GasPlan {
  return {
    head_space_mol: 5,
    start: { nitrogen: 1 },
    phases: [
      { name: "purge", kind: "purge", minutes: 30, inflows: purge },
      { name: "start-up", kind: "start-up", minutes: 20, inflows: gases(0, oxygenMolPerH) },
      { name: "operation", kind: "steady", minutes: 600, inflows: gases(1, oxygenMolPerH), uptake: { hydrogen: { low: 0, high: 3 }, oxygen: { low: 0, high: oxygenMolPerH } } },
      { name: "shutdown", kind: "shutdown", minutes: 60, inflows: purge },
    ],
    faults: { agitation: true, supplies: false, response_minutes: 2, trip: [{ name: "trip", kind: "shutdown", minutes: 30, inflows: purge }] },
  };
}

/** The plan; null where the text is no JSON object. */
export function readPlan(text: string): GasPlan | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as GasPlan) : null;
  } catch {
    return null;
  }
}

/** Shares of a mixture from per cent; the rest is nitrogen. null where one is no share, or all are more than everything. */
export function mixtureOf(hydrogen: number | null, oxygen: number | null, carbonDioxide: number | null) {
  const parts = [hydrogen ?? 0, oxygen ?? 0, carbonDioxide ?? 0];
  const sum = parts.reduce((a, b) => a + b, 0);
  if (parts.some((part) => part < 0) || sum > 100 + 1e-9) return null;
  const share = (percent: number) => Number((percent / 100).toFixed(10));
  return { hydrogen: share(parts[0] ?? 0), oxygen: share(parts[1] ?? 0), carbon_dioxide: share(parts[2] ?? 0), nitrogen: share(Math.max(100 - sum, 0)) };
}
