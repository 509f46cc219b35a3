// The worksheet that a team argues about before a route is shipped, and what comes of it beside other policies.
import { html } from "../html.js";
import { useData } from "../parts/api.js";
import { Word } from "../parts/filters.js";
import { count, money, moment, percent, seconds, short } from "../parts/format.js";
import { ranged, Reckoned } from "../parts/reckoned.js";
import { Panel, Tile } from "../parts/states.js";
import { Table } from "../parts/table.js";

const SWINGS = 12;

export default function Worksheet({ params, setParams }) {
  const from = useData("admin/worksheet", { volume: params.volume });
  const ready = from.data && !from.data.missing;
  return html`
    <div class="bar">
      <${Word} label="Volume" name="volume" value=${params.volume} placeholder="as the log counts, or 1M/month" size="30" first onChange=${(name, value) => setParams({ [name]: value })} />
      <button type="button" disabled=${!ready} onClick=${() => save(from.data)}>Download CSV</button>
    </div>
    <${Reckoned} from=${from} what="the worksheet">${(data) => html`<${Shown} data=${data} />`}<//>`;
}

/** A file of the browser's own making: the key stays out of every address. */
function save(data) {
  const at = URL.createObjectURL(new Blob([data.csv], { type: "text/csv" }));
  const anchor = document.createElement("a");
  anchor.href = at;
  anchor.download = `worksheet-${data.estimate.fingerprint}.csv`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(at), 10_000);
}

function Shown({ data }) {
  const found = data.estimate;
  const spec = found.policies.find((one) => one.name === "spec");
  return html`
    <${Tiles} spec=${spec} />
    <p class="note">${data.requests ? `Measured by ${count(data.requests)} requests, ${data.since} to ${data.until}: at most the newest ${count(data.most)} of the last ${data.days} days.` : `The log holds no request of the last ${data.days} days: nothing is measured, and every number is assumed or written down.`}
      ${" "}At ${count(data.per.month)} requests a month (${source(found.volume.source)}). Ranges hold nine times out of ten. Made ${moment(data.made)}, kept for a minute; savings are against everything to the best model.</p>
    <div class="panels">
      <${Sheet} rows=${found.worksheet.rows} />
      <${Policies} policies=${found.policies} absent=${found.absent} />
      <${Tasks} tasks=${spec.tasks} />
      <${Swings} swings=${found.sensitivity} />
      <${Points} points=${found.break_even} />
      <${Granted} said=${found.assumed} />
    </div>`;
}

/** Where a number came from, in words: measured n=420, assumed: prior of its tier. */
function source(of) {
  return `${of.kind}${of.n ? ` n=${count(of.n)}` : ""}${of.note && of.note !== "log" ? `: ${of.note}` : ""}`;
}

const sourced = (number, show) => html`${show(number.value)}<span class="note from">${source(number.source)}</span>`;
const thousand = (value) => money(1000 * value);
const signed = (show) => (value) => (value < 0 ? `−${show(-value)}` : show(value));
const points = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)} points`;

function Tiles({ spec }) {
  const tone = (range) => (range.low > 0 ? "good" : range.high < 0 ? "bad" : "");
  const span = (range, show) => `${show(range.low)} … ${show(range.high)}`;
  const saved = signed(money);
  return html`<dl class="tiles">
    <${Tile} label="Cost per 1,000" value=${thousand(spec.cost.value)} note=${span(spec.cost, thousand)} />
    <${Tile} label="Quality" value=${percent(spec.quality.value)} note=${span(spec.quality, percent)} />
    <${Tile} label="Latency, median" value=${seconds(spec.latency_p50.value)} note=${`p95 ${seconds(spec.latency_p95.value)}`} />
    <${Tile} label="Risk per 1,000" value=${thousand(spec.risk.value)} note=${spec.risk.value ? span(spec.risk, thousand) : "no task names a failure cost"} />
    <${Tile} label="Saved a day" value=${saved(spec.saving.day.value)} note=${span(spec.saving.day, saved)} tone=${tone(spec.saving.day)} />
    <${Tile} label="Saved a month" value=${saved(spec.saving.month.value)} note=${span(spec.saving.month, saved)} tone=${tone(spec.saving.month)} />
    <${Tile} label="Saved a year" value=${saved(spec.saving.year.value)} note=${span(spec.saving.year, saved)} tone=${tone(spec.saving.year)} />
  </dl>`;
}

function Sheet({ rows }) {
  const number = (name, title, show) => ({ name, title, number: true, sort: (one) => one[name].value, show: (one) => sourced(one[name], show) });
  const columns = [
    { name: "task", title: "Task", sort: (one) => one.task, show: (one) => one.task },
    number("traffic_share", "Share", percent),
    number("quality_threshold", "Bar", (value) => percent(value, 0)),
    { name: "primary", title: "Primary", show: (one) => one.primary_model || "–" },
    { name: "fallback", title: "Fallback", show: (one) => one.fallback_model || "–" },
    number("tokens_in", "Tokens in", count),
    number("tokens_out", "Out", count),
    { name: "validation", title: "Validation", wide: true, show: (one) => one.validation },
    number("pass_rate", "Pass rate", percent),
    number("latency_p50", "Median", seconds),
    number("latency_p95", "p95", seconds),
    number("cost", "USD per 1,000", thousand),
    { name: "reviewed", title: "Reviewed", show: (one) => one.reviewed || "never" },
  ];
  return html`<${Panel} id="sheet" title="Worksheet" wide>
    <${Table} caption="Worksheet" columns=${columns} rows=${rows} row_key=${(one) => one.task} />
    <p class="note">Each number says where it came from. <strong>measured</strong> n: counted in the log; <strong>assumed</strong>: a guess, to be replaced; <strong>catalogue</strong>: a price list; <strong>config</strong>: the spec lays it down.
      Pass rate, latency and cost are those of one call of the primary model. The CSV holds every model of the fleet; fill it in and give it to <code>tierline estimate --worksheet</code>.</p>
  <//>`;
}

function Policies({ policies, absent }) {
  const saved = signed(money);
  const saving = (period) => ({ name: period, title: `Saved a ${period}`, number: true, sort: (one) => one.saving[period].value, show: (one) => (one.name === "all best" ? "–" : ranged(one.saving[period], saved)) });
  const figure = (name, title, show) => ({ name, title, number: true, sort: (one) => one[name].value, show: (one) => ranged(one[name], show) });
  const columns = [
    { name: "name", title: "Policy", wide: true, show: (one) => html`<strong>${one.name}</strong><br /><span class="note">${one.about}</span>` },
    figure("cost", "Cost per 1,000", thousand),
    figure("quality", "Quality", percent),
    figure("latency_p50", "Median", seconds),
    figure("latency_p95", "p95", seconds),
    figure("risk", "Risk per 1,000", thousand),
    saving("day"), saving("month"), saving("year"),
    { name: "change", title: "Quality against the best", number: true, show: (one) => (one.name === "all best" ? "–" : ranged(one.saving.quality, points)) },
  ];
  return html`<${Panel} id="policies" title="Policies side by side" wide>
    <${Table} caption="Policies side by side" columns=${columns} rows=${policies} row_key=${(one) => one.name} />
    ${Object.entries(absent).map(([name, why]) => html`<p class="note" key=${name}>No policy <strong>${name}</strong>: ${why}.</p>`)}
    <p class="note">Risk is the probability of a wrong answer times what it costs (<code>failure_cost</code> of the task; nothing where it names none).</p>
  <//>`;
}

function Tasks({ tasks }) {
  const figure = (name, title, show) => ({ name, title, number: true, sort: (one) => one[name].value, show: (one) => ranged(one[name], show) });
  const share = (name, title) => ({ name, title, number: true, sort: (one) => one[name], show: (one) => percent(one[name]) });
  const columns = [
    { name: "task", title: "Task", show: (one) => one.task },
    figure("cost", "Cost per 1,000", thousand),
    figure("quality", "Quality", percent),
    { name: "meets_bar", title: "Meets its bar", number: true, sort: (one) => one.meets_bar, show: (one) => html`${percent(one.meets_bar, 0)}<br /><span class="note">of draws</span>` },
    figure("latency_p95", "p95", seconds),
    figure("risk", "Risk per 1,000", thousand),
    share("retried", "Retried"), share("escalated", "Climbs"), share("fell_back", "Falls back"), share("flagged", "Flagged"),
  ];
  return html`<${Panel} id="tasks" title="Tasks under the spec" wide><${Table} caption="Tasks under the spec" columns=${columns} rows=${tasks} row_key=${(one) => one.task} /><//>`;
}

function Swings({ swings }) {
  const unit = (one) => (/^(tokens in|tokens out|thinking)(\/|$)/.test(one.name) ? count : percent);
  const pair = ([low, high], show) => html`${show(low)} … ${show(high)}`;
  const columns = [
    { name: "name", title: "Input", wide: true, show: (one) => one.name },
    { name: "from", title: "Between", number: true, show: (one) => pair([one.low, one.high], unit(one)) },
    { name: "whole", title: "Cost and risk per 1,000", number: true, show: (one) => pair(one.whole, thousand) },
    { name: "quality", title: "Quality", number: true, show: (one) => pair(one.quality, percent) },
  ];
  return html`<${Panel} id="swings" title="What moves the answer most">
    ${swings.length ? html`<${Table} caption="What moves the answer most" columns=${columns} rows=${swings.slice(0, SWINGS)} row_key=${(one) => one.name} />
      <p class="note">Each input alone, between its 10th and 90th percentile; the widest first${swings.length > SWINGS ? `, ${SWINGS} of ${swings.length}` : ""}. Measure the top one next.</p>`
      : html`<p class="note">No input is uncertain.</p>`}
  <//>`;
}

const Points = ({ points }) => html`<${Panel} id="points" title="Where it stops paying">
  ${points.length ? html`<ul>${points.map((one, at) => html`<li key=${at}>${one.task && html`<strong>${one.task}</strong>: `}${one.says}.${" "}
    <span class="note">${standing(one)}</span></li>`)}</ul>` : html`<p class="note">There is no second choice in any task, so nothing to break even with.</p>`}
<//>`;

/** Where a break-even point stands today, in its unit. */
function standing(one) {
  if (one.kind === "pass rate" || one.kind === "escalations") return `Now ${percent(one.now)}.`;
  return one.kind === "volume" && one.now ? `Now ${short(one.now)} a month.` : "";
}

const Granted = ({ said }) => html`<${Panel} id="granted" title="Taken for granted"><ul>${said.map((one) => html`<li key=${one}>${one}</li>`)}</ul><//>`;
