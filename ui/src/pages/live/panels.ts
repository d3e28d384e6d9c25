// The rolling panels of one live run, with the band of good runs behind them.
import type { Band, Run } from "../../api/types";
import type { Panel, Series } from "../../charts/panel";
import { channelPanels } from "../run-panels";
import type { Rolling } from "./board";

type Say = Parameters<typeof channelPanels>[3];

export interface BandWords {
  low: string;
  median: string;
  high: string;
}

/** Panels from rolling points. The band's time is moved from inoculation to the zero of this run. */
export function livePanels(
  run: Run,
  rolling: ReadonlyMap<string, Rolling>,
  chosen: ReadonlySet<string>,
  bands: ReadonlyMap<string, Band>,
  span: [number, number],
  say: Say,
  words: BandWords,
): Panel[] {
  return channelPanels(run, null, chosen, say).map((panel) => {
    const series = panel.series.map((one): Series => {
      const points = rolling.get(one.id);
      return { ...one, t: points?.t ?? [], v: points?.v ?? [], total: points?.t.length ?? 0 };
    });
    const band = bands.get(panel.key.split("|")[0] ?? "");
    return { ...panel, series: band ? [...series, ...bandSeries(band, panel.key, span, words)] : series };
  });
}

function bandSeries(band: Band, key: string, span: [number, number], words: BandWords): Series[] {
  const zero = band.over?.zero_s ?? 0;
  const t = band.t_s.map((at) => at + zero);
  // One cell more on each side, so that the line reaches the edges.
  let from = 0;
  while (from + 1 < t.length && (t[from + 1] ?? 0) < span[0]) from += 1;
  let to = t.length;
  while (to > from + 1 && (t[to - 2] ?? 0) > span[1]) to -= 1;
  const line = (what: keyof BandWords, dash: number[]): Series => ({
    id: `${key} ${what}`,
    label: words[what],
    style: { colour: "#8a8a8a", dash },
    stepped: false,
    dots: false,
    t: t.slice(from, to),
    v: band[what].slice(from, to),
    q: null,
    total: band.t_s.length,
    downSampled: false,
  });
  return [line("low", [2, 3]), line("median", [8, 4]), line("high", [2, 3])];
}
