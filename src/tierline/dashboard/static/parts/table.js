// A table that is read by screen readers and walked with the keyboard: j and k or the arrows move, Enter opens.
import { html, useRef, useState } from "../html.js";

/** `columns`: `{name, title, show(row), number, sort(row), wide}`; `row_key(row)`; `onOpen(row)` makes rows open on click and Enter.
 *  `chosen` is the key of the row that is open. Columns with `sort` are sorted by a click on their head, here in the page. */
export function Table({ caption, columns, rows, row_key, onOpen, chosen, hidden_caption = true, foot }) {
  const [order, setOrder] = useState(null);
  const [at, setAt] = useState(0);
  const body = useRef(null);
  const sorted = order ? [...rows].sort(by(columns.find((one) => one.name === order.name).sort, order.down)) : rows;
  const last = sorted.length - 1;
  const focus = (index) => {
    const to = Math.max(0, Math.min(index, last));
    setAt(to);
    body.current?.children[to]?.focus();
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName !== "TR") return;
    const here = [...body.current.children].indexOf(event.target);
    const to = { j: here + 1, ArrowDown: here + 1, k: here - 1, ArrowUp: here - 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      focus(to);
    } else if (event.key === "Enter" && onOpen) {
      event.preventDefault();
      onOpen(sorted[here]);
    }
  };
  const head = (column) => {
    const sorting = order?.name === column.name ? (order.down ? "descending" : "ascending") : undefined;
    const turn = () => setOrder(sorting === "descending" ? { name: column.name, down: false } : sorting ? null : { name: column.name, down: true });
    return html`<th scope="col" class=${column.number ? "number" : ""} aria-sort=${sorting}>
      ${column.sort ? html`<button type="button" class="sort" onClick=${turn}>${column.title}<span aria-hidden="true">${sorting ? (order.down ? " ↓" : " ↑") : ""}</span></button>` : column.title}</th>`;
  };
  return html`<div class="scroll" tabindex=${onOpen ? undefined : "0"} role=${onOpen ? undefined : "region"} aria-label=${onOpen ? undefined : caption}>
    <table>
      <caption class=${hidden_caption ? "hidden" : ""}>${caption}</caption>
      <thead><tr>${columns.map(head)}</tr></thead>
      <tbody ref=${body} onKeyDown=${onKey}>
        ${sorted.map((row, index) => html`<tr key=${row_key(row)} class=${`${onOpen ? "opens" : ""}${chosen === row_key(row) ? " chosen" : ""}`}
          tabindex=${onOpen ? (index === Math.min(at, last) ? 0 : -1) : undefined} aria-current=${chosen === row_key(row) ? "true" : undefined}
          onFocus=${() => setAt(index)} onClick=${onOpen && (() => onOpen(row))}>
          ${columns.map((column, place) => html`<${place === 0 ? "th" : "td"} scope=${place === 0 ? "row" : undefined}
            class=${`${column.number ? "number" : ""}${column.wide ? " wide" : ""}`}>${column.show(row)}<//>`)}
        </tr>`)}
      </tbody>
      ${foot && html`<tfoot>${foot}</tfoot>`}
    </table>
  </div>`;
}

const by = (value, down) => (a, b) => {
  const [x, y] = [value(a), value(b)];
  const less = typeof x === "string" ? x.localeCompare(y) : (x ?? -Infinity) - (y ?? -Infinity);
  return down ? -less : less;
};
