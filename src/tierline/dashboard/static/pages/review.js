// The review queue: answers that no check accepted, judged by a person; and the tasks that are due for another look.
import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { post, useData } from "../parts/api.js";
import { Detail, refocus } from "../parts/detail.js";
import { Choice } from "../parts/filters.js";
import { clock, count, moment, named } from "../parts/format.js";
import { link } from "../parts/link.js";
import { Doing, Empty, Failed, Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { Due } from "./review/due.js";

const STATES = [["accepted", "accepted"], ["corrected", "corrected"], ["dismissed", "dismissed"], ["all", "all"]];

export default function Review({ session, params, setParams }) {
  const from = useData("admin/reviews", { state: params.state || "open", limit: 200 }, { every: 10 });
  const [told, setTold] = useState("");
  const done = useRef(new Set());
  const change = (name, value) => setParams({ [name]: value, open: "" });
  const open = useCallback((one) => setParams({ open: one.request_id }), [setParams]);
  const close = useCallback(() => {
    setParams({ open: "" });
    refocus();
  }, [setParams]);
  /** After one is judged the next one opens, so that a queue is worked off without the list. */
  const judged = (review) => {
    done.current.add(review.request_id);
    const rows = from.data.reviews;
    const at = rows.findIndex((one) => one.request_id === review.request_id);
    const next = params.state ? null : [...rows.slice(at + 1), ...rows.slice(0, at)].find((one) => !done.current.has(one.request_id));
    setTold(`${review.request_id} is ${review.state}. ${next ? "The next one is open." : ""}`);
    from.reload();
    if (next) open(next);
    else if (!params.state) close();
  };
  return html`
    <div class="bar"><${Choice} label="State" name="state" value=${params.state} choices=${STATES} onChange=${change} all="open" />
      <p class="note" role="status" aria-live="polite">${told}</p></div>
    <${Loaded} from=${from} what="the queue">${(data) => html`<div class=${params.open ? "split" : ""}>
      <div class="stack">
        <${List} data=${data} params=${params} onOpen=${open} />
        <${Due} />
      </div>
      ${params.open && html`<${One} key=${params.open} id=${params.open} session=${session} onClose=${close} onJudged=${judged} />`}
    </div>`}<//>`;
}

function List({ data, params, onOpen }) {
  const { counts, reviews } = data;
  return html`<section class="panel" aria-label="The queue">
    <header><p class="note">${count(counts.open)} open · ${count(counts.accepted)} accepted · ${count(counts.corrected)} corrected · ${count(counts.dismissed)} dismissed</p></header>
    ${reviews.length ? html`<${Table} caption="Entries, newest first" columns=${params.open ? COLUMNS.filter((one) => one.name !== "why" && one.name !== "id") : COLUMNS} rows=${reviews} row_key=${(one) => one.request_id} onOpen=${onOpen} chosen=${params.open} />`
      : html`<${Empty} title=${params.state ? "No entry is in this state." : "The queue is empty."}>What no check accepted, and what was blocked, comes here by itself.<//>`}
  </section>`;
}

// A verdict travels as an array: validator, passed, detail, score.
const failed = (one) => one.verdicts.filter(([, passed]) => !passed);

const COLUMNS = [
  { name: "at", title: "Time", show: (one) => clock(one.at) },
  { name: "kind", title: "What", show: (one) => html`<span class=${`tag ${one.kind === "blocked" ? "bad" : "warn"}`}>${one.kind}</span>${one.state !== "open" && html` <span class="tag">${one.state}</span>`}` },
  { name: "task", title: "Task", show: (one) => named(one.task) },
  { name: "route", title: "Route", show: (one) => one.route },
  { name: "model", title: "Model", show: (one) => named(one.model, "nobody") },
  { name: "why", title: "What no check accepted", wide: true, show: (one) => failed(one).map(([validator, , detail]) => `${validator}${detail ? `: ${detail}` : ""}`).join("; ") },
  { name: "id", title: "Id", show: (one) => html`<code class="id">${one.request_id}</code>` },
];

function One({ id, session, onClose, onJudged }) {
  const from = useData(`admin/reviews/${encodeURIComponent(id)}`);
  return html`<${Detail} title=${html`Entry <code>${id}</code>`} onClose=${onClose}>
    <${Loaded} from=${from} what="the entry">${(data) => html`<${Entry} data=${data} session=${session} onJudged=${onJudged} again=${from.reload} />`}<//>
  <//>`;
}

function Entry({ data, session, onJudged }) {
  const { review, text } = data;
  return html`
    <p>${moment(review.at)} · <span class=${`tag ${review.kind === "blocked" ? "bad" : "warn"}`}>${review.kind}</span> · ${named(review.model, "no model")} · ${review.route}${review.task && ` · ${review.task}`} · <a href=${link("decisions", { open: review.request_id, id: review.request_id, range: "all" })}>the decision</a></p>
    <h3>Checks</h3>
    <ul class="checks">${review.verdicts.map(([validator, passed, detail]) => html`<li><span class=${passed ? "good" : "bad"}>${passed ? "✓ passed" : "✗ failed"}</span> ${validator}${detail && html` <span class="note">${detail}</span>`}</li>`)}</ul>
    <${Words} text=${text} session=${session} />
    ${review.state === "open" ? html`<${Judging} review=${review} session=${session} onJudged=${onJudged} />`
      : html`<h3>Judged</h3><p><strong>${review.state}</strong>${review.reviewed_by && ` by ${review.reviewed_by}`}, ${moment(review.reviewed_at)}${review.note && `: ${review.note}`}</p>${review.correction && html`<pre>${review.correction}</pre>`}`}`;
}

const content = (message) => (typeof message?.content === "string" ? message.content : message?.content || message?.tool_calls ? JSON.stringify(message.content ?? message.tool_calls, null, 2) : null);

/** Prompt and answer in reading order where they are a chat, else as they are kept; always as plain text. */
function Words({ text, session }) {
  if (text === null) return html`<h3>Words</h3><p class="note">${session.admin ? "The words are not kept: `log_text` of its route says whose are, and for how long `decision_log.text_retention`." : "Prompts and answers are shown to keys with the scope admin."}</p>`;
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    return html`<h3>Words</h3><pre tabindex="0" role="region" aria-label="Prompt and answer">${text}</pre>`;
  }
  const answer = content(said.answer?.choices?.[0]?.message);
  const asked = Array.isArray(said.request?.messages) ? said.request.messages : null;
  if (answer === null || asked === null) return html`<h3>Words</h3><pre tabindex="0" role="region" aria-label="Prompt and answer">${JSON.stringify(said, null, 2)}</pre>`;
  return html`<h3>Asked</h3>${asked.map((one, at) => html`<p class="note">${one.role}</p><pre tabindex="0" role="region" aria-label=${`${one.role}, message ${at + 1}`}>${content(one)}</pre>`)}
    <h3>Answered</h3><pre class="words" tabindex="0" role="region" aria-label="Answer">${answer}</pre>`;
}

/** Three judgements, by button and by the keys a, c and d; the keys rest while somebody types. */
function Judging({ review, session, onJudged }) {
  const [given, setGiven] = useState({ correction: "", note: "", correcting: false });
  const [state, setState] = useState({ error: null, busy: false });
  const box = useRef(null);
  const judge = async (verdict) => {
    setState({ error: null, busy: true });
    try {
      const body = { state: verdict, note: given.note.trim(), ...(verdict === "corrected" ? { correction: given.correction } : {}) };
      const done = await post(`admin/reviews/${encodeURIComponent(review.request_id)}`, body);
      setState({ error: null, busy: false });
      onJudged(done);
    } catch (error) {
      setState({ error, busy: false });
    }
  };
  useEffect(() => given.correcting && box.current?.focus(), [given.correcting]);
  useLayoutEffect(() => {
    if (!session.admin || state.busy) return undefined;
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
      if (event.key === "a") judge("accepted");
      else if (event.key === "d") judge("dismissed");
      else if (event.key === "c") setGiven((old) => ({ ...old, correcting: true }));
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
  if (!session.admin) return html`<p class="note">Judging needs a key with the scope admin.</p>`;
  const correct = (event) => {
    event.preventDefault();
    judge("corrected");
  };
  return html`<h3>Judge</h3>
    <p><label class="field whole"><span>Note, for those who look later</span><input name="note" value=${given.note} onInput=${(event) => setGiven({ ...given, note: event.target.value })} autocomplete="off" /></label></p>
    <p class="actions">
      <${Doing} session=${session} disabled=${state.busy} onClick=${() => judge("accepted")}>Accept <kbd>a</kbd><//>
      <${Doing} session=${session} disabled=${state.busy} onClick=${() => setGiven({ ...given, correcting: true })} aria-expanded=${given.correcting}>Correct <kbd>c</kbd><//>
      <${Doing} session=${session} disabled=${state.busy} onClick=${() => judge("dismissed")}>Dismiss <kbd>d</kbd><//>
    </p>
    ${given.correcting && html`<form onSubmit=${correct}>
      <label class="field whole"><span>The right answer</span><textarea ref=${box} name="correction" required value=${given.correction} onInput=${(event) => setGiven({ ...given, correction: event.target.value })}></textarea></label>
      <p><button type="submit" class="primary" disabled=${state.busy || !given.correction.trim()}>Correct it</button></p></form>`}
    <p class="note">Accept: what the client got was right after all. Correct: it was not, and this would have been. Dismiss: it says nothing. Accepted and corrected entries are labels.</p>
    ${state.error && html`<${Failed} error=${state.error} />`}`;
}
