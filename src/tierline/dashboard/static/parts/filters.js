// Filters that live in the address, so that a view can be sent to a colleague, and time ranges.
import { html, useEffect, useRef, useState } from "../html.js";

export const RANGES = [["1h", "1 hour", 3600], ["24h", "24 hours", 86400], ["7d", "7 days", 7 * 86400], ["30d", "30 days", 30 * 86400]];

/** The bounds of a range in Unix seconds: `{since, until}`, where an open end is empty. */
export function bounds(params, standard = "24h", now = Date.now() / 1000) {
  if (params.since || params.until) return { since: params.since ? stamp(params.since) : "", until: params.until ? stamp(params.until) : "" };
  const range = RANGES.find(([name]) => name === (params.range || standard));
  return { since: range ? Math.floor(now - range[2]) : "", until: "" };
}

const stamp = (local) => Math.floor(new Date(local).getTime() / 1000) || "";

/** A label and a list of choices; empty means all. */
export const Choice = ({ label, name, value, choices, onChange, all = "all" }) => html`
  <label class="field"><span>${label}</span>
    <select name=${name} value=${value ?? ""} onChange=${(event) => onChange(name, event.target.value)}>
      <option value="">${all}</option>
      ${choices.map((one) => (Array.isArray(one) ? one : [one, one])).map(([given, title]) => html`<option key=${given} value=${given} selected=${given === value}>${title}</option>`)}
    </select></label>`;

/** A label and a word that is typed; taken over when it is left, or on Enter. `/` comes here where it is the `first`. */
export function Word({ label, name, value, onChange, placeholder, first, type = "text", size }) {
  const box = useRef(null);
  useEffect(() => {
    if (box.current && document.activeElement !== box.current) box.current.value = value ?? "";
  }, [value]);
  return html`<label class="field"><span>${label}</span>
    <input ref=${box} type=${type} name=${name} size=${size} defaultValue=${value ?? ""} placeholder=${placeholder} autocomplete="off" spellcheck=${false}
      data-first-filter=${first ? "" : undefined} onChange=${(event) => onChange(name, event.target.value.trim())} /></label>`;
}

export const Tick = ({ label, name, value, onChange }) => html`
  <label class="tick"><input type="checkbox" name=${name} checked=${Boolean(value)} onChange=${(event) => onChange(name, event.target.checked ? "1" : "")} /> ${label}</label>`;

/** Buttons for the usual ranges, and two moments of one's own. */
export function Range({ params, setParams, standard = "24h", all = false }) {
  const own = Boolean(params.since || params.until);
  const [open, setOpen] = useState(own);
  const chosen = own ? "" : params.range || standard;
  const take = (range) => {
    setOpen(false);
    setParams({ range: range === standard ? "" : range, since: "", until: "", before: "" });
  };
  const change = (name, value) => setParams({ [name]: value, range: "", before: "" });
  const ranges = all ? [...RANGES, ["all", "all"]] : RANGES;
  return html`<div class="range" role="group" aria-label="Time range">
    ${ranges.map(([name, title]) => html`<button type="button" key=${name} aria-pressed=${chosen === name} onClick=${() => take(name)}>${title}</button>`)}
    <button type="button" aria-pressed=${own} aria-expanded=${open} onClick=${() => setOpen(!open)}>custom</button>
    ${open && html`<${Word} label="From" name="since" type="datetime-local" value=${params.since} onChange=${change} />
      <${Word} label="To" name="until" type="datetime-local" value=${params.until} onChange=${change} />`}
  </div>`;
}
