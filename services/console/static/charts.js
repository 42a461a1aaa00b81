// Draws a trend with a cursor and zoom over the drawing that the page came with; without it, that drawing stays.
"use strict";
{
const DAY = 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n) => String(n).padStart(2, "0");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["ink", "soft", "line", "bar", "band", "expected", "gap", "gap-line", "burst", "unheeded"].map((n) => [n, get(n)]));
}

function when(at, step) {
  const d = new Date(at * 1000);
  const day = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  return step < DAY ? `${day} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}` : day;
}

function label(at, before, apart) {
  const d = new Date(at * 1000), day = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
  if (apart >= 28 * DAY) return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  if (apart >= DAY || (d.getUTCHours() === 0 && d.getUTCMinutes() === 0)) return day;
  const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  return before === undefined ? `${day} ${clock}` : clock;
}

function number(value, measure) {
  if (value === null || value === undefined) return "unknown";
  if (measure === "share") return value < 0.01 ? `${+(100 * value).toPrecision(2)}%` : `${(100 * value).toFixed(1)}%`;
  return value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toPrecision(2);
}

const unheeded = (told, i) => told.coverage[i] === null && !told.posts[i];

// Where nothing or little was heard, or nobody listened, behind everything: unknown is not nought.
function gaps(told) {
  return (u) => {
    const { ctx, bbox } = u, c = colours();
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    told.at.forEach((at, i) => {
      const heard = told.coverage[i], nobody = unheeded(told, i);
      if (!nobody && (heard === null || heard >= told.well)) return;
      const left = u.valToPos(at, "x", true), right = u.valToPos(at + told.step, "x", true);
      ctx.fillStyle = nobody ? c.unheeded : c.gap;
      ctx.globalAlpha = nobody || heard === 0 ? 1 : 0.5;
      ctx.fillRect(left, bbox.top, right - left + 0.5, bbox.height);
    });
    ctx.restore();
  };
}

function marks(told) {
  return (u) => {
    const { ctx, bbox } = u, c = colours();
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = c.burst;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const alert of told.alerts) {
      const x = Math.round(u.valToPos(alert.at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x + 7 * devicePixelRatio, bbox.top + 4 * devicePixelRatio);
      ctx.lineTo(x, bbox.top + 8 * devicePixelRatio);
      ctx.fill();
    }
    // Bursts once more below the axis, so that colour is not all that tells them.
    ctx.setLineDash([]);
    told.at.forEach((at, i) => {
      if (!told.burst[i]) return;
      const left = Math.max(u.valToPos(at, "x", true), bbox.left);
      const right = Math.min(u.valToPos(at + told.step, "x", true), bbox.left + bbox.width);
      if (right > left) ctx.fillRect(left, bbox.top + bbox.height + devicePixelRatio, right - left, 4 * devicePixelRatio);
    });
    ctx.restore();
  };
}

function options(told, width, reading) {
  const c = colours(), grid = { stroke: c.line, width: 1 }, font = "12px system-ui, sans-serif";
  const bars = uPlot.paths.bars({ size: [0.84, 80], align: 1 });
  const stepped = uPlot.paths.stepped({ align: 1 });
  const percent = told.measure === "share";
  const none = { points: { show: false } };
  const series = [{}];
  const bands = [];
  if (told.expected) {
    series.push({ ...none, paths: stepped, stroke: "transparent", fill: c.band });
    series.push({ ...none, paths: stepped, stroke: c.expected, width: 1, dash: [2, 2] });
  }
  series.push({ ...none, paths: bars, fill: c.bar, stroke: "transparent", width: 0 });
  series.push({ ...none, paths: bars, fill: c.burst, stroke: "transparent", width: 0 });
  const most = Math.max(...told.value.map((v) => v ?? 0), percent ? 0.0001 : 1);
  const usual = Math.max(0, ...(told.upper ?? []).map((v) => v ?? 0));
  const top = Math.max(most, Math.min(usual, 1.5 * most)) * (percent ? 1.05 : 1.02);
  return {
    width, height: 260, series, bands, legend: { show: false }, padding: [10, 26, 0, 0],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    scales: { x: { time: true, range: (u, min, max) => [min, Math.max(max, min + told.step)] }, y: { range: [0, top] } },
    cursor: { y: false, drag: { x: true, y: false }, points: { show: false } },
    axes: [
      { stroke: c.soft, grid: { show: false }, ticks: grid, font, size: 30, space: 70, values: (u, all) => all.map((at, i) => label(at, all[i - 1], all[1] - all[0])) },
      { stroke: c.soft, grid, ticks: { show: false }, font, size: percent ? 52 : 40, incrs: percent ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000],
        values: (u, all) => all.map((v) => (percent ? `${+(100 * v).toFixed(2)}%` : v.toLocaleString("en"))) },
    ],
    hooks: { drawClear: [gaps(told)], draw: [marks(told)], setCursor: [(u) => read(u, told, reading)] },
  };
}

function read(u, told, reading) {
  const i = u.cursor.idx;
  reading.replaceChildren();
  const say = (label, value, mark = "") => {
    const part = document.createElement("span"), strong = document.createElement("b");
    part.className = mark;
    strong.textContent = value;
    part.append(`${label} `, strong);
    reading.append(part);
  };
  if (i === null || i === undefined || told.at[i] === undefined) {
    reading.textContent = "Point at a bar to read it; drag to zoom, double-click for all of it.";
    return;
  }
  say("", `${when(told.at[i], told.step)} UTC`);
  if (told.coverage[i] === 0) { say("", "not heard: unknown"); return; }
  if (unheeded(told, i)) { say("", "nobody listened: unknown"); return; }
  const names = { units: "voices", posts: "posts", share: "share" };
  say(names[told.measure], number(told.value[i], told.measure), told.burst[i] ? "is-burst" : "");
  if (told.measure !== "posts") say("posts", number(told.posts[i], "posts"));
  if (told.expected?.[i] != null) say("the past explains", number(told.expected[i], told.measure));
  if (told.upper?.[i] != null) say("usually at most", number(told.upper[i], told.measure));
  if (told.coverage[i] !== null) say("heard", number(told.coverage[i], "share").replace(".0%", "%"));
  if (told.burst[i]) say("", "burst", "is-burst");
  for (const alert of told.alerts) if (alert.at >= told.at[i] && alert.at < told.at[i] + told.step) say("", `${alert.told}: begins here`, "is-burst");
}

function data(told) {
  const calm = told.value.map((v, i) => (told.burst[i] ? null : v));
  const burst = told.value.map((v, i) => (told.burst[i] ? v : null));
  return [told.at, ...(told.expected ? [told.upper, told.expected] : []), calm, burst];
}

function keys(u, told) {
  return (event) => {
    const min = u.scales.x.min, max = u.scales.x.max, all = told.at;
    const zoom = (factor) => {
      const middle = all[u.cursor.idx ?? Math.floor(all.length / 2)], half = ((max - min) * factor) / 2;
      u.setScale("x", { min: Math.max(all[0], middle - half), max: Math.min(all.at(-1) + told.step, middle + half) });
    };
    let i = u.cursor.idx ?? (event.key === "ArrowLeft" ? all.length : -1);
    if (event.key === "ArrowRight") i = Math.min(i + 1, all.length - 1);
    else if (event.key === "ArrowLeft") i = Math.max(i - 1, 0);
    else if (event.key === "Home") i = 0;
    else if (event.key === "End") i = all.length - 1;
    else if (event.key === "+" || event.key === "=") { event.preventDefault(); zoom(0.5); return; }
    else if (event.key === "-") { event.preventDefault(); zoom(2); return; }
    else if (event.key === "0") { event.preventDefault(); u.setScale("x", { min: all[0], max: all.at(-1) + told.step }); return; }
    else return;
    event.preventDefault();
    u.setCursor({ left: u.valToPos(all[i] + told.step / 2, "x"), top: 10 });
  };
}

function draw(figure) {
  const told = JSON.parse(figure.dataset.columns);
  if (told.at.length < 2) return;
  const plot = document.createElement("div"), reading = document.createElement("p");
  plot.className = "plot";
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", `${figure.querySelector("title").textContent} Arrow keys read it step by step.`);
  reading.className = "reading";
  reading.setAttribute("role", "status");
  figure.prepend(plot, reading);
  let u = null;
  const make = () => {
    const zoomed = u && { min: u.scales.x.min, max: u.scales.x.max };
    u?.destroy();
    u = new uPlot(options(told, plot.clientWidth, reading), data(told), plot);
    if (zoomed) u.setScale("x", zoomed);
    read(u, told, reading);
  };
  figure.classList.add("live");
  make();
  plot.addEventListener("keydown", (event) => keys(u, told)(event));
  new ResizeObserver(() => { if (Math.abs(u.width - plot.clientWidth) > 1) u.setSize({ width: plot.clientWidth, height: 260 }); }).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
}

if (window.uPlot) document.querySelectorAll("figure[data-columns]").forEach((figure) => {
  try { draw(figure); } catch (error) { figure.classList.remove("live"); figure.querySelectorAll(".plot, .reading").forEach((at) => at.remove()); throw error; }
});
}
