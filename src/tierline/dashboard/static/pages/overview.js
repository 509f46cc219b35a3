// What happened in a time, and what an engineer should look at first.
import { html, useMemo } from "../html.js";
import { useData } from "../parts/api.js";
import { Shares, TimeChart } from "../parts/chart.js";
import { bounds, Choice, Range } from "../parts/filters.js";
import { ago, count, money, moment, named, percent, seconds, short, span } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Empty, Loaded, Panel, Tile } from "../parts/states.js";
import { Table } from "../parts/table.js";

const SPANS = { 60: "by the minute", 3600: "by the hour", 86400: "by the day, UTC" };

export default function Overview({ session, params, setParams }) {
  const { range, since, until } = params;
  const asked = useMemo(() => bounds({ range, since, until }), [range, since, until, Math.floor(Date.now() / 60_000)]);
  const narrowed = { route: params.route, task: params.task, model: params.model };
  const from = useData("admin/overview", { ...asked, ...narrowed }, { every: 30 });
  const change = (name, value) => setParams({ [name]: value });
  return html`
    <div class="bar">
      <${Range} params=${params} setParams=${setParams} />
      <${Choice} label="Route" name="route" value=${params.route} choices=${session.routes} onChange=${change} />
      <${Choice} label="Task" name="task" value=${params.task} choices=${session.tasks} onChange=${change} />
      <${Choice} label="Model" name="model" value=${params.model} choices=${session.models.map((one) => one.name)} onChange=${change} />
    </div>
    <${Loaded} from=${from} what="the overview">${(data) => html`<${Shown} data=${data} params=${params} session=${session} />`}<//>`;
}

function Shown({ data, params, session }) {
  const { total, before } = data;
  const onward = (more) => link("decisions", { range: params.range, since: params.since, until: params.until, route: params.route, task: params.task, ...more });
  const left = data.left > 0 && html`<p class="stale" role="status">${count(data.left)} requests are still being added up; the figures lack them for now.</p>`;
  if (!total.requests) {
    return html`${left}<${Alerts} alerts=${data.alerts} /><${Empty} title="Nothing was asked in this time.">
      Take a longer time, or send the gateway a request: <code>POST /v1/chat/completions</code> with <code>"model": "auto"</code>.<//>`;
  }
  return html`${left}
    <${Alerts} alerts=${data.alerts} />
    <${Tiles} data=${data} total=${total} before=${before} />
    <p class="note">${moment(data.since)} to ${moment(Math.min(data.until, Date.now() / 1000))}, ${SPANS[data.span]}. Changes are against the ${span(data.until - data.since)} before.</p>
    <div class="panels">
      <${Tiers} data=${data} onward=${onward} session=${session} />
      <${Money} data=${data} />
      <${Over} data=${data} session=${session} />
      <${Groups} id="models" title="Models" groups=${data.models} onward=${onward} filter="model" />
      <${Groups} id="tasks" title="Tasks" groups=${data.tasks} onward=${onward} filter="task" />
      ${data.routes.length > 1 && html`<${Groups} id="routes" title="Routes" groups=${data.routes} onward=${onward} filter="route" />`}
      <${Quality} data=${data} />
    </div>`;
}

/** The colour of a tier, the same everywhere: by its place in the spec, grey where no model answered. */
const tierHue = (session, tier) => {
  const at = session.tiers.indexOf(tier);
  return `--series-${at < 0 ? 8 : (at % 7) + 1}`;
};

/** How a figure has changed since the time before, in words. */
function change(now, then) {
  if (!then) return "";
  const by = now / then - 1;
  return Math.abs(by) < 0.005 ? "as before" : `${by > 0 ? "+" : "−"}${Math.abs(by * 100).toFixed(Math.abs(by) < 0.1 ? 1 : 0)} %`;
}

function points(now, then) {
  if (now === null || then === null) return "";
  const by = (now - then) * 100;
  return Math.abs(by) < 0.05 ? "as before" : `${by > 0 ? "+" : "−"}${Math.abs(by).toFixed(1)} points`;
}

function Tiles({ data, total, before }) {
  const base = data.all_best;
  const saved = base && base.cost ? 1 - base.spent / base.cost : null;
  return html`<dl class="tiles">
    <${Tile} label="Requests" value=${short(total.requests)} note=${change(total.requests, before.requests)} />
    <${Tile} label="Cost" value=${money(total.cost)} note=${change(total.cost, before.cost)} />
    <${Tile} label="Cost per 1,000" value=${money((1000 * total.cost) / total.requests)} note=${before.requests ? change(total.cost / total.requests, before.cost / before.requests) : ""} />
    <${Tile} label="Saved against all-best" value=${percent(saved, 0)} note=${base ? `${money(base.cost)} at ${base.model}` : "no answer to compare"} tone=${saved > 0 ? "good" : ""} />
    <${Tile} label="Checks passed" value=${percent(total.pass_rate)} note=${total.checked ? `${short(total.checked)} answers · ${points(total.pass_rate, before.pass_rate)}` : "no answer was checked"} />
    <${Tile} label="Latency, median" value=${seconds(total.latency_p50)} note=${`p95 ${seconds(total.latency_p95)}`} />
    <${Tile} label="Escalations" value=${percent(total.escalation_rate)} note=${points(total.escalation_rate, before.escalation_rate)} />
    <${Tile} label="Fallbacks" value=${percent(total.fallback_rate)} note=${points(total.fallback_rate, before.fallback_rate)} />
    <${Tile} label="Failed" value=${percent(total.failed_rate, 2)} note=${points(total.failed_rate, before.failed_rate)} tone=${total.failed_rate > 0.02 ? "bad" : ""} />
  </dl>`;
}

const Alerts = ({ alerts }) => alerts.length > 0 && html`<${Panel} id="alerts" title=${`Open alerts: ${alerts.length}`} wide>
  <ul class="alerts">${alerts.slice(0, 8).map((one) => html`<li key=${one.id}><strong>${one.what}</strong>
    <span class="note">${one.watch}${one.subject && ` · ${one.subject}`} · since ${ago(one.since)} · ${percent(one.sure, 0)} sure</span><br />${one.todo}
    ${one.requests?.length > 0 && html` <a href=${link("decisions", { id: one.requests[0], open: one.requests[0], range: "all" })}>one that shows it</a>`}</li>`)}</ul>
<//>`;

const band = (range) => `${(range[0] * 100).toFixed(0)}–${(range[1] * 100).toFixed(0)} %`;
const within = (share, range) => (range ? (share < range[0] ? "below" : share > range[1] ? "above" : "within") : "");

function Tiers({ data, onward, session }) {
  const told = (group, figure, share) => {
    const usual = data.bands[group.name]?.[figure];
    return html`${percent(share)}${usual && html`<br /><span class="note">${within(share, usual)} the usual ${band(usual)}</span>`}`;
  };
  const columns = [
    { name: "tier", title: "Tier", show: (one) => html`<i class=${`swatch s${tierHue(session, one.name).slice(-1)}`} aria-hidden="true"></i>${one.name ? html`<a href=${onward({ tier: one.name })}>${one.name}</a>` : html`<span class="note">no model</span>`}` },
    { name: "requests", title: "Requests", number: true, show: (one) => count(one.requests) },
    { name: "request_share", title: "of requests", number: true, show: (one) => told(one, "requests", one.request_share) },
    { name: "cost", title: "Cost", number: true, show: (one) => money(one.cost) },
    { name: "cost_share", title: "of cost", number: true, show: (one) => told(one, "cost", one.cost_share) },
  ];
  const parts = (share, figure) => data.tiers.map((one) => ({ title: named(one.name, "no model"), share: one[share], band: data.bands[one.name]?.[figure], colour: tierHue(session, one.name) }));
  return html`<${Panel} id="tiers" title="Traffic by tier">
    <h3>By count</h3><${Shares} label="Requests by tier" parts=${parts("request_share", "requests")} />
    <h3>By cost</h3><${Shares} label="Cost by tier" parts=${parts("cost_share", "cost")} />
    <${Table} caption="Traffic by tier" columns=${columns} rows=${data.tiers} row_key=${(one) => one.name} />
    <p class="note">Grey marks what is usual: 60–70 % of requests at the first tier, 10–15 % at the last with 30–40 % of the cost. A tier is that of the step that answered.</p>
  <//>`;
}

function Money({ data }) {
  const base = data.all_best;
  const columns = [
    { name: "name", title: "Budget", show: (one) => html`${one.name}<br /><span class="note">per ${one.per}, ${one.at_limit} at its limit</span>` },
    { name: "used", title: "Used", number: true, show: (one) => (one.unit === "usd" ? money(one.used) : short(one.used)) },
    { name: "limit", title: "of", number: true, show: (one) => (one.unit === "usd" ? money(one.limit) : short(one.limit)) },
    { name: "share", title: "Share", number: true, show: (one) => percent(one.most_used, 0) },
    { name: "end", title: "At its end", number: true, show: (one) => html`<span class=${one.projected > one.limit ? "bad" : ""}>${one.projected === null || one.projected === undefined ? "not paced" : one.unit === "usd" ? money(one.projected) : short(one.projected)}</span>` },
  ];
  return html`<${Panel} id="money" title="Cost against all-best and against target">
    ${base ? html`<p>The answers of this time cost <strong>${money(base.spent)}</strong>. All of them by <code>${base.model}</code> (${base.tier}) would have cost <strong>${money(base.cost)}</strong>${base.cost > 0 && html`, so routing ${base.spent <= base.cost ? html`saved <strong class="good">${money(base.cost - base.spent)}</strong>` : html`cost <strong class="bad">${money(base.spent - base.cost)}</strong> more`}`}.</p>
      <p class="note">How: the tokens of the attempt that gave each answer, at today's price of the model of the dearest tier that is cheapest for them. What was spent counts every attempt. Requests that no model answered are left out.</p>`
      : html`<p class="note">Nothing to compare: no model answered, or no price of the dearest tier is known.</p>`}
    <h3>Target: the budgets</h3>
    ${data.budgets.length ? html`<${Table} caption="Budgets" columns=${columns} rows=${data.budgets} row_key=${(one) => one.name} />`
      : html`<p class="note">The spec has no <code>budgets</code>: without one there is no target to hold this against.</p>`}
  <//>`;
}

function Over({ data, session }) {
  const { series } = data;
  const drawn = useMemo(() => ({
    requests: Object.entries(series.requests).map(([tier, values]) => ({ title: named(tier, "no model"), values, colour: tierHue(session, tier) })),
    cost: Object.entries(series.cost).map(([tier, values]) => ({ title: named(tier, "no model"), values, colour: tierHue(session, tier) })),
    latency: [{ title: "median", values: series.latency_p50, colour: "--series-2" }, { title: "p95", values: series.latency_p95, colour: "--series-4" }],
    rates: [
      { title: "checks passed", values: series.pass_rate, colour: "--series-1" },
      { title: "escalated", values: series.escalation_rate, colour: "--series-3" },
      { title: "fell back", values: series.fallback_rate, colour: "--series-4" },
      { title: "failed", values: series.failed_rate, colour: "--series-5" },
    ],
  }), [series, session]);
  return html`
    <${Panel} id="over-requests" title="Requests over time"><${TimeChart} title="Requests by tier" times=${series.times} series=${drawn.requests} show=${short} stacked /><//>
    <${Panel} id="over-cost" title="Cost over time"><${TimeChart} title="Cost by tier, USD" times=${series.times} series=${drawn.cost} show=${money} stacked /><//>
    <${Panel} id="over-latency" title="Latency over time"><${TimeChart} title="Seconds to a whole answer" times=${series.times} series=${drawn.latency} show=${seconds} /><//>
    <${Panel} id="over-rates" title="Quality over time"><${TimeChart} title="Share of requests" times=${series.times} series=${drawn.rates} show=${(value) => percent(value, 0)} /><//>`;
}

function Groups({ id, title, groups, onward, filter }) {
  const columns = [
    { name: "name", title: title.slice(0, -1), sort: (one) => one.name, show: (one) => (one.name ? html`<a href=${onward({ [filter]: one.name })}>${one.name}</a>` : html`<span class="note">${filter === "model" ? "none answered" : "none"}</span>`) },
    { name: "requests", title: "Requests", number: true, sort: (one) => one.requests, show: (one) => html`${short(one.requests)} <span class="note">${percent(one.request_share, 0)}</span>` },
    { name: "cost", title: "Cost", number: true, sort: (one) => one.cost, show: (one) => html`${money(one.cost)} <span class="note">${percent(one.cost_share, 0)}</span>` },
    { name: "p50", title: "Median", number: true, sort: (one) => one.latency_p50, show: (one) => seconds(one.latency_p50) },
    { name: "p95", title: "p95", number: true, sort: (one) => one.latency_p95, show: (one) => seconds(one.latency_p95) },
    { name: "passed", title: "Passed", number: true, sort: (one) => one.pass_rate, show: (one) => percent(one.pass_rate) },
    { name: "escalated", title: "Escalated", number: true, sort: (one) => one.escalation_rate, show: (one) => percent(one.escalation_rate) },
    { name: "fallback", title: "Fell back", number: true, sort: (one) => one.fallback_rate, show: (one) => percent(one.fallback_rate) },
  ];
  return html`<${Panel} id=${id} title=${title}><${Table} caption=${title} columns=${columns} rows=${groups} row_key=${(one) => one.name} /><//>`;
}

function Quality({ data }) {
  const columns = [
    { name: "source", title: "Who says so", show: (one) => one.source },
    { name: "labels", title: "Labels", number: true, show: (one) => count(one.labels) },
    { name: "mean", title: "Mean score", number: true, show: (one) => percent(one.mean) },
  ];
  return html`<${Panel} id="labels" title="Quality by labels">
    ${data.labels.length ? html`<${Table} caption="Labels of this time by their source" columns=${columns} rows=${data.labels} row_key=${(one) => one.source} />`
      : html`<p class="note">No label was given in this time. <code>POST /v1/feedback</code>, the review queue and <code>tierline labels</code> make them.</p>`}
    <p class="note">${short(data.total.checked)} answers were checked by their validators; ${count(data.total.flagged)} went out flagged, because none passed.</p>
  <//>`;
}
