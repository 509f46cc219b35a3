// What may be spent, what is spent of it, whether that is ahead of its plan, and when it will be gone.
import { html, useMemo } from "../html.js";
import { useData } from "../parts/api.js";
import { TimeChart } from "../parts/chart.js";
import { clock, count, moment, money, percent, short, span } from "../parts/format.js";
import { Empty, Loaded, Loading, Panel } from "../parts/states.js";
import { Table } from "../parts/table.js";

const AT_LIMIT = {
  reject: "requests are refused with 402, and told when the period ends",
  cheapest: "the cheapest model that may answer does",
  queue: "requests wait for the next period where their deadline allows it, and are refused where it does not",
};

const amount = (budget, value) => (budget.unit === "usd" ? money(value) : `${short(value)} tokens`);
const bare = (budget, value) => (budget.unit === "usd" ? money(value) : short(value));

export default function Budgets({ params, setParams }) {
  const from = useData("admin/budgets", {}, { every: 10 });
  return html`<${Loaded} from=${from} what="the budgets">${(data) => html`<${Shown} budgets=${data.budgets} params=${params} setParams=${setParams} />`}<//>`;
}

function Shown({ budgets, params, setParams }) {
  if (!budgets.length) {
    return html`<${Empty} title="The spec has no budgets.">
      Nothing keeps spending in bounds. A first one, in the spec: <code>budgets: {company: {limit: 400, per: day, pace: spread, at_limit: cheapest}}</code>.<//>`;
  }
  const chosen = budgets.find((one) => one.name === params.budget) ?? budgets[0];
  const columns = [
    { name: "name", title: "Budget", show: (one) => html`${one.name}<br /><span class="note">${bare(one, one.limit)} ${one.unit === "usd" ? "" : "tokens "}per ${one.per}</span>` },
    { name: "bar", title: "Used and reserved", wide: true, sort: (one) => one.most_used, show: (one) => html`<${Used} budget=${one} />` },
    { name: "left", title: "Left", number: true, show: (one) => (one.left < 0 ? html`<span class="bad">over by ${bare(one, -one.left)}</span>` : bare(one, one.left)) },
    { name: "pace", title: "Pace", wide: true, sort: (one) => one.pace, show: (one) => html`<${Pace} budget=${one} />` },
    { name: "end", title: "Where it will end", wide: true, show: (one) => html`<${Ending} budget=${one} />` },
    { name: "limit", title: "At its limit", wide: true, show: (one) => AT_LIMIT[one.at_limit] },
  ];
  return html`<${Panel} id="budgets" title="Budgets of this period" wide note="Open one to see its period as it was planned, as it went, and where it leads.">
      <${Table} caption="Budgets" columns=${columns} rows=${budgets} row_key=${(one) => one.name} chosen=${chosen.name} onOpen=${(one) => setParams({ budget: one.name })} />
    <//>
    <${Course} key=${chosen.name} budget=${chosen} />`;
}

/** A bar of the limit: what is used, what calls in flight hold, and how much that is of it. */
function Used({ budget }) {
  const share = budget.counters > 1 ? budget.most_used : budget.used / budget.limit;
  const held = budget.counters > 1 ? 0 : budget.reserved / budget.limit;
  const wide = (part) => Math.max(0, Math.min(part, 1)) * 100;
  const tone = share >= 1 ? "s5" : share >= 0.8 ? "s4" : "s1";
  return html`<svg class=${`share ${tone}`} preserveAspectRatio="none" viewBox="0 0 100 10" aria-hidden="true">
      <rect class="ground" width="100" height="10" /><rect class="band" width=${wide(share + held)} height="10" /><rect class="bar" y="2" width=${wide(share)} height="6" /></svg>
    ${bare(budget, budget.used)} used, ${part(share)} the limit${budget.reserved > 0 && html` · ${bare(budget, budget.reserved)} reserved`}
    ${budget.counters > 1 && html`<br /><span class="note">${count(budget.counters)} counters; the share is that of the fullest</span>`}
    ${!budget.exact && html`<br /><span class="bad">Other processes cannot be asked: this is what one knows.</span>`}`;
}

/** The pace in words: what is used of what was planned by now, and what that does to the bar that a model has to pass. */
function Pace({ budget }) {
  if (budget.projected === null && budget.pace === 0) return html`<span class="note">not paced</span>`;
  const share = budget.projected === null ? null : budget.projected / budget.limit;
  const doing = budget.pace > 0 ? `it saves, at ${percent(budget.pace, 0)} of its strength` : budget.pace < 0 ? `it gives, at ${percent(-budget.pace, 0)} of its strength` : "";
  const tone = share > 1.02 ? "bad" : "good";
  return html`${share !== null && html`<span class=${tone}>${share > 1.02 ? "ahead of its plan" : share < 0.98 ? "behind its plan" : "as planned"}</span><br />
    <span class="note">${part(share)} what was planned by now${doing && `; ${doing}`}</span>`}${share === null && doing}`;
}

/** 83 % of, 2.4 times. */
const part = (share) => (share < 2 ? `${percent(share, 0)} of` : `${short(share)} times`);

function Ending({ budget }) {
  const left = `${span(Math.max(0, budget.ends - Date.now() / 1000))} left of the period`;
  if (budget.most_used >= 1) return html`<span class="bad">${budget.counters > 1 ? "The fullest is spent" : "It is spent"}</span>, with ${left}.`;
  if (budget.projected === null) return html`Ends ${clock(budget.ends)}<br /><span class="note">${left}</span>`;
  if (budget.exhausted_at) return html`<span class="bad">Spent by ${clock(budget.exhausted_at)}</span>, ${span(Math.max(0, budget.ends - budget.exhausted_at))} before its end; ${amount(budget, budget.projected)} if nothing held it.`;
  return html`<span class="good">It lasts</span>: ${amount(budget, budget.projected)}, ${percent(budget.projected / budget.limit, 0)} of the limit, by ${clock(budget.ends)}.`;
}

function Course({ budget }) {
  const from = useData(`admin/budgets/${encodeURIComponent(budget.name)}`, {}, { every: 60 });
  return html`<${Panel} id="course" title=${`${budget.name}, ${budget.period}`} wide>
    ${from.error && !from.data ? html`<p class="wrong" role="alert">${from.error.message}</p>` : from.data ? html`<${Drawn} budget=${budget} data=${from.data} />` : html`<${Loading} what="its period" />`}
  <//>`;
}

function Drawn({ budget, data }) {
  const series = useMemo(() => [
    { title: "planned by the demand of its hours", values: data.planned, colour: "--series-8", dashed: true },
    ...(data.unknown ? [] : [
      { title: "used", values: data.used, colour: "--series-2" },
      { title: "if it goes on so", values: data.expected, colour: "--series-4", dashed: true },
      { title: "limit", values: data.times.map(() => budget.limit), colour: "--series-5" },
    ]),
  ], [data, budget.limit]);
  const show = (value) => bare(budget, value);
  return html`<p class="note">${moment(data.begins)} to ${moment(data.ends)}. ${data.unknown || "Used is what the log knows of; what shadows cost is in the budget alone."}</p>
    <${TimeChart} title=${`${budget.name}: ${budget.unit === "usd" ? "USD" : "tokens"}, added up`} times=${data.times} series=${series} show=${show} />`;
}
