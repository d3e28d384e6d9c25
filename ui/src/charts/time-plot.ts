// One canvas chart over time, on uPlot. It is made once; zooming and new data change
// it in place. It is made anew only when its set of series or its y axis changes.
import uPlot from "uplot";
import { clockLabels, elapsedLabels, timeSplits, type TimeAxis } from "./axis";
import type { Ink } from "./ink";
import { MARK_DASHES, QUALITY_SHAPES, type Mark } from "./marks";
import { alignSeries, areaPlaces, type Area, type Panel, type Series } from "./panel";
import { unpackQuality } from "./quality";
import { axisNumber } from "./value-axis";

export const LEFT = 80;
export const RIGHT = 14;

export interface PlotSpec {
  panel: Panel;
  /** seconds since t0 that are shown */
  range: [number, number];
  axis: TimeAxis;
  axisLabel: string;
  /** the unit, or words that say that there is none */
  valueLabel: string;
  log: boolean;
  hidden: ReadonlySet<string>;
  marks: readonly Mark[];
  /** panels with the same key share one crosshair */
  sync: string;
  height: number;
  ink: Ink;
}

export interface PlotEvents {
  zoom: (range: [number, number]) => void;
  reset: () => void;
  /** seconds under the crosshair; null when it has left */
  cursor: (t: number | null) => void;
}

/** What must be the same for a chart to be kept. */
function signature(spec: PlotSpec): string {
  const series = spec.panel.series.map((one) => `${one.id}|${one.style.colour}|${one.style.dash.join()}|${one.stepped}|${one.dots}`);
  return JSON.stringify([spec.axis.mode, spec.log, spec.sync, spec.height, spec.valueLabel, series, spec.panel.areas ?? []]);
}

export class TimePlot {
  #host: HTMLElement;
  #events: PlotEvents;
  #spec: PlotSpec;
  #signature = "";
  #plot: uPlot | null = null;
  #dataOf: Panel | null = null;
  #resize: ResizeObserver;

  constructor(host: HTMLElement, spec: PlotSpec, events: PlotEvents) {
    this.#host = host;
    this.#events = events;
    this.#spec = spec;
    this.#resize = new ResizeObserver(() => {
      const width = host.clientWidth;
      if (this.#plot && width > 0 && width !== this.#plot.width) {
        this.#plot.setSize({ width, height: this.#spec.height });
      }
    });
    this.#resize.observe(host);
    this.update(spec);
  }

  update(spec: PlotSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    const now = signature(spec);
    if (!this.#plot || now !== this.#signature) {
      this.#signature = now;
      this.#make();
      return;
    }
    const plot = this.#plot;
    plot.batch(() => {
      if (this.#dataOf !== spec.panel) plot.setData(this.#data(), false);
      spec.panel.series.forEach((one, k) => {
        const show = !spec.hidden.has(one.id);
        if (plot.series[k + 1]?.show !== show) plot.setSeries(k + 1, { show }, false);
      });
      const axis = plot.axes[0];
      if (axis) axis.label = spec.axisLabel;
      plot.setScale("x", { min: spec.range[0], max: spec.range[1] });
    });
    // A new range draws by itself; a new colour, mark or label must be asked for.
    if (before.ink !== spec.ink || before.marks !== spec.marks || before.axisLabel !== spec.axisLabel) plot.redraw(false, true);
  }

  /** Puts the crosshair at a time, e.g. from the keyboard; null takes it away. */
  point(t: number | null): void {
    const plot = this.#plot;
    if (!plot) return;
    const left = t === null ? -10 : plot.valToPos(t, "x");
    const inside = left >= 0 && left <= plot.over.clientWidth;
    plot.setCursor(inside ? { left, top: plot.over.clientHeight / 2 } : { left: -10, top: -10 }, false);
  }

  destroy(): void {
    this.#resize.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  #data(): uPlot.AlignedData {
    this.#dataOf = this.#spec.panel;
    const series = this.#spec.log ? this.#spec.panel.series.map(positiveOnly) : this.#spec.panel.series;
    return alignSeries(series) as unknown as uPlot.AlignedData;
  }

  #make(): void {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), this.#data(), this.#host);
  }

  #options(): uPlot.Options {
    const { panel, height, log, range, hidden } = this.#spec;
    return {
      width: Math.max(this.#host.clientWidth, 200),
      height,
      padding: [10, RIGHT, 0, 0],
      legend: { show: false },
      cursor: this.#cursor(),
      scales: {
        x: { time: false, auto: false, min: range[0], max: range[1] },
        y: { distr: log ? 3 : 1, range: yRange(log) },
      },
      axes: [this.#timeAxis(), this.#valueAxis()],
      series: [{}, ...panel.series.map((one) => seriesOptions(one, !hidden.has(one.id)))],
      bands: areaPlaces(panel).map(({ low, high, area }) => ({ series: [high + 1, low + 1], fill: shade(area) })),
      hooks: {
        drawClear: [(plot) => this.#drawMarks(plot)],
        draw: [(plot) => this.#drawQuality(plot)],
        setSelect: [(plot) => this.#selected(plot)],
        setCursor: [(plot) => this.#moved(plot)],
      },
    };
  }

  #cursor(): uPlot.Cursor {
    return {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 4 },
      focus: { prox: -1 },
      points: { size: 7 },
      sync: {
        key: this.#spec.sync,
        setSeries: false,
        scales: ["x", null],
        // Only the crosshair is shared; the drag belongs to the panel it began in.
        filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
      },
      bind: {
        dblclick: () => () => {
          this.#events.reset();
          return null;
        },
      },
    };
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    this.#events.zoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  #moved(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    this.#events.cursor(left < 0 ? null : plot.posToVal(left, "x"));
  }

  #timeAxis(): uPlot.Axis {
    return {
      label: this.#spec.axisLabel,
      labelSize: 18,
      labelGap: 0,
      labelFont: FONT,
      font: FONT,
      size: this.#spec.axis.mode === "clock" ? 40 : 30,
      stroke: () => this.#spec.ink.soft,
      grid: { stroke: () => this.#spec.ink.grid, width: 1 },
      ticks: { stroke: () => this.#spec.ink.grid, width: 1, size: 4 },
      gap: 4,
      splits: (plot, _axis, from, to) => timeSplits(this.#spec.axis, from, to, plot.over.clientWidth || 600),
      values: (_plot, splits) => this.#timeLabels(splits),
    };
  }

  #timeLabels(splits: number[]): string[] {
    const { axis, range } = this.#spec;
    if (axis.mode === "clock" && axis.t0 !== null) return clockLabels(splits, axis.t0, axis.zone);
    return elapsedLabels(splits, range[1] - range[0]);
  }

  #valueAxis(): uPlot.Axis {
    return {
      label: this.#spec.valueLabel,
      labelSize: 18,
      labelGap: 0,
      labelFont: FONT,
      font: FONT,
      // One width for all panels, so that their time axes lie under each other.
      size: LEFT - 18,
      stroke: () => this.#spec.ink.soft,
      grid: { stroke: () => this.#spec.ink.grid, width: 1 },
      ticks: { stroke: () => this.#spec.ink.grid, width: 1, size: 4 },
      gap: 4,
      values: (_plot, splits) => splits.map((value) => (value === null ? "" : axisNumber(value))),
    };
  }

  #drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const seen = new Set<number>();
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.globalAlpha = 0.55;
    ctx.strokeStyle = this.#spec.ink.soft;
    for (const mark of this.#spec.marks) {
      const x = Math.round(plot.valToPos(mark.t, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width || seen.has(x)) continue;
      seen.add(x);
      ctx.setLineDash(MARK_DASHES[mark.kind].map((part) => part * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #drawQuality(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    // A mark on the edge of the plot is shown whole.
    const rim = 6 * devicePixelRatio;
    ctx.rect(bbox.left - rim, bbox.top - rim, bbox.width + 2 * rim, bbox.height + 2 * rim);
    ctx.clip();
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const one of this.#spec.panel.series) {
      if (one.q && !this.#spec.hidden.has(one.id)) drawFlags(plot, one, this.#spec.ink, this.#spec.range);
    }
    ctx.restore();
  }
}

const FONT = '11px system-ui, "Noto Sans CJK JP", sans-serif';

/** `#rrggbb` with the opacity of an area. */
function shade(area: Area): string {
  return `${area.colour}${Math.round(area.opacity * 255).toString(16).padStart(2, "0")}`;
}

function positiveOnly(one: Series): Series {
  return { ...one, v: Array.from(one.v, (value) => (value !== null && value > 0 ? value : null)) };
}

function yRange(log: boolean): uPlot.Range.Function {
  return (_plot, low, high) => {
    if (!Number.isFinite(low) || !Number.isFinite(high) || low === null || high === null) return log ? [0.1, 10] : [0, 1];
    return log ? uPlot.rangeLog(low, high, 10, false) : uPlot.rangeNum(low, high, 0.08, false);
  };
}

function seriesOptions(one: Series, show: boolean): uPlot.Series {
  const options: uPlot.Series = {
    label: one.label,
    show,
    stroke: one.style.colour,
    width: 1.6,
    dash: one.style.dash,
    points: { size: one.dots ? 7 : 4, stroke: one.style.colour, fill: one.style.colour },
  };
  if (one.stepped && uPlot.paths.stepped) options.paths = uPlot.paths.stepped({ align: 1 });
  if (one.dots) {
    options.paths = () => null;
    options.points = { ...options.points, show: true };
  }
  return options;
}

/** Draws each flag once per spot: thousands on one pixel look like one. */
function drawFlags(plot: uPlot, one: Series, ink: Ink, range: [number, number]): void {
  const { ctx, bbox } = plot;
  const size = 4.2 * devicePixelRatio;
  const seen = new Set<string>();
  for (let i = 0; i < one.t.length; i += 1) {
    const code = one.q?.[i] ?? 0;
    const t = one.t[i] ?? 0;
    if ((code & 0xf) === 0 || t < range[0] || t > range[1]) continue;
    const status = unpackQuality(code).status;
    if (status === "good") continue;
    const value = one.v[i];
    const x = Math.round(plot.valToPos(t, "x", true));
    // A flagged point without a value stands at the foot of the panel.
    const y = value === null || value === undefined ? bbox.top + bbox.height - size - 2 : Math.round(plot.valToPos(value, "y", true));
    const spot = `${status} ${x >> 2} ${y >> 2}`;
    if (seen.has(spot) || !Number.isFinite(y)) continue;
    seen.add(spot);
    const shape = new Path2D();
    shape.addPath(new Path2D(QUALITY_SHAPES[status].path), new DOMMatrix([size, 0, 0, size, x, y]));
    ctx.fillStyle = ink.sheet;
    if (status !== "bad" && status !== "unknown") ctx.fill(shape);
    ctx.strokeStyle = status === "bad" ? ink.bad : ink.ink;
    ctx.stroke(shape);
  }
}
