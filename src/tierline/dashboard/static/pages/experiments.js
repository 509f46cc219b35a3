// What each arm of an experiment gave, how far it is from its end, and stopping an arm by hand.
import { html, useEffect, useRef, useState } from "../html.js";
import { post, useData } from "../parts/api.js";
import { ago, clock, count, money, moment, percent, seconds, short, span } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Doing, Empty, Loaded, Panel } from "../parts/states.js";
import { Table } from "../parts/table.js";

const METRICS = { pass_rate: "Pass rate", score: "Score", error_rate: "Error rate", cost: "Cost", latency: "Latency", latency_p95: "Latency, p95" };
const SHOWN = { cost: money, latency: seconds, latency_p95: seconds };
const figure = (metric, value) => (SHOWN[metric] ?? percent)(value);

/** A difference: that of two rates is in points, and what is below zero has its sign in front. */
const apart = (metric, value) => `${value < 0 ? "−" : ""}${SHOWN[metric] ? SHOWN[metric](Math.abs(value)) : `${Math.abs(value * 100).toFixed(1)} points`}`;

export default function Experiments({ session, params, setParams }) {
  const from = useData("admin/experiments", {}, { every: 15 });
  const [said, setSaid] = useState("");
  return html`<p class="hidden" role="status">${said}</p>
    <${Loaded} from=${from} what="the experiments">${(data) => (data.experiments.length
      ? html`<div class="panels">${data.experiments.map((one) => html`<${Experiment} key=${one.experiment} found=${one} session=${session} params=${params} setParams=${setParams} again=${from.reload} tell=${setSaid} />`)}</div>`
      : html`<${Empty} title="The spec has no experiments.">
        One that asks whether a cheaper model is as good: <code>experiments: {cheaper: {arms: {small: 0.5, large: 0.5}, stop: sequential, guards: [{metric: pass_rate, worse_by: 0.03}]}}</code>.<//>`)}<//>`;
}

function Experiment({ found, session, params, setParams, again, tell }) {
  const about = [found.tasks.length ? `of ${found.tasks.join(", ")}` : "", found.routes.length ? `on ${found.routes.join(", ")}` : ""].filter(Boolean).join(" ");
  return html`<${Panel} id=${`experiment-${found.experiment}`} title=${found.experiment} wide>
    ${found.why && html`<p>${found.why}</p>`}
    <p><strong>${found.follows}</strong></p>
    <p class="note">${found.began === null ? "It has not begun." : html`Since ${clock(found.began)}, for ${span(Math.max(0, Date.now() / 1000 - found.began))}.`}
      ${" "}It takes requests${about ? ` ${about}` : " of every task"}, decides by ${(METRICS[found.metric] ?? found.metric).toLowerCase()},
      ${found.ends ? " and ends once a pair is decided" : " and ends when you end it"}${found.adaptive ? "; its shares follow the evidence" : ""}.
      ${" "}Every interval holds at every look at once, at ${percent(1 - found.alpha, 0)}: look as often as you like.</p>
    <${Arms} found=${found} session=${session} params=${params} setParams=${setParams} again=${again} tell=${tell} />
    <${Pairs} found=${found} />
    <${Guards} found=${found} />
    <${History} found=${found} />
  <//>`;
}

/** An estimate with its interval; an end that has no bound is left open. */
function Interval({ metric, of, show = figure }) {
  if (of.value === null) return html`<span class="note">nothing yet</span>`;
  const bounds = of.low === null && of.high === null ? "no bounds yet" : `${of.low === null ? "−∞" : show(metric, of.low)} to ${of.high === null ? "∞" : show(metric, of.high)}`;
  return html`${show(metric, of.value)}<br /><span class="note">${bounds}</span>`;
}

function Arms({ found, session, params, setParams, again, tell }) {
  const turning = params.arm?.startsWith(`${found.experiment}/`) ? params.arm.slice(found.experiment.length + 1) : "";
  const button = (name) => `turn-${found.experiment}-${name}`;
  const leave = () => {
    document.getElementById(button(turning))?.focus();
    setParams({ arm: "" });
  };
  const metrics = Object.keys(found.arms[0].estimates).filter((metric) => found.arms.some((arm) => arm.measured[metric]));
  const columns = [
    { name: "arm", title: "Arm", show: (one) => html`${one.name}${one.name === found.baseline && html` <span class="note">baseline</span>`}` },
    { name: "state", title: "State", show: (one) => html`<span class=${`tag ${one.state === "stopped" ? "bad" : ""}`}>${one.state}</span>` },
    { name: "share", title: "Share", number: true, show: (one) => percent(one.share) },
    { name: "requests", title: "Requests", number: true, show: (one) => count(one.requests) },
    { name: "units", title: "Units", number: true, show: (one) => count(one.units) },
    ...metrics.map((metric) => ({
      name: metric, title: METRICS[metric] ?? metric, number: true,
      show: (one) => html`<${Interval} metric=${metric} of=${one.estimates[metric]} />${one.measured[metric] < one.units && html`<br /><span class="note">of ${count(one.measured[metric])}</span>`}`,
    })),
    { name: "turn", title: "Do", show: (one) => html`<${Doing} session=${session} id=${button(one.name)} aria-label=${`${one.state === "stopped" ? "Resume" : "Stop"} ${one.name}`} aria-expanded=${turning === one.name} onClick=${() => setParams({ arm: turning === one.name ? "" : `${found.experiment}/${one.name}` })}>
      ${one.state === "stopped" ? "Resume" : "Stop"}<//>` },
  ];
  const arm = found.arms.find((one) => one.name === turning);
  return html`<${Table} caption=${`Arms of ${found.experiment}`} columns=${columns} rows=${found.arms} row_key=${(one) => one.name} />
    ${arm && session.admin && html`<${Turn} key=${arm.name} experiment=${found.experiment} arm=${arm} done=${(told) => { leave(); tell(told); again(); }} leave=${leave} />`}
    ${!session.admin && html`<p class="note">Stopping an arm needs a key with the scope <code>admin</code>.</p>`}`;
}

/** The reason is asked for before anything is done: it stands in the audit trail. */
function Turn({ experiment, arm, done, leave }) {
  const box = useRef(null);
  const [state, setState] = useState({ busy: false, wrong: "" });
  useEffect(() => box.current?.focus(), []);
  const stops = arm.state !== "stopped";
  const submit = (event) => {
    event.preventDefault();
    setState({ busy: true, wrong: "" });
    post(`admin/experiments/${encodeURIComponent(experiment)}`, { arm: arm.name, state: stops ? "stopped" : "running", why: box.current.value.trim() }).then(
      () => done(stops ? `${arm.name} is stopped.` : `${arm.name} runs again.`),
      (error) => setState({ busy: false, wrong: error.message }),
    );
  };
  return html`<form class="bar turn" onSubmit=${submit} onKeyDown=${(event) => event.key === "Escape" && leave()} aria-label=${`${stops ? "Stop" : "Resume"} ${arm.name}`}>
    <label class="field why-turned"><span>${stops ? `Why is ${arm.name} stopped? Its share is zero within a second.` : `Why does ${arm.name} run again? It gets the share of the spec.`}</span>
      <input ref=${box} name="why" required maxlength="1000" autocomplete="off" size="48" /></label>
    <button type="submit" class="primary" disabled=${state.busy}>${stops ? "Stop it" : "Resume it"}</button>
    <button type="button" onClick=${leave}>Leave it</button>
    ${state.wrong && html`<p class="wrong" role="alert">${state.wrong}</p>`}
  </form>`;
}

/** How far evidence is on its way, by its logarithm: that grows evenly with the requests. */
function Way({ evidence, needed, bad }) {
  const part = Math.max(0, Math.min(1, Math.log(Math.max(evidence, 1)) / Math.log(needed)));
  return html`<svg class=${`share ${bad ? "s5" : "s2"}`} preserveAspectRatio="none" viewBox="0 0 100 10" aria-hidden="true">
      <rect class="ground" width="100" height="10" /><rect class="bar" y="2" width=${part * 100} height="6" /></svg>
    ${short(evidence)} of the ${short(needed)} needed <span class="note">${percent(part, 0)} of the way</span>`;
}

function Pairs({ found }) {
  const told = (one) => (one.better ? html`<strong>${one.better} is better</strong>` : one.equal ? "equal within the margin" : one.difference.value === null ? "nothing is measured yet" : "nothing is shown yet");
  const columns = [
    { name: "pair", title: "Pair", show: (one) => `${one.arm} − ${one.other}` },
    { name: "difference", title: `Difference, ${(METRICS[found.metric] ?? found.metric).toLowerCase()}`, number: true, show: (one) => html`<${Interval} metric=${found.metric} of=${one.difference} show=${apart} />` },
    { name: "evidence", title: "Evidence", wide: true, show: (one) => html`<${Way} evidence=${one.evidence} needed=${one.needed} />` },
    { name: "told", title: "So", show: told },
  ];
  return html`<h3>How far from its end</h3><${Table} caption=${`Pairs of ${found.experiment}`} columns=${columns} rows=${found.comparisons} row_key=${(one) => `${one.arm}/${one.other}`} />`;
}

function Guards({ found }) {
  if (!found.guards.length) return html`<h3>Guards</h3><p class="note">None: nothing stops a bad arm but you. <code>guards: [{metric: pass_rate, worse_by: 0.03}]</code> would.</p>`;
  const worse = (one) => (["cost", "latency", "latency_p95"].includes(one.metric) ? `by ${percent(one.worse_by, 0)}` : `by ${short(one.worse_by * 100)} points`);
  const columns = [
    { name: "arm", title: "Arm", show: (one) => one.arm },
    { name: "guard", title: `May be worse than ${found.baseline}`, show: (one) => `in ${(METRICS[one.metric] ?? one.metric).toLowerCase()} ${worse(one)} at most` },
    { name: "excess", title: "Over that", number: true, show: (one) => html`<${Interval} metric=${one.metric} of=${one.excess} show=${apart} />` },
    { name: "evidence", title: "Evidence that it is", wide: true, show: (one) => html`<${Way} evidence=${one.evidence} needed=${one.needed} bad />` },
    { name: "told", title: "So", show: (one) => (one.shown ? html`<strong class="bad">fallen</strong>` : html`<span class="good">holds</span>`) },
  ];
  return html`<h3>Guards</h3><${Table} caption=${`Guards of ${found.experiment}`} columns=${columns} rows=${found.guards} row_key=${(one) => `${one.arm}/${one.metric}`} />`;
}

const History = ({ found }) => html`<details><summary>What was done to its arms<span class="hidden"> of ${found.experiment}</span></summary>
  <ul>${found.history.map((one) => html`<li key=${`${one.at}/${one.arm}/${one.state}`}><time datetime=${new Date(one.at * 1000).toISOString()} title=${moment(one.at)}>${ago(one.at)}</time>: ${one.arm} ${one.state}${one.share === null ? "" : `, share ${percent(one.share)}`}, by ${one.by}: ${one.why}</li>`)}</ul>
</details>
<p class="note"><a href=${link("decisions", { task: found.tasks.length === 1 ? found.tasks[0] : "", route: found.routes.length === 1 ? found.routes[0] : "" })}>Its decisions</a></p>`;
