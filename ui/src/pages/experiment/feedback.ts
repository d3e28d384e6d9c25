// Which stretch of a run a point of the feedback is about.
import type { FeedbackPoint, LearnerFeedback, PointVerdict } from "../../api/culture";

/** Half an hour around a single moment, so that it is seen in its course. */
const AROUND_S = 1800;

export interface Stretch {
  from: number;
  to: number;
  /** a single moment, not a span */
  moment: boolean;
}

export function stretchOf(point: FeedbackPoint): Stretch | null {
  const from = point.from_s;
  const to = point.to_s ?? from;
  if (typeof from !== "number" || typeof to !== "number" || !Number.isFinite(from) || !Number.isFinite(to)) return null;
  return to > from ? { from, to, moment: false } : { from: from - AROUND_S, to: from + AROUND_S, moment: true };
}

export function countOf(one: LearnerFeedback, verdict: PointVerdict): number {
  return one.points.filter((point) => point.verdict === verdict).length;
}

/** Learners may run several units: each is told apart by its run. A class of one needs no choice. */
export function shownTo(learners: readonly LearnerFeedback[], chosen: string | null): LearnerFeedback[] {
  return learners.length === 1 ? [...learners] : learners.filter((one) => one.learner === chosen);
}
