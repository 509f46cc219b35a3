// A prompt of one's own: what would be decided and why, then what was answered; under one setting or under two, side by side.
import { html, useEffect, useRef, useState } from "../html.js";
import { get, postWith, streamed } from "../parts/api.js";
import { money, percent, seconds, count } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Failed } from "../parts/states.js";
import { Table } from "../parts/table.js";

const RISKS = ["low", "medium", "high"];
const FIRST = { model: "auto", task: "", tier: "", risk: "", maxCost: "", latency: "" };
const TRIES = 12; // looks for the row of the log, which is written after the answer
const BETWEEN = 400;

/** What a setting says, as headers. */
const hints = (given) => Object.fromEntries(Object.entries({
  "x-tierline-task": given.task, "x-tierline-tier": given.tier, "x-tierline-risk": given.risk,
  "x-tierline-max-cost": given.maxCost, "x-tierline-latency-budget": given.latency && `${given.latency}s`,
}).filter(([, value]) => value));

export default function Playground({ session }) {
  const [words, setWords] = useState({ system: "", prompt: "" });
  const [settings, setSettings] = useState([FIRST]);
  const [asked, setAsked] = useState(null);
  const start = (kind) => words.prompt.trim() && setAsked({ kind, number: (asked?.number ?? 0) + 1, words, settings });
  const onKey = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    start(event.shiftKey ? "answer" : "decide");
  };
  const change = (at, name, value) => setSettings(settings.map((one, place) => (place === at ? { ...one, [name]: value } : one)));
  const may = session.call;
  return html`
    <form class="panel ask" onSubmit=${(event) => event.preventDefault()} onKeyDown=${onKey}>
      <div class="prompts">
        <label class="field whole"><span>Prompt</span><textarea name="prompt" required data-first-filter="" value=${words.prompt} onInput=${(event) => setWords({ ...words, prompt: event.target.value })}></textarea></label>
        <label class="field whole"><span>System prompt (may be left empty)</span><textarea name="system" value=${words.system} onInput=${(event) => setWords({ ...words, system: event.target.value })}></textarea></label>
      </div>
      ${settings.map((one, at) => html`<${Setting} key=${at} name=${settings.length > 1 ? "AB"[at] : ""} given=${one} session=${session} onChange=${(name, value) => change(at, name, value)} />`)}
      <div class="actions">
        <button type="button" class="primary" disabled=${!may || !words.prompt.trim()} onClick=${() => start("decide")}>Decide <kbd>Ctrl Enter</kbd></button>
        <button type="button" disabled=${!may || !words.prompt.trim()} onClick=${() => start("answer")}>Decide and answer <kbd>Ctrl Shift Enter</kbd></button>
        <button type="button" aria-pressed=${settings.length > 1} onClick=${() => setSettings(settings.length > 1 ? [settings[0]] : [settings[0], { ...settings[0] }])}>${settings.length > 1 ? "One setting" : "Compare two settings"}</button>
      </div>
      <p class="note">${may ? "Deciding calls nobody and costs nothing. Answering is a request like any other: it is paid for, logged, and counts to this key's budgets." : "This needs a key with the scope call: asking a model costs money."}</p>
    </form>
    ${asked ? html`<div class=${`answers${asked.settings.length > 1 ? " two" : ""}`}>${asked.settings.map((one, at) => html`<${Run} key=${`${asked.number} ${at}`} name=${asked.settings.length > 1 ? "AB"[at] : ""} words=${asked.words} given=${one} answering=${asked.kind === "answer"} />`)}</div>` : ""}`;
}

function Setting({ name, given, session, onChange }) {
  const models = [...new Set(["auto", ...session.routes.filter((one) => one !== "auto").map((one) => `auto/${one}`), ...session.tiers.map((one) => `tier/${one}`), ...session.models.map((one) => one.name)])];
  const pick = (label, field, choices, all) => html`<label class="field"><span>${label}</span><select name=${`${field}${name}`} value=${given[field]} onChange=${(event) => onChange(field, event.target.value)}>
    ${all && html`<option value="">${all}</option>`}${choices.map((one) => html`<option key=${one} value=${one} selected=${one === given[field]}>${one}</option>`)}</select></label>`;
  const type = (label, field) => html`<label class="field"><span>${label}</span><input name=${`${field}${name}`} type="number" min="0" step="any" size="8" value=${given[field]} onInput=${(event) => onChange(field, event.target.value)} /></label>`;
  return html`<fieldset class="bar"><legend>${name ? `Setting ${name}` : "Setting"}</legend>
    ${pick("Model or route", "model", models, "")}
    ${pick("Task", "task", session.tasks, "not said")}
    ${pick("Tier", "tier", session.tiers, "not said")}
    ${pick("Risk", "risk", RISKS, "not said")}
    ${type("Costs at most, USD", "maxCost")}
    ${type("Takes at most, s", "latency")}
  </fieldset>`;
}

/** One setting: the decision, then the answer where one is wanted. */
function Run({ name, words, given, answering }) {
  const [decided, setDecided] = useState({ data: null, error: null });
  const messages = [...(words.system.trim() ? [{ role: "system", content: words.system }] : []), { role: "user", content: words.prompt }];
  useEffect(() => {
    postWith("v1/route", { model: given.model, messages }, hints(given)).then((data) => setDecided({ data, error: null }), (error) => setDecided({ data: null, error }));
  }, []);
  return html`<section class="panel" aria-label=${name ? `Setting ${name}` : "Decision"}>
    <header><h2>${name ? `Setting ${name}` : "Decision"}</h2></header>
    <div aria-live="polite">${decided.error ? html`<${Failed} error=${decided.error} />` : decided.data ? html`<${Decided} data=${decided.data} />` : html`<p class="note"><span class="spinner" aria-hidden="true"></span> Deciding …</p>`}</div>
    ${answering && html`<${Answered} messages=${messages} given=${given} />`}
  </section>`;
}

const STANDING = [
  { name: "model", title: "Who stood", show: (one) => one[0] },
  { name: "quality", title: "Pass rate", number: true, show: (one) => html`${percent(one[1])} <span class="note">${one[2]}</span>` },
  { name: "cost", title: "A call", number: true, show: (one) => money(one[3]) },
];

function Decided({ data }) {
  const { explanation } = data;
  return html`
    <p>It goes to <strong>${data.model || "nobody"}</strong>${data.tier && ` (${data.tier})`}${data.task && html`, as <strong>${data.task}</strong>`}, on the route ${data.route}.</p>
    <h3>Why</h3><ol class="why">${explanation.sentences.map((one) => html`<li>${one}</li>`)}</ol>
    <h3>What would flip it</h3>
    ${explanation.flips.length ? html`<ul>${explanation.flips.map((one) => html`<li>${one}</li>`)}</ul>` : html`<p class="note">No small change of difficulty or quality would send it elsewhere.</p>`}
    ${explanation.standing.length > 0 && html`<h3>Candidates</h3><${Table} caption="Who stood" columns=${STANDING} rows=${explanation.standing} row_key=${(one) => one[0]} />`}`;
}

const pause = (length) => new Promise((after) => setTimeout(after, length));

/** The decision's own row, as soon as the log has it; null where it does not come. */
async function row(id, signal) {
  for (let look = 0; look < TRIES && !signal.aborted; look += 1) {
    const { decisions } = await get("admin/decisions", { id, limit: 1 }, signal);
    if (decisions.length) return decisions[0];
    await pause(BETWEEN);
  }
  return null;
}

function Answered({ messages, given }) {
  const [state, setState] = useState({ text: "", error: null, model: "", id: "", row: null, over: false, first: null, whole: null });
  const stop = useRef(null);
  useEffect(() => {
    const leaving = new AbortController();
    stop.current = leaving;
    const began = performance.now();
    const since = () => (performance.now() - began) / 1000;
    const add = (event) => {
      const piece = event.choices?.[0]?.delta?.content ?? "";
      const wrong = event.error ? new Error(event.error.message) : null;
      setState((old) => ({ ...old, text: old.text + piece, first: old.first ?? (piece ? since() : null), error: wrong ?? old.error }));
    };
    const ask = async () => {
      const headers = await streamed("v1/chat/completions", { model: given.model, messages, stream: true }, hints(given), leaving.signal, add);
      const id = headers.get("x-tierline-decision") ?? "";
      setState((old) => ({ ...old, over: true, id, model: headers.get("x-tierline-model") ?? "", whole: since() }));
      const found = await row(id, leaving.signal);
      setState((old) => ({ ...old, row: found }));
    };
    ask().catch((error) => error.name !== "AbortError" && setState((old) => ({ ...old, error, over: true })));
    return () => leaving.abort();
  }, []);
  const cancel = () => {
    stop.current.abort();
    setState((old) => ({ ...old, over: true }));
  };
  const { row: logged } = state;
  return html`<h3>Answer</h3>
    ${state.error && html`<${Failed} error=${state.error} />`}
    ${(state.text || !state.error) && html`<pre class="words" tabindex="0" role="region" aria-label="Answer" aria-busy=${!state.over}>${state.text || (state.over ? "(it has no text)" : "…")}</pre>`}
    ${!state.over && html`<p><button type="button" onClick=${cancel}>Stop</button></p>`}
    ${state.whole !== null && html`<div role="status"><dl class="facts">
      <dt>Model</dt><dd>${state.model || "a tool"}</dd>
      <dt>Latency</dt><dd>${seconds(state.whole)}${state.first !== null && `, first words after ${seconds(state.first)}`} <span class="note">as seen here</span></dd>
      <dt>Cost</dt><dd>${logged ? money(logged.cost) : "…"}</dd>
      <dt>Tokens</dt><dd>${logged ? `${count(logged.input_tokens)} in, ${count(logged.output_tokens)} out` : "…"}</dd>
      <dt>Attempts</dt><dd>${logged ? `${count(logged.attempts)}${logged.fallbacks ? `, ${count(logged.fallbacks)} fell back` : ""}${logged.escalations ? `, ${count(logged.escalations)} climbed` : ""}${logged.flagged ? ", flagged: no check accepted it" : ""}` : "…"}</dd>
      <dt>Decision</dt><dd><a href=${link("decisions", { id: state.id, open: state.id, range: "all" })}><code>${state.id}</code></a></dd>
    </dl></div>`}`;
}
