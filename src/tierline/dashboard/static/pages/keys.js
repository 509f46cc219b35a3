// Who may do what, who did what, and whether the trail of that is as it was written.
import { html, useState } from "../html.js";
import { get, useData } from "../parts/api.js";
import { Tick } from "../parts/filters.js";
import { ago, clock, count, moment, span } from "../parts/format.js";
import { Empty, Loaded, Panel } from "../parts/states.js";
import { Table } from "../parts/table.js";

const STEPS = [100, 300, 1000];
const TONES = { live: "", expired: "warn", revoked: "bad" };

export default function Keys({ session, params, setParams }) {
  if (!session.admin) return html`<${Empty} title="This page needs a key with the scope admin.">It names every key, and what everybody did.<//>`;
  return html`<div class="panels"><${Known} params=${params} setParams=${setParams} /><${Trail} params=${params} setParams=${setParams} /></div>`;
}

function Known({ params, setParams }) {
  const from = useData("admin/keys", { all: params.all }, { every: 60 });
  const columns = [
    { name: "name", title: "Key", sort: (one) => one.name, show: (one) => one.name },
    { name: "state", title: "State", sort: (one) => one.state, show: (one) => html`<span class=${`tag ${TONES[one.state]}`}>${one.state}</span>` },
    { name: "may", title: "May", show: (one) => (one.given.scopes ?? ["call"]).join(", ") },
    { name: "owner", title: "Of", show: (one) => [one.given.owner, one.given.team].filter(Boolean).join(", ") || "–" },
    { name: "narrowed", title: "Narrowed to", wide: true, show: (one) => narrowed(one.given) || html`<span class="note">nothing</span>` },
    { name: "made", title: "Made", sort: (one) => one.created, show: (one) => html`<time title=${moment(one.created)}>${ago(one.created)}</time><br /><span class="note">by ${one.by}</span>` },
    { name: "ends", title: "Ends", sort: (one) => one.revoked ?? one.expires ?? Infinity, show: (one) => (one.revoked ? `revoked ${ago(one.revoked)}` : one.expires ? clock(one.expires) : "never by itself") },
  ];
  return html`<${Panel} id="keys" title="Keys" wide>
    <div class="bar"><${Tick} label="with those that have ended" name="all" value=${params.all} onChange=${(name, value) => setParams({ [name]: value })} /></div>
    <${Loaded} from=${from} what="the keys">${(data) => html`
      ${data.keys.length ? html`<${Table} caption="Keys of the ledger" columns=${columns} rows=${data.keys} row_key=${(one) => one.name} />`
        : html`<p class="note">The ledger has no key${params.all ? "" : " that is live"}: <code>tierline keys create ci --scope call</code> makes one.</p>`}
      <p class="note">${data.spec.length ? html`The spec has ${count(data.spec.length)} more: ${data.spec.join(", ")}. They live and end with it.` : "The spec has none."} Of the ledger's keys no secret is kept, only its digest.</p>`}<//>
  <//>`;
}

/** What a key is kept to, in words. */
function narrowed(given) {
  const { rate } = given;
  return [
    given.routes?.length && `routes ${given.routes.join(", ")}`,
    given.models?.length && `models ${given.models.join(", ")}`,
    given.task && `task ${given.task}`,
    rate && [rate.requests && `${count(rate.requests)} requests`, rate.tokens && `${count(rate.tokens)} tokens`].filter(Boolean).join(" and ") + ` per ${span(rate.per)}`,
    given.max_concurrency && `${count(given.max_concurrency)} at once`,
  ].filter(Boolean).join("; ");
}

function Trail({ params, setParams }) {
  const limit = STEPS.includes(Number(params.entries)) ? Number(params.entries) : STEPS[0];
  const from = useData("admin/audit", { limit }, { every: 30 });
  const columns = [
    { name: "seq", title: "No.", number: true, show: (one) => count(one.seq) },
    { name: "at", title: "When", show: (one) => html`<time title=${moment(one.at)}>${clock(one.at)}</time>` },
    { name: "who", title: "Who", show: (one) => one.who || "–" },
    { name: "action", title: "Did", show: (one) => one.action },
    { name: "subject", title: "To", show: (one) => one.subject || "–" },
    { name: "detail", title: "How", wide: true, show: (one) => html`<code>${Object.keys(one.detail).length ? JSON.stringify(one.detail) : ""}</code>` },
  ];
  const more = STEPS.find((one) => one > limit);
  return html`<${Panel} id="trail" title="Audit trail" wide note="Entries are only ever added; each carries the hash of the one before.">
    <${Verification} />
    <${Loaded} from=${from} what="the audit trail">${(data) => html`
      <${Table} caption="Audit trail, the newest first" columns=${columns} rows=${data.entries} row_key=${(one) => one.seq} />
      ${more && data.entries.length === limit && html`<p><button type="button" onClick=${() => setParams({ entries: more })}>Show ${count(more)} entries</button></p>`}
      <p class="note">Its head, to keep elsewhere: <code>${`${data.head.seq}:${data.head.hash}`}</code></p>`}<//>
  <//>`;
}

/** The whole chain, checked when it is asked for; with an earlier head, also that nothing was cut off since. */
function Verification() {
  const [state, setState] = useState({ busy: false, found: null, wrong: "" });
  const [head, setHead] = useState("");
  const check = (event) => {
    event.preventDefault();
    setState({ busy: true, found: null, wrong: "" });
    get("admin/audit/verified", { head: head.trim() }).then(
      (found) => setState({ busy: false, found: { ...found, against: head.trim() }, wrong: "" }),
      (error) => setState({ busy: false, found: null, wrong: error.message }),
    );
  };
  const { found } = state;
  return html`<form class="bar" onSubmit=${check}>
      <label class="field why-turned"><span>An earlier head, if you kept one</span><input name="head" value=${head} onInput=${(event) => setHead(event.target.value)} autocomplete="off" spellcheck=${false} /></label>
      <button type="submit" class="primary" disabled=${state.busy}>Check the chain</button></form>
    <div role="status">${found && (found.whole
      ? html`<p class="good">All ${count(found.entries)} entries are as they were written${found.against ? ", and the head that you kept is among them" : ""}.</p>`
      : html`<p class="wrong"><strong>The trail was tampered with</strong> at entry ${count(found.broken.seq)}: ${found.broken.reason}</p>`)}</div>
    ${state.wrong && html`<p class="wrong" role="alert">${state.wrong}</p>`}`;
}
