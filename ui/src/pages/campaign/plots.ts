// Figures of a campaign: the best so far by round, what was foretold against what came, and a
// proposal's units one by one.
import type { IntervalSpec } from "../../charts/interval";
import type { XySpec } from "../../charts/xy";
import { inside, type Campaign, type Came, type Proposal } from "./campaign";

export interface Round {
  proposal: Proposal;
  came: Came;
}

const goalOf = (campaign: Campaign) => campaign.outputs[0]?.name ?? "";

/** Every measured value of the goal by round, the default recipe as round 0, and the best up to each round. */
export function progressSpec(campaign: Campaign, rounds: readonly Round[], words: { round: string; goal: string; single: string; best: string; usual: string }): XySpec {
  const goal = goalOf(campaign);
  const better = (a: number, b: number) => (campaign.lowerIsBetter ? Math.min(a, b) : Math.max(a, b));
  const usual = campaign.defaultResults.flatMap((one) => (one.values[goal] === undefined ? [] : [{ x: 0, y: one.values[goal] ?? null, text: one.position }]));
  const singles = rounds.flatMap(({ proposal, came }) => [...came].flatMap(([position, values]) => (values[goal] === undefined ? [] : [{ x: proposal.number, y: values[goal] ?? null, text: `${proposal.number}: ${position}` }])));
  const best: { x: number; y: number }[] = [];
  for (const number of [...new Set(singles.map((one) => one.x))].sort((a, b) => a - b)) {
    const here = singles.filter((one) => one.x === number).map((one) => one.y ?? Number.NaN);
    const before = best[best.length - 1];
    best.push({ x: number, y: [...here, ...(before ? [before.y] : [])].reduce(better) });
  }
  const last = Math.max(1, ...rounds.map(({ proposal }) => proposal.number));
  return {
    series: [
      { id: "single", label: words.single, kind: "points", mark: "ring", points: singles },
      ...(usual.length > 0 ? [{ id: "usual", label: words.usual, kind: "points", mark: "square", colour: 1, points: usual } as const] : []),
      { id: "best", label: words.best, kind: "line", mark: "triangle", colour: 2, points: best },
    ],
    xLabel: words.round,
    yLabel: words.goal,
    xFixed: [usual.length > 0 ? -0.4 : 0.6, last + 0.4],
    xWhole: true,
  };
}

/** What was foretold, with its interval, against what came; on the line both are alike. */
export function foretoldSpec(rounds: readonly Round[], campaign: Campaign, words: { came: string; foretold: string; alike: string; round: (number: number) => string }): XySpec {
  const goal = goalOf(campaign);
  const series = rounds.map(({ proposal, came }, index) => ({
    id: `round-${proposal.number}`,
    label: words.round(proposal.number),
    kind: "points" as const,
    mark: (["dot", "square", "triangle", "ring", "cross"] as const)[index % 5] ?? "dot",
    colour: index,
    points: proposal.runs.flatMap((run) => {
      const expected = run.expected.find((one) => one.output === 0);
      const value = came.get(run.position)?.[goal];
      return expected && value !== undefined ? [{ x: value, y: expected.mean, low: expected.low, high: expected.high, text: `${proposal.number}: ${run.position}` }] : [];
    }),
  }));
  const filled = series.filter((one) => one.points.length > 0);
  const all = filled.flatMap((one) => one.points.flatMap((point) => [point.x, point.y, point.low, point.high]));
  const ends = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [0, 1];
  const diagonal = ends.map((end) => ({ x: end, y: end }));
  return { series: [...(all.length > 0 ? [{ id: "alike", label: words.alike, kind: "line" as const, dash: "5 3", points: diagonal }] : []), ...filled], xLabel: words.came, yLabel: words.foretold };
}

/** The units of a proposal: what is expected with its interval, and what came as a small ring above. */
export function unitsSpec(campaign: Campaign, { proposal, came }: Round, axisLabel: string, note: (within: boolean | null, came: number | undefined) => string): IntervalSpec {
  const goal = goalOf(campaign);
  return {
    rows: proposal.runs.map((run) => {
      const expected = run.expected.find((one) => one.output === 0);
      const value = came.get(run.position)?.[goal];
      return {
        id: run.position,
        label: run.position,
        main: expected ? { at: expected.mean, low: expected.low, high: expected.high } : null,
        shape: "dot" as const,
        singles: value === undefined ? [] : [value],
        note: note(inside(expected, value), value),
      };
    }),
    lines: [],
    axisLabel,
  };
}
