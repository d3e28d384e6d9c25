// The specific growth rate over time, as a panel on the axis of the run's charts.
import type { Analysis } from "../../api/culture";
import type { Run } from "../../api/types";
import { styleOf } from "../../charts/colour";
import type { Panel } from "../../charts/panel";
import { unitText } from "../../charts/units";
import { colourName } from "../run-panels";

export function growthPanel(analysis: Analysis, run: Run, title: string, label: string): Panel | null {
  const growth = analysis.growth;
  if (!growth || growth.t_s.length === 0) return null;
  return {
    key: "growth-rate",
    title,
    unit: unitText("1/h"),
    series: [
      {
        id: "growth-rate",
        label,
        style: styleOf(colourName(run)),
        stepped: false,
        dots: false,
        t: growth.t_s,
        v: growth.rate_per_h,
        q: null,
        total: growth.t_s.length,
        downSampled: false,
      },
    ],
  };
}
