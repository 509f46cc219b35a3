// Charts over time, drawn by uPlot from the theme's colours; each with its figures as a table for those who do not see it.
import { html, useEffect, useRef } from "../html.js";
import { clock, day, moment } from "./format.js";

const HEIGHT = 170;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The colour of the n-th series, a CSS variable. */
export const hue = (index) => `--series-${(index % 8) + 1}`;

const stack = (series) => {
  const below = series[0].values.map(() => 0);
  return series.map((one) => one.values.map((value, at) => (below[at] += value ?? 0)));
};

function options(series, { stacked, show, width, label, whole }) {
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--quiet"), grid, ticks: grid, font: "11px system-ui, sans-serif" };
  const drawn = series.map((one, at) => ({
    label: one.title,
    stroke: colour(one.colour ?? hue(at)),
    width: stacked ? 1 : 1.75,
    fill: stacked ? colour(one.colour ?? hue(at)) : undefined,
    dash: one.dashed ? [5, 4] : undefined,
    points: { show: whole < 3 },
    spanGaps: false,
  }));
  return {
    width, height: HEIGHT, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } }, padding: [10, 8, 0, 0],
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      { ...axis, size: 28, values: (_, ticks, __, ___, step) => ticks.map((at) => (step >= 86400 || new Date(at * 1000).getHours() + new Date(at * 1000).getMinutes() === 0 ? day(at) : clock(at, at).slice(0, 5))) },
      { ...axis, size: 68, values: (_, ticks) => ticks.map(show) },
    ],
    series: [{}, ...(stacked ? drawn.reverse() : drawn)],
    hooks: { setCursor: [label] },
  };
}

/** `series`: `[{title, values, colour?, dashed?}]` over `times` (Unix seconds); `show` writes a value. `stacked`: one upon the other. */
export function TimeChart({ title, times, series, show, stacked = false }) {
  const place = useRef(null);
  const told = useRef(null);
  useEffect(() => {
    const box = place.current;
    if (!box || !times.length) return undefined;
    const heights = stacked ? stack(series).reverse() : series.map((one) => one.values);
    const label = (chart) => {
      const at = chart.cursor.idx;
      told.current.textContent = at === null || at === undefined ? "" : `${moment(times[at]).slice(5, 16)} · ${series.map((one) => `${one.title} ${show(one.values[at])}`).join(" · ")}`;
    };
    let chart = null;
    const draw = () => {
      chart?.destroy();
      chart = new window.uPlot(options(series, { stacked, show, width: box.clientWidth, label, whole: times.length }), [times, ...heights], box);
    };
    draw();
    const watch = new ResizeObserver(() => chart && chart.width !== box.clientWidth && chart.setSize({ width: box.clientWidth, height: HEIGHT }));
    watch.observe(box);
    window.addEventListener("tierline:theme", draw);
    return () => {
      watch.disconnect();
      window.removeEventListener("tierline:theme", draw);
      chart?.destroy();
    };
  }, [times, series, stacked]);
  return html`<figure class="chart">
    <figcaption>${title}<${Legend} series=${series} /></figcaption>
    <div class="canvas" ref=${place} role="img" aria-label=${`${title}, over time. The figures are in the table below.`}></div>
    <p class="reading" ref=${told} aria-hidden="true"></p>
    <details><summary>Figures as a table<span class="hidden">: ${title}</span></summary>
      <div class="scroll short" tabindex="0" role="region" aria-label=${`${title}, figures`}><table>
        <thead><tr><th scope="col">From</th>${series.map((one) => html`<th scope="col" class="number">${one.title}</th>`)}</tr></thead>
        <tbody>${times.map((at, row) => html`<tr key=${at}><th scope="row">${moment(at).slice(0, 16)}</th>${series.map((one) => html`<td class="number">${show(one.values[row])}</td>`)}</tr>`)}</tbody>
      </table></div>
    </details>
  </figure>`;
}

export const Legend = ({ series }) => html`<span class="legend" aria-hidden="true">${series.map((one, at) => html`
  <span><i class=${`swatch s${(one.colour ?? hue(at)).slice(-1)}`}></i>${one.title}</span>`)}</span>`;

/** One bar cut into shares, with a mark where each is usual: `parts`: `[{title, share, note, band?: [from, to]}]`. */
export function Shares({ label, parts }) {
  return html`<div class="shares" role="img" aria-label=${`${label}: ${parts.map((one) => `${one.title} ${(one.share * 100).toFixed(1)} %`).join(", ")}`}>
    ${parts.map((one, at) => html`<svg key=${one.title} class=${`share s${(one.colour ?? hue(at)).slice(-1)}`} preserveAspectRatio="none" viewBox="0 0 100 10" aria-hidden="true">
      <rect class="ground" width="100" height="10" />
      ${one.band && html`<rect class="band" x=${one.band[0] * 100} width=${(one.band[1] - one.band[0]) * 100} height="10" />`}
      <rect class="bar" y="2" width=${Math.max(0, Math.min(one.share, 1)) * 100} height="6" />
    </svg>`)}
  </div>`;
}
