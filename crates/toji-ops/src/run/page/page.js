"use strict";
// Draws one run from the data in this file. No library, no request; both languages.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const run = data.run, plots = data.plot.channels;
  const WORDS = {
    ja: { charts: "系列", events: "事象", observations: "官能観察", decisions: "判断", samples: "試料と分析値", channels: "系列の一覧", file: "取込元",
      time: "経過時間 (h)", what: "内容", sort: "区分", why: "理由・所見", value: "値", sample: "試料", analyte: "分析対象", method: "方法", attribute: "項目",
      seen: "見たもの", done: "行ったこと", reason: "理由", rejected: "退けた選択肢", expected: "期待", verdict: "判定", points: "点", unit: "単位", name: "名前", flagged: "印付き",
      reset: "全体を表示", simulated: "模擬データ", thinned: "画面用に点を間引いています。全点は保存先にあります。", zoom: "図の上を横に引くと拡大、二度押しで戻ります。", started: "零時刻 (UTC)", zero: "零時刻の意味", vessel: "槽", strain: "株", medium: "培地", none: "なし", notread: "読めなかったもの", made: "Toji が作成", source: "ファイル", hash: "SHA-256", at: "時刻", language: "言語" },
    en: { charts: "Series", events: "Events", observations: "Observations", decisions: "Decisions", samples: "Samples and results", channels: "Channels", file: "Source",
      time: "Elapsed (h)", what: "What", sort: "Sort", why: "Reason or note", value: "Value", sample: "Sample", analyte: "Analyte", method: "Method", attribute: "Attribute",
      seen: "Seen", done: "Done", reason: "Why", rejected: "Rejected", expected: "Expected", verdict: "Verdict", points: "points", unit: "Unit", name: "Name", flagged: "Flagged",
      reset: "Show all", simulated: "Simulated data", thinned: "Points are thinned for the screen; the store has all of them.", zoom: "Drag across a chart to zoom, double-click to go back.", started: "Zero (UTC)", zero: "What zero is", vessel: "Vessel", strain: "Strain", medium: "Medium", none: "none", notread: "Not read", made: "made by Toji", source: "File", hash: "SHA-256", at: "At", language: "Language" },
  };
  let lang = (navigator.language || "").toLowerCase().startsWith("ja") ? "ja" : "en";
  const t = (key) => WORDS[lang][key];
  const tx = (text) => (text && typeof text === "object" ? text[lang] || text.en || "" : text == null ? "" : String(text));
  const W = 1000, H = 150, LEFT = 64, RIGHT = 12, TOP = 8, BOTTOM = 24;
  let full = [Infinity, -Infinity];
  for (const c of plots) if (c.t_s.length) full = [Math.min(full[0], c.t_s[0]), Math.max(full[1], c.t_s[c.t_s.length - 1])];
  if (!(full[0] < full[1])) full = [0, 3600];
  let view = full.slice();
  const panels = [];

  function el(name, attributes, ...children) {
    const node = name.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children.filter((child) => child != null));
    return node;
  }
  const short = (n) => (n === 0 ? "0" : Math.abs(n) >= 1e5 || Math.abs(n) < 1e-3 ? n.toExponential(2) : String(Number(n.toPrecision(5))));
  const hours = (s) => (typeof s === "number" ? short(s / 3600) : "");
  function steps(low, high, n) {
    const raw = (high - low) / n || 1, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw) || 10 * power;
    const out = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) out.push(Number(v.toPrecision(12)));
    return out;
  }
  function lowerBound(t, at) {
    let low = 0, high = t.length;
    while (low < high) { const mid = (low + high) >> 1; if (t[mid] < at) low = mid + 1; else high = mid; }
    return low;
  }
  /** Of each pixel column the first, lowest, highest and last point: no spike and no gap is lost. */
  function thin(c, from, to, columns) {
    const out = [];
    const a = Math.max(0, lowerBound(c.t_s, from) - 1), b = Math.min(c.t_s.length, lowerBound(c.t_s, to) + 1);
    let column = -1, first = -1, low = -1, high = -1, last = -1;
    const flush = () => { for (const i of [...new Set([first, low, high, last])].filter((i) => i >= 0).sort((x, y) => x - y)) out.push(i); };
    for (let i = a; i < b; i++) {
      const v = c.value[i];
      if (v === null) { flush(); first = low = high = last = -1; column = -1; out.push(-1); continue; }
      const at = Math.floor(((c.t_s[i] - from) / (to - from)) * columns);
      if (at !== column) { flush(); column = at; first = low = high = last = i; continue; }
      if (v < c.value[low]) low = i;
      if (v > c.value[high]) high = i;
      last = i;
    }
    flush();
    return out;
  }
  function marks() {
    const out = [];
    const add = (list, label) => { for (const m of list || []) if (typeof m.elapsed_s === "number") out.push([m.elapsed_s, label(m)]); };
    add(run.events, (m) => tx(m.label)); add(run.observations, (m) => tx(m.label)); add(run.decisions, (m) => m.done || ""); add(run.samples, (m) => m.key);
    return out;
  }
  function draw(panel) {
    const { svg, c } = panel;
    svg.replaceChildren();
    const [from, to] = view;
    const index = thin(c, from, to, W - LEFT - RIGHT);
    let low = Infinity, high = -Infinity;
    for (const i of index) if (i >= 0) { low = Math.min(low, c.value[i]); high = Math.max(high, c.value[i]); }
    if (low > high) { low = 0; high = 1; }
    if (low === high) { const pad = Math.abs(low) * 0.05 || 1; low -= pad; high += pad; }
    const x = (s) => LEFT + ((s - from) / (to - from)) * (W - LEFT - RIGHT);
    const y = (v) => TOP + (1 - (v - low) / (high - low)) * (H - TOP - BOTTOM);
    svg.append(el("svg:title", {}, panel.label()));
    for (const v of steps(low, high, 4)) {
      svg.append(el("svg:line", { class: "axis", x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v) }));
      svg.append(el("svg:text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, short(v)));
    }
    for (const h of steps(from / 3600, to / 3600, 10)) svg.append(el("svg:text", { x: x(h * 3600), y: H - 8, "text-anchor": "middle" }, short(h)));
    for (const [at, label] of marks()) if (at >= from && at <= to) svg.append(el("svg:line", { class: "event", x1: x(at), x2: x(at), y1: TOP, y2: H - BOTTOM }, el("svg:title", {}, hours(at) + " h " + label)));
    let path = "", pen = false;
    for (const i of index) {
      if (i < 0) { pen = false; continue; }
      path += (pen ? "L" : "M") + x(c.t_s[i]).toFixed(1) + " " + y(c.value[i]).toFixed(1);
      pen = true;
    }
    const clip = "clip" + panel.n;
    svg.append(el("svg:clipPath", { id: clip }, el("svg:rect", { x: LEFT, y: 0, width: W - LEFT - RIGHT, height: H })));
    svg.append(el("svg:path", { class: "line", d: path, "clip-path": "url(#" + clip + ")" }));
    if (index.length <= 80) for (const i of index) if (i >= 0 && c.t_s[i] >= from && c.t_s[i] <= to) svg.append(el("svg:circle", { class: "dot", cx: x(c.t_s[i]), cy: y(c.value[i]), r: 2.2 }));
    panel.cross = el("svg:line", { class: "cross", x1: -9, x2: -9, y1: TOP, y2: H - BOTTOM });
    panel.pick = el("svg:rect", { class: "pick", x: -9, y: TOP, width: 0, height: H - TOP - BOTTOM });
    svg.append(panel.pick, panel.cross);
  }
  const drawAll = () => panels.forEach(draw);
  function pointAt(svg, event) {
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * W;
    return view[0] + (Math.min(Math.max(px, LEFT), W - RIGHT) - LEFT) / (W - LEFT - RIGHT) * (view[1] - view[0]);
  }
  function cross(at) {
    const px = LEFT + ((at - view[0]) / (view[1] - view[0])) * (W - LEFT - RIGHT);
    for (const p of panels) {
      p.cross.setAttribute("x1", px); p.cross.setAttribute("x2", px);
      const i = lowerBound(p.c.t_s, at), near = i > 0 && (i >= p.c.t_s.length || at - p.c.t_s[i - 1] < p.c.t_s[i] - at) ? i - 1 : i;
      const v = p.c.value[near];
      p.read.textContent = v == null ? "" : hours(p.c.t_s[near]) + " h: " + short(v) + " " + (p.c.unit || "") + (p.c.quality[near] ? " (" + t("flagged") + ")" : "");
    }
  }
  function zoom(svg) {
    let start = null;
    svg.addEventListener("pointerdown", (e) => { start = pointAt(svg, e); });
    svg.addEventListener("pointermove", (e) => {
      const at = pointAt(svg, e);
      cross(at);
      if (start === null) return;
      const x = (s) => LEFT + ((s - view[0]) / (view[1] - view[0])) * (W - LEFT - RIGHT);
      for (const p of panels) { p.pick.setAttribute("x", x(Math.min(start, at))); p.pick.setAttribute("width", Math.abs(x(at) - x(start))); }
    });
    svg.addEventListener("pointerup", (e) => {
      const at = pointAt(svg, e), from = start;
      start = null;
      if (from !== null && Math.abs(at - from) > (view[1] - view[0]) * 0.01) view = [Math.min(from, at), Math.max(from, at)];
      drawAll();
    });
    svg.addEventListener("dblclick", () => { view = full.slice(); drawAll(); });
  }
  function value(v) {
    if (v == null) return "";
    if (typeof v !== "object") return String(v);
    const unit = v.unit || v.raw_unit || "";
    return (v.text || (v.number == null ? v.kind : String(v.number))) + (unit && !(v.text || "").endsWith(unit) ? " " + unit : "");
  }
  function table(caption, head, rows) {
    if (!rows.length) return el("p", { class: "soft" }, t("none"));
    const numeric = head.map((_, i) => rows.every((r) => r[i] === "" || /^-?[\d.e+]+$/.test(r[i])));
    const cls = (i) => (numeric[i] ? { class: "n" } : {});
    return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, el("table", {},
      el("thead", {}, el("tr", {}, ...head.map((h, i) => el("th", { scope: "col", ...cls(i) }, h)))),
      el("tbody", {}, ...rows.map((r) => el("tr", {}, ...r.map((cell, i) => el("td", cls(i), cell)))))));
  }
  function section(id, title, ...nodes) { return el("section", { id }, el("h2", {}, title), ...nodes); }
  function facts() {
    const fields = run.fields || {}, clock = run.clock || {}, file = run.file || {};
    const rows = [[t("started"), clock.t0], [t("zero"), clock.t0_evidence], [t("vessel"), fields.vessel_name || fields.vessel], [t("strain"), fields.strain_name || fields.strain], [t("medium"), fields.medium], [t("source"), file.name], [t("hash"), file.blob]];
    const list = el("dl", {});
    for (const [name, text] of rows) if (text) list.append(el("dt", {}, name), el("dd", {}, String(text)));
    return list;
  }
  function render() {
    document.documentElement.lang = lang;
    document.title = run.title + " · Toji";
    panels.length = 0;
    const main = document.getElementById("main");
    main.replaceChildren();
    const choose = (code, label) => { const b = el("button", { type: "button", lang: code, "aria-pressed": String(lang === code) }, label); b.addEventListener("click", () => { lang = code; render(); }); return b; };
    const reset = el("button", { type: "button" }, t("reset"));
    reset.addEventListener("click", () => { view = full.slice(); drawAll(); });
    main.append(el("div", { class: "bar" }, el("h1", {}, run.title), el("div", { role: "group", "aria-label": t("language") }, choose("ja", "日本語"), " ", choose("en", "English"))));
    main.append(el("p", { class: "soft" }, run.id + " "), ...((run.fields || {}).simulated ? [el("p", {}, el("span", { class: "badge" }, "◇ " + t("simulated")))] : []), facts());
    const charts = section("charts", t("charts"), el("div", { class: "bar" }, el("p", { class: "soft" }, t("zoom") + " " + t("time")), reset), data.thinned ? el("p", {}, t("thinned")) : null);
    plots.forEach((c, n) => {
      if (!c.value.some((v) => v !== null)) return;
      const label = () => tx(c.label) + (c.unit ? " [" + c.unit + "]" : "");
      const svg = el("svg:svg", { viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": label() + ", " + c.total_points + " " + t("points") });
      const read = el("span", { class: "soft read" });
      panels.push({ svg, c, n, label, read });
      charts.append(el("div", { class: "bar" }, el("h3", {}, label()), read), svg);
      zoom(svg);
    });
    main.append(charts);
    const when = (m) => hours(m.elapsed_s);
    main.append(section("events", t("events"), table(t("events"), [t("time"), t("sort"), t("what"), t("why")], (run.events || []).map((m) => [when(m), m.type || m.sort || "", tx(m.label), m.note || m.reason || ""]))));
    main.append(section("observations", t("observations"), table(t("observations"), [t("time"), t("attribute"), t("value"), t("why")], (run.observations || []).map((m) => [when(m), tx(m.label) || m.attribute || "", value(m.value), m.note || ""]))));
    main.append(section("decisions", t("decisions"), table(t("decisions"), [t("time"), t("seen"), t("done"), t("reason"), t("rejected"), t("expected"), t("verdict")], (run.decisions || []).map((m) => { const f = m.fields || m; return [when(f), f.seen || "", f.done || "", f.why || "", f.rejected || "", f.expected || "", f.verdict || ""]; }))));
    const assays = (run.samples || []).flatMap((s) => (s.assays && s.assays.length ? s.assays : [{}]).map((a) => [when(s), s.key, a.analyte || "", value(a.value), a.method || ""]));
    main.append(section("samples", t("samples"), table(t("samples"), [t("time"), t("sample"), t("analyte"), t("value"), t("method")], assays)));
    main.append(section("channels", t("channels"), table(t("channels"), [t("name"), t("unit"), t("points"), t("flagged")], (run.channels || []).map((c) => [tx(c.label), c.unit || c.raw_unit || "", String(c.points ?? ""), String(c.flagged ?? "")]))));
    const lost = ((run.file || {}).not_read || []).map((n) => [JSON.stringify(n.place || {}), n.text || "", tx(n.reason)]);
    main.append(section("file", t("file"), el("h3", {}, t("notread")), table(t("notread"), [t("at"), t("what"), t("why")], lost)));
    main.append(el("p", { class: "soft" }, t("made") + " " + data.toji));
    drawAll();
  }
  render();
})();
