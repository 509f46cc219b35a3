// Every model: is it well, what does it cost, how does it answer; and one of them over time.
import { html, useCallback, useMemo } from "../html.js";
import { useData } from "../parts/api.js";
import { hue, TimeChart } from "../parts/chart.js";
import { Detail, refocus } from "../parts/detail.js";
import { bounds, Range } from "../parts/filters.js";
import { ago, count, money, percent, seconds, short } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Empty, Loaded, Panel } from "../parts/states.js";
import { Table } from "../parts/table.js";

export default function Models({ session, params, setParams }) {
  const { range, since, until } = params;
  const asked = useMemo(() => bounds({ range, since, until }), [range, since, until, Math.floor(Date.now() / 60_000)]);
  const from = useData("admin/models", asked, { every: 10 });
  return html`
    <div class="bar"><${Range} params=${params} setParams=${setParams} /></div>
    <${Loaded} from=${from} what="the models">${(data) => html`<${Shown} data=${data} params=${params} setParams=${setParams} asked=${asked} session=${session} />`}<//>`;
}

function Shown({ data, params, setParams, asked, session }) {
  const open = useCallback((one) => setParams({ open: one.name }), [setParams]);
  const close = useCallback(() => {
    setParams({ open: "" });
    refocus();
  }, [setParams]);
  const shares = useMemo(() => ({
    times: data.series.times,
    series: Object.entries(data.series.requests).map(([title, values], at) => ({ title, values, colour: hue(at) })),
  }), [data.series]);
  const chosen = data.models.find((one) => one.name === params.open);
  const columns = chosen ? COLUMNS.filter((one) => ["name", "health", "share", "cost", "passed"].includes(one.name)) : COLUMNS;
  return html`${data.left > 0 && html`<p class="stale" role="status">${count(data.left)} requests are still being added up; the figures lack them for now.</p>`}
    <div class=${chosen ? "split" : ""}>
      <div class="stack">
        <section class="panel" aria-label="Models"><${Table} caption="Models, as they stand and what they did" columns=${columns} rows=${data.models} row_key=${(one) => one.name} onOpen=${open} chosen=${params.open} />
          <p class="note">Health is what this worker sees now. A call is every attempt, whether its answer went out or not; calls are counted in the newest ${count(data.rows)} decisions of the time. Prices are USD per million tokens, in / out.</p></section>
        ${shares.series.length > 0 && html`<${Panel} id="share" title="Answers over time, by model"><${TimeChart} title="Requests by the model that answered" times=${shares.times} series=${shares.series} show=${short} stacked /><//>`}
      </div>
      ${chosen && html`<${One} key=${chosen.name} one=${chosen} asked=${asked} params=${params} onClose=${close} session=${session} />`}
      ${params.open && !chosen && html`<${Empty} title="There is no such model.">The spec at work does not name ${params.open}.<//>`}
    </div>`;
}

/** What a model's doors say together: in words, with the tone that fits. */
function standing(health) {
  if (!health) return ["no longer in the spec", ""];
  const shut = health.doors.filter((door) => door.state === "open");
  if (shut.length === health.doors.length) return [`rests ${seconds(Math.max(...shut.map((door) => door.rest)))}`, "bad"];
  if (shut.length) return [`${shut.length} of ${health.doors.length} doors rest`, "warn"];
  if (health.doors.some((door) => door.state === "half_open")) return ["tries again", "warn"];
  if (health.pressure > 0) return [`under pressure ${percent(health.pressure, 0)}`, "warn"];
  return ["well", "good"];
}

function Health({ one }) {
  const [said, tone] = standing(one.health);
  return html`<span class=${tone}>${said}</span>${one.alerts.length > 0 && html` <span class="tag warn">${one.alerts.length === 1 ? "1 alert" : `${one.alerts.length} alerts`}</span>`}`;
}

const figure = (one, name) => one.figures?.[name] ?? null;
const price = (one) => (one.price ? `${money(one.price.input)} / ${money(one.price.output)}` : "unknown");

const COLUMNS = [
  { name: "name", title: "Model", sort: (one) => one.name, show: (one) => html`${one.name}<br /><span class="note">${one.model?.tier ?? ""}</span>` },
  { name: "health", title: "Health", show: (one) => html`<${Health} one=${one} />` },
  { name: "load", title: "In flight", number: true, sort: (one) => one.health?.in_flight ?? 0, show: (one) => html`${count(one.health?.in_flight)}${one.health?.waiting > 0 && html` <span class="warn">+ ${count(one.health.waiting)} waiting</span>`}` },
  { name: "share", title: "Answers", number: true, sort: (one) => figure(one, "requests"), show: (one) => html`${short(figure(one, "requests") ?? 0)} <span class="note">${percent(figure(one, "request_share") ?? 0, 0)}</span>` },
  { name: "cost", title: "Cost", number: true, sort: (one) => figure(one, "cost"), show: (one) => html`${money(figure(one, "cost") ?? 0)} <span class="note">${percent(figure(one, "cost_share") ?? 0, 0)}</span>` },
  { name: "p50", title: "Median", number: true, sort: (one) => figure(one, "latency_p50"), show: (one) => seconds(figure(one, "latency_p50")) },
  { name: "p95", title: "p95", number: true, sort: (one) => figure(one, "latency_p95"), show: (one) => seconds(figure(one, "latency_p95")) },
  { name: "calls", title: "Calls", number: true, sort: (one) => one.calls?.calls ?? 0, show: (one) => count(one.calls?.calls ?? 0) },
  { name: "passed", title: "Passed", number: true, sort: (one) => one.calls?.pass_rate, show: (one) => percent(one.calls?.pass_rate) },
  { name: "broke", title: "Broke", number: true, sort: (one) => one.calls?.broke, show: (one) => percent(one.calls?.broke) },
  { name: "price", title: "Price in / out", number: true, sort: (one) => one.price?.input, show: (one) => html`${price(one)}<br /><span class="note">${SOURCES[one.model?.source] ?? ""}</span>` },
];

const SOURCES = { spec: "the spec says so", catalogue: "from the catalogue", unknown: "nobody says so" };
const STATES = { closed: "open for calls", open: "rests", half_open: "tries one call" };

function One({ one, asked, params, onClose }) {
  const { model, health, calls, alerts } = one;
  const from = useData(`admin/models/${encodeURIComponent(one.name)}`, asked, { skip: !model });
  const onward = link("decisions", { model: one.name, range: params.range, since: params.since, until: params.until });
  return html`<${Detail} title=${html`Model <code>${one.name}</code>`} onClose=${onClose}>
    ${alerts.length > 0 && html`<h3>Open alerts</h3><ul class="alerts">${alerts.map((alert) => html`<li key=${alert.id}><strong>${alert.what}</strong> <span class="note">since ${ago(alert.since)} · ${percent(alert.sure, 0)} sure</span><br />${alert.todo}</li>`)}</ul>`}
    ${model && html`<dl class="facts">
      <dt>Upstream</dt><dd><code>${model.upstream}</code> at ${model.provider}</dd>
      <dt>Tier</dt><dd>${model.tier}</dd>
      <dt>Place</dt><dd>${[model.residency, model.region].filter(Boolean).join(", ") || "not said"}</dd>
      <dt>Window</dt><dd>${model.context ? `${count(model.context)} tokens` : "unknown"}${model.max_output ? `, answers up to ${count(model.max_output)}` : ""}</dd>
      <dt>Can</dt><dd>${model.capabilities.join(", ")}</dd>
      <dt>At once</dt><dd>${model.max_concurrency ? `${count(model.max_concurrency)} calls, ${count(model.max_queue)} may wait` : "no limit of its own"}</dd>
      <dt>Price</dt><dd>${one.price ? `${money(one.price.input)} in, ${money(one.price.output)} out${one.price.cache_read === null ? "" : `, ${money(one.price.cache_read)} read from cache`}${one.price.cache_write === null ? "" : `, ${money(one.price.cache_write)} written to it`}, per million tokens` : "unknown, so it counts as the dearest"} <span class="note">${SOURCES[model.source] ?? model.source}</span></dd>
    </dl>`}
    ${health && html`<h3>Health now</h3><${Table} caption="Doors" columns=${DOORS} rows=${health.doors} row_key=${(door) => door.door} />
      <p class="note">Seen by this worker: median ${seconds(known(health.p50))}, p95 ${seconds(known(health.p95))}, first words within ${seconds(known(health.ttft_p95))} (p95) · pressure ${percent(health.pressure, 0)}</p>`}
    <h3>Calls</h3>
    ${calls ? html`<p>${count(calls.calls)} calls, ${money(calls.cost)} each, ${percent(calls.broke)} broke${Object.keys(calls.errors).length > 0 && ` (${Object.entries(calls.errors).map(([error, times]) => `${error} ${count(times)}`).join(", ")})`}; ${calls.checked ? `${count(calls.checked)} answers were checked and ${percent(calls.pass_rate)} passed` : "no answer was checked"}${calls.ttft === null ? "" : `; first words after ${seconds(calls.ttft)} (median)`}.</p>`
      : html`<p class="note">It was not called in the newest decisions of this time.</p>`}
    <p><a href=${onward}>Decisions that it answered</a></p>
    ${model && html`<${Loaded} from=${from} what="its figures">${(data) => html`<${Over} data=${data} />`}<//>`}
  <//>`;
}

const known = (value) => (value === 0 ? null : value);

const DOORS = [
  { name: "door", title: "Door", show: (door) => door.door },
  { name: "state", title: "Breaker", show: (door) => html`<span class=${door.state === "closed" ? "good" : door.state === "open" ? "bad" : "warn"}>${STATES[door.state] ?? door.state}</span>` },
  { name: "rest", title: "Rests for", number: true, show: (door) => (door.rest ? seconds(door.rest) : "") },
  { name: "in_flight", title: "In flight", number: true, show: (door) => count(door.in_flight) },
];

function Over({ data }) {
  const { series } = data;
  const drawn = useMemo(() => ({
    cost: [{ title: "cost", values: series.cost, colour: "--series-2" }],
    latency: [{ title: "median", values: series.latency_p50, colour: "--series-2" }, { title: "p95", values: series.latency_p95, colour: "--series-4" }],
    rates: [
      { title: "checks passed", values: series.pass_rate, colour: "--series-1" },
      { title: "after a climb", values: series.escalation_rate, colour: "--series-3" },
      { title: "after a fallback", values: series.fallback_rate, colour: "--series-4" },
    ],
  }), [series]);
  if (!series.requests.some(Boolean)) return html`<p class="note">It answered nothing in this time, so there is nothing to draw.</p>`;
  return html`<h3>Over time, where it answered</h3>
    <${TimeChart} title="Seconds to a whole answer" times=${series.times} series=${drawn.latency} show=${seconds} />
    <${TimeChart} title="Share of its answers" times=${series.times} series=${drawn.rates} show=${(value) => percent(value, 0)} />
    <${TimeChart} title="Cost, USD" times=${series.times} series=${drawn.cost} show=${money} />`;
}
