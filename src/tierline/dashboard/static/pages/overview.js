// What happened, at a glance.
import { html } from "../html.js";
import { Empty } from "../parts/states.js";

export default function Overview() {
  return html`<${Empty} title="No figures yet.">They are being built.<//>`;
}
