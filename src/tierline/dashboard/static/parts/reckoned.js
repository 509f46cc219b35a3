// What the pages that reckon share: without the extra `analysis`, how to install it.
import { html } from "../html.js";
import { Empty, Loaded } from "./states.js";

export const Reckoned = ({ from, what, children }) => html`<${Loaded} from=${from} what=${what}>
  ${(data) => (data.missing ? html`<${Empty} title="This page needs an extra.">${data.missing}<//>` : children(data))}<//>`;

/** A figure with the range that holds it nine times out of ten (or 95 in 100, as the page says). */
export function ranged(range, show) {
  const [value, low, high] = [range.value, range.low, range.high].map((one) => show(one));
  return low === high && low === value ? value : html`${value}<br /><span class="note">${low} … ${high}</span>`;
}
