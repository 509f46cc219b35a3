// The spec at work, the specs before it, and what differs between any two.
import { html, useState } from "../html.js";
import { post, useData } from "../parts/api.js";
import { ago, count, moment } from "../parts/format.js";
import { Doing, Empty, Failed, Loaded, Panel } from "../parts/states.js";
import { Table } from "../parts/table.js";

export default function Spec({ session, params, setParams }) {
  const from = useData("admin/history", {}, { every: 30 });
  return html`<${Loaded} from=${from} what="the spec">${(data) => html`<div class="panels">
    <${AtWork} data=${data} session=${session} again=${from.reload} />
    <${History} data=${data} params=${params} setParams=${setParams} />
  </div>`}<//>`;
}

function AtWork({ data, session, again }) {
  const [state, setState] = useState({ told: "", error: null, busy: false });
  const reload = async () => {
    setState({ told: "", error: null, busy: true });
    try {
      const done = await post("admin/reload");
      setState({ told: done.changed ? `The spec ${done.policy} is at work now.` : "It was read again, and has not changed.", error: null, busy: false });
    } catch (error) {
      const refused = error.status === 422; // the reason stands in what is read again now
      setState({ told: refused ? "The file was not taken." : "", error: refused ? null : error, busy: false });
    }
    again();
  };
  const { reload: last } = data;
  return html`<${Panel} id="at-work" title="At work" actions=${html`<${Doing} session=${session} onClick=${reload} aria-busy=${state.busy}>${state.busy ? "Reading …" : "Read it again"}<//>`}>
    <dl class="facts">
      <dt>Fingerprint</dt><dd><code>${data.at_work}</code></dd>
      <dt>File</dt><dd><code>${data.path}</code></dd>
      <dt>Last read</dt><dd>${moment(last.at)}, ${OCCASIONS[last.occasion] ?? last.occasion}${last.problem ? html` <span class="tag bad">refused</span>` : last.changed ? "" : ", unchanged"}</dd>
      <dt>Parts</dt><dd>${Object.entries(data.parts).map(([name, digest]) => html`${name} <code class="id">${digest}</code> `)}</dd>
      <dt>Models</dt><dd>${data.models.join(", ")}</dd>
    </dl>
    <div aria-live="polite">${state.told && html`<p>${state.told}</p>`}</div>
    ${state.error && html`<${Failed} error=${state.error} />`}
    ${last.problem && html`<h3 class="bad">Why the file was not taken; the spec before goes on</h3><pre tabindex="0" role="region" aria-label="Problems">${last.problem}</pre>`}
    <h3>Warnings</h3>
    ${data.warnings.length ? html`<ul>${data.warnings.map((one) => html`<li>${one}</li>`)}</ul>` : html`<p class="note">None.</p>`}
  <//>`;
}

const OCCASIONS = { start: "at the start", file: "because the file changed", signal: "on a signal", admin: "by an admin", release: "by a release" };

function History({ data, params, setParams }) {
  const chosen = data.specs.find((one) => one.policy === (params.policy || data.at_work)) ?? data.specs[0];
  const against = params.against ?? chosen?.before ?? "";
  const open = (one) => setParams({ policy: one.policy, against: "" });
  return html`
    <${Panel} id="done" title="Who did what, when and why">
      ${data.done.length ? html`<${Table} caption="What was done to the routing" columns=${DONE} rows=${data.done.slice(0, 12)} row_key=${(one) => one.seq} />` : html`<p class="note">Nothing yet.</p>`}
      <p class="note">From the audit trail; <code>tierline audit</code> shows all of it and proves that nothing was changed.</p>
    <//>
    <${Panel} id="history" title=${`History: ${count(data.specs.length)} ${data.specs.length === 1 ? "spec" : "specs"}`} wide>
      ${data.specs.length ? html`<${Table} caption="Specs, the newest first" columns=${columns(data)} rows=${data.specs} row_key=${(one) => one.policy} onOpen=${open} chosen=${chosen?.policy} />` : html`<${Empty} title="No spec is kept yet.">It is kept before it decides anything.<//>`}
    <//>
    ${chosen && html`<${One} key=${`${chosen.policy} ${against}`} specs=${data.specs} policy=${chosen.policy} against=${against === "none" ? "" : against} setParams=${setParams} />`}`;
}

const said = (one) => one.stages.map((stage) => `${stage.stage.replace("_", " ")}${stage.by ? ` by ${stage.by}` : ""}${stage.why ? `: ${stage.why}` : ""}`);

const columns = (data) => [
  { name: "policy", title: "Fingerprint", show: (one) => html`<code>${one.policy}</code>${one.policy === data.at_work && html` <span class="tag">at work</span>`}` },
  { name: "first", title: "First seen", show: (one) => html`${moment(one.first_seen)} <span class="note">${ago(one.first_seen)}</span>` },
  { name: "changes", title: "Changes", number: true, show: (one) => (one.before ? count(one.changes) : "") },
  { name: "parts", title: "in", show: (one) => one.parts.join(", ") },
  { name: "why", title: "By whom, and why", wide: true, show: (one) => said(one).join("; ") || one.said.map((entry) => entry.who).join(", ") },
];

const DONE = [
  { name: "at", title: "When", show: (one) => moment(one.at) },
  { name: "who", title: "Who", show: (one) => one.who },
  { name: "action", title: "What", show: (one) => html`${one.action.replaceAll("_", " ")} <code>${one.subject}</code>` },
  { name: "why", title: "Why", wide: true, show: (one) => one.detail.why ?? "" },
];

function One({ specs, policy, against, setParams }) {
  const from = useData(`admin/history/${encodeURIComponent(policy)}`, { against });
  const choose = (event) => setParams({ policy, against: event.target.value || "none" });
  return html`<${Panel} id="one" title=${html`Spec <code>${policy}</code>`} wide
    actions=${html`<label class="field"><span>What differs from</span><select name="against" value=${against} onChange=${choose}>
      <option value="">nothing: show it whole</option>
      ${specs.filter((one) => one.policy !== policy).map((one) => html`<option key=${one.policy} value=${one.policy} selected=${one.policy === against}>${one.policy} · ${moment(one.first_seen)}</option>`)}
    </select></label>`}>
    <${Loaded} from=${from} what="the spec">${(data) => html`
      ${data.changes && html`<${Differences} data=${data} />`}
      <details open=${!data.changes}><summary>The whole spec</summary>
        <pre tabindex="0" role="region" aria-label="Spec">${data.yaml}</pre>
        <p class="note">As it was resolved: without secrets and comments, with what was left out of the file filled in, without what is empty.</p></details>`}<//>
  <//>`;
}

function Differences({ data }) {
  if (!data.changes.length) return html`<p>They say the same: what differs is outside the spec's own text (prices of the catalogue, a trained scorer).</p>`;
  const shown = (value) => (value === null ? html`<span class="note">not there</span>` : html`<code>${value}</code>`);
  const columns = [
    { name: "path", title: "Where", show: (one) => html`<code>${one.path}</code>` },
    { name: "was", title: html`in ${data.against}`, wide: true, show: (one) => html`<span class="was">${shown(one.was)}</span>` },
    { name: "now", title: html`in ${data.policy}`, wide: true, show: (one) => html`<span class="now">${shown(one.now)}</span>` },
  ];
  return html`<${Table} caption="What differs" columns=${columns} rows=${data.changes} row_key=${(one) => one.path} />`;
}
