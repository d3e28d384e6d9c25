// Marks on the time axis (events, observations, samples) and the shapes that
// tell the quality of a point. A shape is an SVG path in a box from -1 to 1, so
// the canvas and the SVG file draw the same.
import type { Status } from "./quality";

export type MarkKind = "event" | "observation" | "sample" | "decision";

export interface Mark {
  id: string;
  kind: MarkKind;
  /** seconds since t0 */
  t: number;
  label: string;
  note: string;
}

export interface Shape {
  path: string;
  filled: boolean;
}

export const QUALITY_SHAPES: Record<Exclude<Status, "good">, Shape> = {
  uncertain: { path: "M0,-1 L1,0 L0,1 L-1,0 Z", filled: false },
  bad: { path: "M-1,-1 L1,1 M-1,1 L1,-1", filled: false },
  "below-detection": { path: "M-1,-0.8 L1,-0.8 L0,1 Z", filled: false },
  "above-range": { path: "M0,-1 L1,0.8 L-1,0.8 Z", filled: false },
  substituted: { path: "M-0.85,-0.85 L0.85,-0.85 L0.85,0.85 L-0.85,0.85 Z", filled: false },
  unknown: { path: "M-1,0 L1,0 M0,-1 L0,1", filled: false },
};

export const MARK_SHAPES: Record<MarkKind, Shape> = {
  event: { path: "M-0.9,-0.9 L0.9,-0.9 L0,0.9 Z", filled: true },
  observation: { path: "M-0.8,0 A0.8,0.8 0 1 0 0.8,0 A0.8,0.8 0 1 0 -0.8,0 Z", filled: false },
  sample: { path: "M0,-1 L0.8,0 L0,1 L-0.8,0 Z", filled: true },
  decision: { path: "M-0.8,-0.8 L0.8,-0.8 L0.8,0.8 L-0.8,0.8 Z", filled: true },
};

export const MARK_DASHES: Record<MarkKind, number[]> = {
  event: [],
  observation: [2, 4],
  sample: [1, 6],
  decision: [8, 3],
};
