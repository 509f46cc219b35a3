// What is watched and has moved: what, since when, how sure that is, which requests show it, and what to do.
import { html } from "../html.js";
import { useData } from "../parts/api.js";
import { ago, count, moment, percent, span } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Empty, Loaded, Panel } from "../parts/states.js";

const STATES = [["open", "Open"], ["recovered", "Recovered"], ["all", "All"]];
const FILTERS = ["task", "model", "route", "tier", "key"];
const SHOWN = 5;

export default function Alerts({ params, setParams }) {
  const state = STATES.some(([name]) => name === params.state) ? params.state : "open";
  const from = useData("admin/alerts", { state, limit: 200 }, { every: 30 });
  return html`
    <div class="bar"><div class="range" role="group" aria-label="Which alerts">${STATES.map(([name, title]) => html`
      <button type="button" key=${name} aria-pressed=${state === name} onClick=${() => setParams({ state: name === "open" ? "" : name })}>${title}</button>`)}</div></div>
    <${Loaded} from=${from} what="the alerts">${(data) => (data.alerts.length ? html`<${Listed} alerts=${data.alerts} state=${state} />` : html`<${None} state=${state} />`)}<//>`;
}

const None = ({ state }) => (state === "recovered"
  ? html`<${Empty} title="No alert has recovered yet.">What is open stands under Open.<//>`
  : html`<${Empty} title=${state === "open" ? "Nothing is open." : "There never was an alert."}>
    Either all is as it was, or nothing is watched: <code>alerts: {watch: [quality_drop, cost_per_request, budget_pace]}</code> in the spec watches those, and <code>webhook</code> tells whom you name.<//>`);

function Listed({ alerts, state }) {
  const open = alerts.filter((one) => one.recovered === null).length;
  const title = state === "open" ? `Open alerts: ${count(open)}` : state === "recovered" ? `Recovered: ${count(alerts.length)}` : `All: ${count(alerts.length)}, ${count(open)} of them open`;
  return html`<${Panel} id="alerts" title=${title} note="The newest first. An alert recovers by itself once what is watched is back, or is the new normal." wide>
    <ul class="alerts">${alerts.map((one) => html`<${Alert} key=${one.id} alert=${one} />`)}</ul><//>`;
}

function Alert({ alert }) {
  const [kind, name = ""] = alert.subject.split(/\/(.*)/s);
  const begins = local(alert.since);
  const all = FILTERS.includes(kind) && link("decisions", { [kind]: name, since: begins, until: alert.recovered ? local(alert.recovered) : "" });
  return html`<li class=${alert.recovered ? "over" : ""}>
    <p><strong>${alert.what}</strong></p>
    <p><span class=${`tag ${alert.recovered ? "" : "warn"}`}>${alert.recovered ? "recovered" : "open"}</span> <code>${alert.watch}</code>${alert.subject && html` of <code>${alert.subject}</code>`}
      <span class="note"> · moved <time datetime=${iso(alert.since)} title=${moment(alert.since)}>${ago(alert.since)}</time> · told ${ago(alert.raised)}, ${span(Math.max(0, alert.raised - alert.since))} after
      · ${sureness(alert.sure)}${alert.recovered && html` · recovered ${ago(alert.recovered)}, after ${span(alert.recovered - alert.since)}`}</span></p>
    <p>What to do: ${alert.todo}</p>
    ${(alert.requests.length > 0 || all) && html`<p class="note">See it: ${alert.requests.slice(0, SHOWN).map((id, at) => html`${at > 0 && ", "}<a href=${link("decisions", { id, open: id, range: "all" })} aria-label=${`request ${id}`}><code>${id}</code></a>`)}
      ${all && html`${alert.requests.length > 0 && " · "}<a href=${all}>every decision of ${name} since it moved</a>`}</p>`}
  </li>`;
}

/** How sure it is that this is no chance; never rounded up to certainty. */
const sureness = (sure) => (sure > 0.9995 ? "more than 99.9 % sure" : `${percent(sure, sure > 0.99 ? 1 : 0)} sure`);

const iso = (at) => new Date(at * 1000).toISOString();

/** A moment as the filter of the decisions writes it, in the time of who looks. */
const local = (at) => moment(at).slice(0, 16).replace(" ", "T");
