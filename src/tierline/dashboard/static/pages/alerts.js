// What was watched and has moved: open alerts, and those that are over.
import { html, useCallback } from "../html.js";
import { useData } from "../parts/api.js";
import { Detail, refocus } from "../parts/detail.js";
import { Choice } from "../parts/filters.js";
import { ago, moment, percent, span } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Empty, Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";

const STATES = [["recovered", "recovered"], ["all", "all"]];

export default function Alerts({ params, setParams }) {
  const from = useData("admin/alerts", { state: params.state || "open", limit: 200 }, { every: 30 });
  const open = useCallback((one) => setParams({ open: String(one.id) }), [setParams]);
  const close = useCallback(() => {
    setParams({ open: "" });
    refocus();
  }, [setParams]);
  const change = (name, value) => setParams({ [name]: value, open: "" });
  return html`<div class="bar"><${Choice} label="State" name="state" value=${params.state} choices=${STATES} onChange=${change} all="open" /></div>
    <${Loaded} from=${from} what="the alerts">${({ alerts }) => {
      const chosen = alerts.find((one) => String(one.id) === params.open);
      if (!alerts.length) return html`<${Empty} title=${params.state ? "No alert is in this state." : "Nothing that is watched has moved."}>The watches of the spec look every hour; what they find comes here, and recovers by itself.<//>`;
      return html`<div class=${chosen ? "split" : ""}>
        <section class="panel" aria-label="Alerts"><${Table} caption="Alerts, newest first" columns=${chosen ? COLUMNS.filter((one) => one.name !== "todo" && one.name !== "state") : COLUMNS} rows=${alerts} row_key=${(one) => String(one.id)} onOpen=${open} chosen=${params.open} /></section>
        ${chosen && html`<${One} key=${chosen.id} one=${chosen} onClose=${close} />`}
      </div>`;
    }}<//>`;
}

const title = (one) => one.watch.replaceAll("_", " ");

const COLUMNS = [
  { name: "watch", title: "Watch", show: (one) => html`${title(one)}<br /><span class="note">${one.subject || "everything"}</span>` },
  { name: "what", title: "What moved", wide: true, show: (one) => one.what },
  { name: "since", title: "Since", show: (one) => ago(one.since) },
  { name: "sure", title: "Sure", number: true, show: (one) => percent(one.sure) },
  { name: "state", title: "State", show: (one) => (one.recovered === null ? html`<span class="tag warn">open</span>` : html`<span class="tag">recovered ${ago(one.recovered)}</span>`) },
  { name: "todo", title: "What to do", wide: true, show: (one) => one.todo },
];

/** Where the decisions stand that a subject is about. */
function onward(one) {
  const [kind, name] = [one.subject.slice(0, one.subject.indexOf("/")), one.subject.slice(one.subject.indexOf("/") + 1)];
  return link("decisions", { range: "7d", ...(["route", "task", "model", "tier"].includes(kind) ? { [kind]: name } : {}) });
}

function One({ one, onClose }) {
  return html`<${Detail} title=${`${title(one)}${one.subject && `: ${one.subject}`}`} onClose=${onClose}>
    <p><strong>${one.what}</strong></p>
    <p>${one.todo}</p>
    <dl class="facts">
      <dt>Moved since</dt><dd>${moment(one.since)} <span class="note">${ago(one.since)}</span></dd>
      <dt>Raised</dt><dd>${moment(one.raised)} <span class="note">${span(Math.max(0, one.raised - one.since))} after it began</span></dd>
      <dt>Before, now</dt><dd>${figure(one.was)} → ${figure(one.now)} <span class="note">in the unit of the watch</span></dd>
      <dt>Sure</dt><dd>${percent(one.sure, 2)}</dd>
      <dt>State</dt><dd>${one.recovered === null ? "open" : `recovered ${moment(one.recovered)}`}</dd>
    </dl>
    <h3>Requests that show it</h3>
    ${one.requests.length ? html`<ul>${one.requests.map((id) => html`<li key=${id}><a href=${link("decisions", { id, open: id, range: "all" })}><code>${id}</code></a></li>`)}</ul>` : html`<p class="note">None is named.</p>`}
    <p><a href=${onward(one)}>Decisions it is about</a></p>
  <//>`;
}

const figure = (value) => Number(value.toPrecision(4)).toLocaleString("en-GB", { maximumSignificantDigits: 4 });
