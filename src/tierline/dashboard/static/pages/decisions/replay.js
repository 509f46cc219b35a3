// The same request, decided again under another spec.
import { html, useState } from "../../html.js";
import { post, useData } from "../../parts/api.js";
import { moment, money } from "../../parts/format.js";
import { Failed } from "../../parts/states.js";

export function Replay({ id, session, policy }) {
  const specs = useData("admin/specs");
  const [given, setGiven] = useState({ policy, spec: "" });
  const [state, setState] = useState({ result: null, error: null, busy: false });
  const ask = async (event) => {
    event.preventDefault();
    setState({ result: null, error: null, busy: true });
    try {
      const body = given.spec.trim() ? { spec: given.spec } : { policy: given.policy };
      setState({ result: await post(`admin/replays/${encodeURIComponent(id)}`, body), error: null, busy: false });
    } catch (error) {
      setState({ result: null, error, busy: false });
    }
  };
  const kept = specs.data?.specs ?? [];
  return html`<form onSubmit=${ask} class="replay">
    <label class="field"><span>A spec from the history</span>
      <select name="policy" value=${given.policy} onChange=${(event) => setGiven({ ...given, policy: event.target.value })}>
        ${kept.map((one) => html`<option key=${one.policy} value=${one.policy} selected=${one.policy === given.policy}>${one.policy} · first seen ${moment(one.first_seen)}${one.policy === session.policy ? " · at work" : ""}${one.policy === policy ? " · decided it" : ""}</option>`)}
      </select></label>
    <details><summary>or paste one</summary>
      <label class="field whole"><span>Spec in YAML${session.admin ? "" : " (this needs a key with the scope admin)"}</span>
        <textarea name="spec" disabled=${!session.admin} spellcheck=${false} value=${given.spec} onInput=${(event) => setGiven({ ...given, spec: event.target.value })}></textarea></label></details>
    <p><button type="submit" disabled=${state.busy || (!given.policy && !given.spec)}>${state.busy ? "Deciding …" : "Decide again"}</button></p>
    <div aria-live="polite">${state.error && html`<${Failed} error=${state.error} />`}${state.result && html`<${Result} result=${state.result} />`}</div>
  </form>`;
}

const order = (plan) => (plan.steps.length ? plan.steps.map((step) => step.targets.join(", ")).join(" → ") : "nobody");

function Result({ result }) {
  const { before, after, explanation } = result;
  const cost = (plan) => plan?.steps[0]?.costs?.[0];
  return html`
    <p><strong class=${result.same ? "good" : "warn"}>${result.refused ? "It would be refused." : result.same ? "The same decision." : "Another decision."}</strong> ${result.same ? "" : result.why}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="The two decisions"><table><caption class="hidden">Before and after</caption>
      <thead><tr><th scope="col"></th><th scope="col">Order of asking</th><th scope="col">Task</th><th scope="col" class="number">First call</th></tr></thead>
      <tbody><tr><th scope="row">then</th><td class="wide">${order(before)}</td><td>${before.task ?? ""}</td><td class="number">${money(cost(before))}</td></tr>
      <tr><th scope="row">under <code>${result.policy}</code></th><td class="wide">${after ? order(after) : result.refused}</td><td>${after?.task ?? ""}</td><td class="number">${money(cost(after))}</td></tr></tbody></table></div>
    ${result.notes.length > 0 && html`<ul class="note">${result.notes.map((one) => html`<li>${one}</li>`)}</ul>`}
    ${explanation && !result.same && html`<ol class="why">${explanation.sentences.map((one) => html`<li>${one}</li>`)}</ol>`}`;
}
