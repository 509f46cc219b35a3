// Every decision as it is made, and any one of them explained.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../html.js";
import { get } from "../parts/api.js";
import { bounds, Choice, Range, Tick, Word } from "../parts/filters.js";
import { clock, count, money, named, seconds, short } from "../parts/format.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { Explained } from "./decisions/explained.js";

const EVERY = 2;
const MOST_SHOWN = 500;
const FILTERS = ["route", "task", "tier", "model", "key", "status", "error", "flagged", "changed", "min_cost", "id"];
const ERRORS = [["any", "any error"], "no_eligible_model", "provider_error", "deadline_exceeded", "rate_limited", "budget_exceeded", "content_blocked", "client_closed", "internal_error"];

export default function Decisions({ session, params, setParams }) {
  const { range, since, until } = params;
  const times = useMemo(() => bounds({ range, since, until }), [range, since, until]);
  const asked = { ...times, ...Object.fromEntries(FILTERS.map((name) => [name, params[name] ?? ""])) };
  const change = (name, value) => setParams({ [name]: value });
  const open = useCallback((row) => setParams({ open: row.request_id }), [setParams]);
  const close = useCallback(() => {
    setParams({ open: "" });
    requestAnimationFrame(() => document.querySelector("tr.chosen, tbody tr[tabindex='0']")?.focus());
  }, [setParams]);
  const clear = () => setParams(Object.fromEntries(FILTERS.map((name) => [name, ""])));
  return html`<div class=${params.open ? "reading" : ""}>
    <div class="bar" role="search" aria-label="Filter decisions">
      <${Word} label="Id begins with" name="id" value=${params.id} onChange=${change} first size="16" />
      <${Choice} label="Route" name="route" value=${params.route} choices=${session.routes} onChange=${change} />
      <${Choice} label="Task" name="task" value=${params.task} choices=${session.tasks} onChange=${change} />
      <${Choice} label="Tier" name="tier" value=${params.tier} choices=${session.tiers} onChange=${change} />
      <${Choice} label="Model" name="model" value=${params.model} choices=${session.models.map((one) => one.name)} onChange=${change} />
      <${Word} label="Key" name="key" value=${params.key} onChange=${change} size="10" />
      <${Choice} label="Status" name="status" value=${params.status} choices=${["2xx", "4xx", "5xx"]} onChange=${change} />
      <${Choice} label="Error" name="error" value=${params.error} choices=${ERRORS} onChange=${change} />
      <${Word} label="Costs at least, USD" name="min_cost" type="number" value=${params.min_cost} onChange=${change} size="8" />
      <${Tick} label="flagged" name="flagged" value=${params.flagged} onChange=${change} />
      <${Tick} label="escalated or fell back" name="changed" value=${params.changed} onChange=${change} />
      <button type="button" class="plain" onClick=${clear} disabled=${!FILTERS.some((name) => params[name])}>Clear filters</button>
    </div>
    <div class="bar"><${Range} params=${params} setParams=${setParams} all /></div>
    <div class=${params.open ? "split" : ""}>
      <${List} key=${JSON.stringify(asked)} asked=${asked} live=${params.tail !== "off" && !until} chosen=${params.open} onOpen=${open}
        onPause=${() => setParams({ tail: params.tail === "off" ? "" : "off" })} pausable=${!until} narrow=${Boolean(params.open)} />
      ${params.open && html`<${Explained} key=${params.open} id=${params.open} session=${session} onClose=${close} />`}
    </div></div>`;
}

/** The rows that fit, newest first: a page, older pages on demand, and what comes while it is live. */
function List({ asked, live, chosen, onOpen, onPause, pausable, narrow }) {
  const [state, setState] = useState({ rows: null, next: null, newest: 0, error: null, loading: true, told: "" });
  const newest = useRef(0);
  const load = useCallback((before, signal) => {
    setState((old) => ({ ...old, loading: true, error: null }));
    get("admin/decisions", { ...asked, before, limit: 50 }, signal).then(
      (page) => {
        if (!before) newest.current = page.newest;
        setState((old) => ({ ...old, rows: before ? [...old.rows, ...page.decisions] : page.decisions, next: page.next, loading: false }));
      },
      (error) => error.name !== "AbortError" && setState((old) => ({ ...old, error, loading: false })),
    );
  }, []);
  useEffect(() => {
    const leaving = new AbortController();
    load("", leaving.signal);
    return () => leaving.abort();
  }, [load]);
  useEffect(() => {
    if (!live) return undefined;
    const leaving = new AbortController();
    const look = async () => {
      if (document.visibilityState !== "visible" || !newest.current) return;
      try {
        const page = await get("admin/decisions", { ...asked, until: "", after: newest.current, limit: 100 }, leaving.signal);
        newest.current = page.newest;
        if (!page.decisions.length) return;
        setState((old) => {
          const known = new Set(old.rows.map((row) => row.request_id));
          const fresh = page.decisions.filter((row) => !known.has(row.request_id));
          return { ...old, rows: [...fresh, ...old.rows].slice(0, MOST_SHOWN), told: fresh.length ? `${fresh.length} new decisions` : old.told };
        });
      } catch {
        // The next look may go well; the page says so itself when it is asked for something.
      }
    };
    const timer = setInterval(look, EVERY * 1000);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [live]);
  if (state.error && !state.rows) return html`<${Failed} error=${state.error} again=${() => load("")} />`;
  if (!state.rows) return html`<${Loading} what="decisions" />`;
  return html`<section class="list panel" aria-label="Decisions">
    <header>
      <p class="note">${state.rows.length ? `${count(state.rows.length)}${state.next ? " newest" : ""} decisions` : ""}${live ? " · live, every 2 s" : pausable ? " · paused" : ""}</p>
      <p class="hidden" role="status" aria-live="polite">${state.told}</p>
      ${pausable && html`<button type="button" aria-pressed=${!live} onClick=${onPause}>${live ? "Pause" : "Go on"}</button>`}
    </header>
    ${state.rows.length ? html`<${Table} caption="Decisions, newest first" columns=${narrow ? NARROW : COLUMNS} rows=${state.rows} row_key=${(row) => row.request_id} onOpen=${onOpen} chosen=${chosen} />`
      : html`<${Empty} title="No decision fits.">Take a longer time, or clear a filter.<//>`}
    ${state.next && html`<p><button type="button" disabled=${state.loading} onClick=${() => load(state.next)}>${state.loading ? "Loading …" : "Older decisions"}</button></p>`}
  </section>`;
}

function Marks({ row }) {
  return html`${row.status >= 400 && html`<span class="tag bad">${row.status}${row.error && ` ${row.error}`}</span> `}
    ${row.flagged ? html`<span class="tag warn">flagged</span> ` : ""}${row.truncated ? html`<span class="tag warn">cut</span> ` : ""}
    ${row.escalations > 0 && html`<span class="tag">climbed${row.escalations > 1 ? ` ${row.escalations}×` : ""}</span> `}
    ${row.fallbacks > 0 && html`<span class="tag">fell back${row.fallbacks > 1 ? ` ${row.fallbacks}×` : ""}</span> `}
    ${row.answered && html`<span class="tag">${row.answered}</span> `}${row.arm && html`<span class="tag">${row.arm}</span>`}`;
}

const COLUMNS = [
  { name: "at", title: "Time", show: (row) => clock(row.at) },
  { name: "model", title: "Model", show: (row) => named(row.model || (row.answered ? "" : row.first_model), row.answered ? "a tool" : "nobody") },
  { name: "tier", title: "Tier", show: (row) => row.tier },
  { name: "task", title: "Task", show: (row) => row.task },
  { name: "route", title: "Route", show: (row) => row.route },
  { name: "key", title: "Key", show: (row) => row.key },
  { name: "tokens", title: "Tokens in/out", number: true, show: (row) => `${short(row.input_tokens)} / ${short(row.output_tokens)}` },
  { name: "cost", title: "Cost", number: true, show: (row) => money(row.cost) },
  { name: "latency", title: "Latency", number: true, show: (row) => seconds(row.latency) },
  { name: "marks", title: "What happened", show: (row) => html`<${Marks} row=${row} />` },
  { name: "id", title: "Id", show: (row) => html`<code class="id">${row.request_id}</code>` },
];
const NARROW = COLUMNS.filter(({ name }) => ["at", "model", "task", "cost", "latency", "marks"].includes(name));
