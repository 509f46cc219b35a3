// One decision: why, what came of it, what it cost, what was said of it, and what would have been decided otherwise.
import { html, useEffect, useRef } from "../../html.js";
import { useData } from "../../parts/api.js";
import { count, moment, money, named, percent, seconds } from "../../parts/format.js";
import { Loaded } from "../../parts/states.js";
import { Table } from "../../parts/table.js";
import { Replay } from "./replay.js";

export function Explained({ id, session, onClose }) {
  const from = useData(`admin/explanations/${encodeURIComponent(id)}`);
  const head = useRef(null);
  useEffect(() => head.current?.focus(), []);
  useEffect(() => {
    const onKey = (event) => event.key === "Escape" && !event.target.matches("input, select, textarea") && onClose();
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onClose]);
  return html`<section class="panel detail" aria-labelledby="detail">
    <header><h2 id="detail" tabindex="-1" ref=${head}>Decision <code>${id}</code></h2><button type="button" onClick=${onClose}>Close <kbd>Esc</kbd></button></header>
    <${Loaded} from=${from} what="the decision">${(data) => html`<${Story} data=${data} session=${session} id=${id} />`}<//>
  </section>`;
}

function Story({ data, session, id }) {
  const { record, explanation } = data;
  return html`
    <p>${moment(record.at)} · <strong>${named(record.model, record.answered ? record.answered : "nobody answered")}</strong>${record.tier && ` · ${record.tier}`} · ${record.route}${record.task && ` · ${record.task}`} · ${money(record.cost)}
      ${" · "}<span class=${record.status >= 400 ? "bad" : ""}>${record.status}${record.error && ` ${record.error}`}</span>
      ${record.flagged && html` <span class="tag warn">flagged</span>`}${record.truncated && html` <span class="tag warn">cut</span>`}</p>
    ${explanation ? html`<h3>Why</h3><ol class="why">${explanation.sentences.map((one) => html`<li>${one}</li>`)}</ol>
      <h3>What would flip it</h3>
      ${explanation.flips.length ? html`<ul>${explanation.flips.map((one) => html`<li>${one}</li>`)}</ul>` : html`<p class="note">No small change of difficulty or quality would have sent it elsewhere.</p>`}`
      : html`<p class="stale">${data.unexplained}</p>`}
    <h3>Attempts</h3>
    <${Timeline} attempts=${data.attempts} asides=${record.asides} />
    <h3>Candidates</h3>
    ${data.candidates.length ? html`<${Table} caption="Candidates" columns=${CANDIDATES} rows=${data.candidates} row_key=${(one) => `${one.model} ${one.fell}`} />` : html`<p class="note">None: a rule or the client named the model.</p>`}
    <h3>Cost</h3>
    <${Costs} record=${record} attempts=${data.attempts} />
    <h3>What was said of the answer</h3>
    <${Said} data=${data} />
    <h3>Replay under another spec</h3>
    <${Replay} id=${id} session=${session} policy=${record.policy} />
    <h3>Words</h3>
    ${data.text === null ? html`<p class="note">${data.text_missing}</p>` : html`<${Words} text=${data.text} />`}
    <details><summary>Features, scores and the world as it was read</summary>
      <pre tabindex="0" role="region" aria-label="Features, scores and view">${JSON.stringify({ features: data.features, scores: data.scores, view: data.view }, null, 2)}</pre></details>
    <p class="note">Spec <code>${record.policy}</code> · Tierline itself took ${seconds(record.overhead)} · chosen with probability ${percent(record.propensity)}${record.arm && ` · arm ${record.arm}`}</p>`;
}

const CANDIDATES = [
  { name: "model", title: "Model", show: (one) => one.model },
  { name: "tier", title: "Tier", show: (one) => one.tier },
  { name: "quality", title: "Pass rate", number: true, show: (one) => html`${percent(one.quality)} <span class="note">${one.source}</span>` },
  { name: "cost", title: "A call", number: true, show: (one) => money(one.cost) },
  { name: "fell", title: "", wide: true, show: (one) => (one.fell ? html`<span class="tag bad">fell</span> ${one.fell}` : one.place ? `stood, asked ${one.place === 1 ? "first" : `as number ${one.place}`}` : "stood, not in the plan") },
];

const CAUSES = { first: "asked first", fallback: "fallback", escalation: "escalation", retry: "retry", hedge: "hedge", branch: "side by side", judge: "judge" };

/** Each attempt as a bar over the seconds of the request. */
function Timeline({ attempts }) {
  if (!attempts.length) return html`<p class="note">No model was asked.</p>`;
  const whole = Math.max(...attempts.map((one) => one.start + one.elapsed), 0.001);
  const tone = (one) => (one.winner ? "won" : one.ok ? "weak" : "broke");
  const said = (one) => (one.error ? `${one.error}${one.status ? ` (${one.status})` : ""}` : one.winner ? "answered" : "not good enough");
  return html`<ol class="timeline">${attempts.map((one, at) => html`<li key=${at}>
    <div class="what"><strong>${at + 1}. ${one.target || "choice"}</strong> <span class=${`tag${one.cause === "fallback" || one.cause === "escalation" ? " warn" : ""}`}>${CAUSES[one.cause] ?? one.cause}</span>
      <span class=${one.winner ? "good" : one.error ? "bad" : "warn"}>${said(one)}</span>
      <span class="note">${seconds(one.elapsed)}${one.ttft !== null && `, first words after ${seconds(one.ttft)}`} · ${money(one.cost)}</span></div>
    <svg class=${`lane ${tone(one)}`} viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=${`from ${seconds(one.start)} to ${seconds(one.start + one.elapsed)} of ${seconds(whole)}`}>
      <rect class="ground" width="1000" height="10" />
      <rect class="bar" x=${(one.start / whole) * 1000} width=${Math.max((one.elapsed / whole) * 1000, 3)} height="10" />
      ${one.ttft !== null && html`<rect class="first" x=${((one.start + one.ttft) / whole) * 1000} width="3" height="10" />`}
    </svg>
    ${one.verdicts.length > 0 && html`<p class="note">${one.verdicts.map((verdict) => html`<span class=${verdict.passed ? "good" : "bad"}>${verdict.passed ? "✓" : "✗"} ${verdict.validator}</span>${verdict.detail && ` ${verdict.detail}`} `)}</p>`}
    ${one.asides.length > 0 && html`<p class="note">beside it: ${one.asides.map((aside) => `${aside.purpose} by ${aside.target} (${money(aside.cost)})`).join(", ")}</p>`}
  </li>`)}</ol>`;
}

function Costs({ record, attempts }) {
  const rows = [
    ...attempts.map((one, at) => ({ key: at, name: `${at + 1}. ${one.target || "choice"}`, ...one.usage, cost: one.cost })),
    ...record.asides.map((one, at) => ({ key: `aside ${at}`, name: `${one[0]}: ${one[1]}`, input: one[5]?.[0] ?? 0, output: one[5]?.[1] ?? 0, cached: 0, reasoning: 0, cost: one[3] ?? 0 })),
  ];
  const columns = [
    { name: "name", title: "Call", show: (one) => one.name },
    { name: "input", title: "Tokens in", number: true, show: (one) => `${count(one.input)}${one.estimated ? " est." : ""}` },
    { name: "cached", title: "of it cached", number: true, show: (one) => count(one.cached) },
    { name: "output", title: "Tokens out", number: true, show: (one) => count(one.output) },
    { name: "reasoning", title: "of it thinking", number: true, show: (one) => count(one.reasoning) },
    { name: "cost", title: "Cost", number: true, show: (one) => money(one.cost) },
  ];
  const foot = html`<tr><th scope="row" colspan="5">Together${record.max_cost !== null && record.max_cost !== undefined ? `, of at most ${money(record.max_cost)}` : ""}</th><td class="number">${money(record.cost)}</td></tr>`;
  return html`<${Table} caption="Cost of each call" columns=${columns} rows=${rows} row_key=${(one) => one.key} foot=${foot} />`;
}

function Said({ data }) {
  const { feedback, labels, review } = data;
  if (!feedback.length && !labels.length && !review) return html`<p class="note">Nothing yet.</p>`;
  return html`<ul>
    ${feedback.map((one) => html`<li>${one.source || "somebody"}${one.kind && ` (${one.kind})`}: ${[one.score !== null && `score ${one.score}`, one.accept !== null && (one.accept ? "accepted" : "not accepted"), one.tool_success !== null && (one.tool_success ? "its tools worked" : "its tools failed")].filter(Boolean).join(", ") || "a correction"}${one.correction && html`<pre>${one.correction}</pre>`} <span class="note">${moment(one.at)}</span></li>`)}
    ${labels.map((one) => html`<li>${one.source}${one.by && ` by ${one.by}`}: ${percent(one.score, 0)} <span class="note">trusted ${percent(one.trust, 0)}, ${moment(one.at)}</span></li>`)}
    ${review && html`<li>review queue: ${review.state}${review.reviewed_by && ` by ${review.reviewed_by}`}${review.note && `: ${review.note}`}</li>`}
  </ul>`;
}

/** Prompt and answer as they are kept, always as plain text. */
function Words({ text }) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It was cut: shown as it is.
  }
  return html`<pre class="words" tabindex="0" role="region" aria-label="Prompt and answer">${shown}</pre>`;
}
