// The tasks that are to be looked at again, and why.
import { html } from "../../html.js";
import { useData } from "../../parts/api.js";
import { count, moment, money, percent, seconds } from "../../parts/format.js";
import { Loaded, Panel } from "../../parts/states.js";
import { Table } from "../../parts/table.js";

export function Due() {
  const from = useData("admin/due");
  return html`<${Panel} id="due" title="Tasks that are due for another look">
    <${Loaded} from=${from} what="the tasks, from their rows">${(data) => (data.missing ? html`<p class="note">${data.missing}</p>` : html`<${Tasks} data=${data} />`)}<//>
  <//>`;
}

function Tasks({ data }) {
  const due = data.tasks.filter((one) => one.causes?.length);
  return html`<p>${due.length ? `${count(due.length)} of ${count(data.tasks.length)} tasks are due.` : data.tasks.length ? `None of ${count(data.tasks.length)} tasks is due.` : "The spec has no tasks."}</p>
    ${due.map((one) => html`<article key=${one.task} class="due"><h3>${one.task} <span class="note">${one.owner && `owner ${one.owner} · `}${last(one.looked)}</span></h3>
      <ul>${one.causes.map((cause) => html`<li><span class="tag">${cause.kind}</span> ${cause.what}${cause.sure === null || cause.sure === undefined ? "" : html` <span class="note">${percent(cause.sure)} sure</span>`}</li>`)}</ul></article>`)}
    ${data.tasks.length > 0 && html`<details><summary>Every task as it is now</summary><${Table} caption="Tasks now" columns=${COLUMNS} rows=${data.tasks} row_key=${(one) => one.task} /></details>`}
    <p class="note">Counted over ${Number(data.days.toFixed(1))} days to ${moment(data.at)}, as <code>tierline review</code> does. When you have looked, say so: <code>tierline review sign TASK --why "what you found"</code>.</p>`;
}

const last = (looked) => (looked ? `last looked at ${looked.day}${looked.by ? ` by ${looked.by}` : ""}` : "nobody has looked at it yet");

const COLUMNS = [
  { name: "task", title: "Task", show: (one) => one.task },
  { name: "requests", title: "Requests", number: true, sort: (one) => one.requests, show: (one) => html`${count(one.requests)} <span class="note">${percent(one.share, 0)}</span>` },
  { name: "cost", title: "Cost", number: true, sort: (one) => one.cost, show: (one) => money(one.cost) },
  { name: "p95", title: "p95", number: true, sort: (one) => one.p95, show: (one) => seconds(one.p95) },
  { name: "looked", title: "Looked at", show: (one) => (one.looked ? one.looked.day : "never") },
];
