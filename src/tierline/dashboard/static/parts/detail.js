// A panel beside a list that shows the one that is open: it takes the focus, and Escape closes it.
import { html, useEffect, useRef } from "../html.js";

/** `title` stands in its head; `onClose` is called by the button and by Escape, unless somebody types. */
export function Detail({ title, onClose, children }) {
  const head = useRef(null);
  useEffect(() => head.current?.focus(), []);
  useEffect(() => {
    const onKey = (event) => event.key === "Escape" && !event.target.matches("input, select, textarea") && onClose();
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onClose]);
  return html`<section class="panel detail" aria-labelledby="detail">
    <header><h2 id="detail" tabindex="-1" ref=${head}>${title}</h2><button type="button" onClick=${onClose}>Close <kbd>Esc</kbd></button></header>
    ${children}
  </section>`;
}

/** Back to the row that was open. */
export const refocus = () => requestAnimationFrame(() => document.querySelector("tr.chosen, tbody tr[tabindex='0']")?.focus());
