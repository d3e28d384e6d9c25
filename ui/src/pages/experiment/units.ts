// The units of an experiment: what was planned, joined with how each stands now.
import type { PlateUnit, UnitState } from "../../api/culture";
import { parsePosition, positionName, type Placed } from "../plate/layout";

export interface LayoutUnit extends Placed {
  condition: string;
  control: boolean;
  replicate: number | null;
  edge: boolean | null;
  block: number | null;
  learner: string | null;
  state: UnitState;
  run: string | null;
  title: string | null;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const spelled = (position: string) => {
  const at = parsePosition(position);
  return at ? positionName(at) : position;
};

function plannedOf(planned: unknown): LayoutUnit[] {
  if (!Array.isArray(planned)) return [];
  return planned.flatMap((one: unknown): LayoutUnit[] => {
    if (typeof one !== "object" || one === null) return [];
    const unit = one as Record<string, unknown>;
    const position = text(unit["position"]);
    if (!position) return [];
    return [
      {
        position: spelled(position),
        row: number(unit["row"]),
        column: number(unit["column"]),
        condition: text(unit["condition"]) ?? "",
        control: unit["control"] === true,
        replicate: number(unit["replicate"]),
        edge: typeof unit["edge"] === "boolean" ? unit["edge"] : null,
        block: number(unit["block"]),
        learner: text(unit["learner"]),
        state: "planned",
        run: null,
        title: null,
      },
    ];
  });
}

/** Planned units in the order of the plan, each with the run that stands in its place; runs without a planned place follow. */
export function layoutUnits(planned: unknown, now: readonly PlateUnit[]): LayoutUnit[] {
  const rest = new Map<string, PlateUnit[]>();
  for (const unit of now) rest.set(spelled(unit.position), [...(rest.get(spelled(unit.position)) ?? []), unit]);
  const joined = plannedOf(planned).map((unit): LayoutUnit => {
    const found = rest.get(unit.position)?.shift();
    if (!found) return unit;
    return { ...unit, state: found.state, run: text(found.run), title: text(found.title), learner: unit.learner ?? text(found.learner) };
  });
  const others = [...rest.values()].flat().map(
    (unit): LayoutUnit => ({
      position: spelled(unit.position),
      row: unit.row,
      column: unit.column,
      condition: text(unit.condition) ?? "",
      control: unit.control === true,
      replicate: null,
      edge: null,
      block: null,
      learner: text(unit.learner),
      state: unit.state,
      run: text(unit.run),
      title: text(unit.title),
    }),
  );
  return [...joined, ...others];
}
