// What stands where there is nothing to show: it loads, it failed, it is empty.
import { html } from "../html.js";

export const Loading = ({ what = "figures" }) => html`<p class="state" role="status"><span class="spinner" aria-hidden="true"></span> Loading ${what} …</p>`;

export const Failed = ({ error, again }) => html`
  <div class="state failed" role="alert">
    <p><strong>This could not be loaded.</strong> ${error.message}</p>
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;

export const Empty = ({ title, children }) => html`<div class="state empty"><p><strong>${title}</strong></p><p>${children}</p></div>`;

/** One of the three, or what `children` makes of the data. */
export function Loaded({ from, what, children }) {
  if (from.error && !from.data) return html`<${Failed} error=${from.error} again=${from.reload} />`;
  if (!from.data) return html`<${Loading} what=${what} />`;
  return html`
    ${from.error && html`<p class="stale" role="status">These figures are from before: ${from.error.message}</p>`}
    ${children(from.data)}`;
}

/** Something that changes something: disabled, and saying why, for those who may only look. */
export const Doing = ({ session, onClick, children, ...more }) => html`
  <button type="button" disabled=${!session.admin} title=${session.admin ? undefined : "This needs a key with the scope admin."}
    onClick=${onClick} ...${more}>${children}</button>`;

export const Tile = ({ label, value, note, tone = "" }) => html`
  <div class=${`tile ${tone}`}><dt>${label}</dt><dd>${value}</dd>${note && html`<dd class="note">${note}</dd>`}</div>`;

export const Panel = ({ title, note, actions, children, id, wide }) => html`
  <section class=${`panel${wide ? " wide" : ""}`} aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${actions}</header>
    ${note && html`<p class="note">${note}</p>`}
    ${children}
  </section>`;
