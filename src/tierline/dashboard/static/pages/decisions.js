// Every decision, one explained.
import { html } from "../html.js";
import { Empty } from "../parts/states.js";

export default function Decisions() {
  return html`<${Empty} title="No figures yet.">They are being built.<//>`;
}
