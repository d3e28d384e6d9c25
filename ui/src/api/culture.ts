// Names for the shapes of the `culture` operations and of `run lineage`, all from the generated contract.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type VesselSystem = Schemas["Stored"];
export type PlanSetting = Schemas["Setting"];
export type PlanCondition = Schemas["CulturePlanInputCondition"];
export type PlanInput = Schemas["CulturePlanInput"];
export type PlannedUnit = Schemas["PlannedUnit"];
export type Planned = Schemas["CulturePlanOutput"];
export type AnalysisQuantity = Schemas["Quantity"];
export type Analysis = Schemas["CultureAnalyseOutput"];
export type RankVerdict = Schemas["CultureRankOutputVerdict"];
export type RankUnit = Schemas["UnitValue"];
export type RankCondition = Schemas["CultureRankOutputRanked"];
export type Ranking = Schemas["CultureRankOutput"];
export type UnitState = Schemas["State"];
export type PlateUnit = Schemas["PlateUnit"];
/** Asked for over the query, which the contract gives as parameters. */
export type PlateInput = { experiment?: string; file?: string; runs?: string[]; quantity?: string; points?: number };
export type PlateAnswer = Schemas["CulturePlateOutput"];
export type PointVerdict = Schemas["Verdict"];
export type FeedbackPoint = Schemas["Point"];
export type LearnerFeedback = Schemas["Learner"];
export type Feedback = Schemas["CultureFeedbackOutput"];
export type LineageNode = Schemas["Node"];
/** An engineering number of a run: power per volume, tip speed, kLa … */
export type ScaleNumber = Schemas["ScaleNumber"];
export type Lineage = Schemas["RunLineageOutput"];

export interface CultureOperations {
  "culture plate": { input: PlateInput; output: PlateAnswer };
  "culture rank": { input: Schemas["CultureRankInput"]; output: Ranking };
  "culture feedback": { input: Schemas["CultureFeedbackInput"]; output: Feedback };
  "run lineage": { input: Schemas["RunLineageInput"]; output: Lineage };
}
