// What the log proves of the routing, and, where it proves nothing, why not and what would.
import { html } from "../html.js";
import { useData } from "../parts/api.js";
import { count, money, moment, percent } from "../parts/format.js";
import { ranged, Reckoned } from "../parts/reckoned.js";
import { Panel, Tile } from "../parts/states.js";
import { Table } from "../parts/table.js";

export default function Quality() {
  const from = useData("admin/quality");
  return html`
    <div class="bar"><button type="button" onClick=${from.reload} data-first-filter>Look again</button></div>
    <${Reckoned} from=${from} what="what the log proves">${(data) => html`<${Shown} data=${data} />`}<//>`;
}

const thousand = (value) => money(1000 * value);
const points = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)} points`;
const rate = (one) => (one ? ranged({ value: one.value, low: one.low, high: one.high }, percent) : "–");

/** No evidence: why, and what would give it. */
const None = ({ why, give }) => html`<div class="nothing"><p><strong>No evidence.</strong> ${why}</p><p class="note">What would give it: ${give}</p></div>`;

function Shown({ data }) {
  const { log } = data;
  return html`
    <dl class="tiles">
      <${Tile} label="Requests read" value=${count(log.requests)} note=${log.requests ? `${moment(log.since).slice(0, 10)} to ${moment(log.until).slice(0, 10)}` : "none in the time"} />
      <${Tile} label="Answers judged" value=${count(log.judged)} note="by checks or by people" />
      <${Tile} label="Answered beside" value=${count(log.shadowed)} note=${data.shadows.length ? `routes with a shadow: ${data.shadows.join(", ")}` : "no route has a shadow"} />
      <${Tile} label="Left to chance" value=${count(log.by_chance)} note=${data.explores.length ? `routes that explore: ${data.explores.join(", ")}` : "no route explores"} />
    </dl>
    <p class="note">At most the newest ${count(data.most)} requests of the last ${data.days} days. Intervals hold 95 times in 100. Made ${moment(data.made)}, kept for a minute.</p>
    <div class="panels">
      <${Advantage} data=${data} />
      <${Confusion} data=${data} />
      <${Regrets} data=${data} />
      <${Chance} log=${log} explores=${data.explores} />
      <${Declared} rows=${log.held} />
      <${Predicted} rows=${log.predicted} />
      <${Slices} rows=${log.slices} />
      <${Evaluation} found=${data.evaluation} />
    </div>`;
}

const figures = (data) => Object.entries(data.evaluation?.routers ?? {});

function Advantage({ data }) {
  const known = figures(data).filter(([, row]) => row.advantage);
  return html`<${Panel} id="advantage" title="Advantage over a random mix of the same cost">
    ${known.map(([name, row]) => html`<p key=${name}><code>${name}</code>: <strong class=${row.advantage.low > 0 ? "good" : row.advantage.high < 0 ? "bad" : ""}>${points(row.advantage.value)}</strong>
      <span class="note"> ${points(row.advantage.low)} … ${points(row.advantage.high)}, against ${Object.entries(row.advantage.mix).map(([model, share]) => `${percent(share, 0)} ${model}`).join(" and ")}. By the evaluation, not by the log.</span></p>`)}
    ${!known.length && html`<${None} why="A log holds the answer of the model that was asked. A mix of the same cost needs what every model would have answered to the same requests; exploration and shadows show two models at a time."
      give=${html`an evaluation beside the spec: <code>tierline collect</code> asks every model, <code>tierline evaluate --json evaluation.json</code> measures.`} />`}
  <//>`;
}

function Confusion({ data }) {
  const { log } = data;
  const tiers = log.confused;
  const columns = [
    { name: "given", title: "Given by", show: (one) => one.given },
    { name: "beside", title: "Beside", show: (one) => html`${one.beside}<br /><span class="note">${one.up === null ? "same tier" : one.up ? "a tier above" : "a tier below"}</span>` },
    { name: "requests", title: "Requests", number: true, sort: (one) => one.requests, show: (one) => count(one.requests) },
    { name: "both", title: "Both good", number: true, show: (one) => count(one.both) },
    { name: "only_given", title: "Given alone", number: true, show: (one) => count(one.only_given) },
    { name: "only_beside", title: "Beside alone", number: true, show: (one) => count(one.only_beside) },
    { name: "neither", title: "Neither", number: true, show: (one) => count(one.neither) },
    { name: "cost", title: "USD per 1,000", number: true, show: (one) => html`${thousand(one.given_cost)}<br /><span class="note">beside ${thousand(one.beside_cost)}</span>` },
  ];
  const shadow = html`a <code>shadow</code> on the route, with models of the tier above and of the tier below, and validators that look at both answers.`;
  const side = (found, words, way) => (found ? html`<p><strong>${percent(found.value)}</strong> ${words} <span class="note">${percent(found.low)} … ${percent(found.high)}, of ${count(found.judged)}</span></p>`
    : html`<${None} why=${`No model of a tier ${way} answered beside and was checked.`} give=${shadow} />`);
  return html`<${Panel} id="confusion" title="Tier too low, tier too high">
    ${log.climbed ? html`<p><strong>${percent(log.climbed.rate.value)}</strong> were asked too low first: the answer failed its checks, and one of a higher tier passed.
      <span class="note"> ${percent(log.climbed.rate.low)} … ${percent(log.climbed.rate.high)}, of ${count(log.climbed.rate.judged)} checked first answers. Calls whose answer was not given cost ${money(log.climbed.wasted)} of ${money(log.climbed.spent)}.</span></p>`
      : html`<${None} why="No first answer was checked." give=${html`validators (<code>validate</code>) on the tasks.`} />`}
    ${tiers ? html`${side(tiers.under, "under-routed: only the model of the higher tier was good.", "above")}${side(tiers.over, "over-routed: a model of a lower tier was good too.", "below")}
      <${Table} caption="Answers given and beside" columns=${columns} rows=${log.beside} row_key=${(one) => `${one.given}/${one.beside}`} />`
      : html`<${None} why="Nobody knows whether a lower tier would have been good enough: no model of another tier answered the same requests." give=${shadow} />`}
  <//>`;
}

const CAUSES = [["total", "Whole distance"], ["under_routed", "Under-routed"], ["over_routed", "Over-routed"], ["too_slow", "Too slow"], ["wrong_capability", "Wrong capability"], ["forced", "Forced"]];

function Regrets({ data }) {
  const columns = [
    { name: "cause", title: "Cause", show: (one) => one.cause },
    { name: "share", title: "Requests", number: true, show: (one) => (one.loss ? percent(one.loss.share) : "not known") },
    { name: "quality", title: "Quality lost", number: true, show: (one) => (one.loss ? `${(one.loss.quality * 100).toFixed(1)} points` : "–") },
    { name: "cost", title: "USD wasted per 1,000", number: true, show: (one) => (one.loss ? (one.loss.cost < 0 ? `−${thousand(-one.loss.cost)}` : thousand(one.loss.cost)) : "–") },
  ];
  const table = (name, regret) => html`<h3>${name}</h3><${Table} caption=${`Regret, ${name}`} columns=${columns} rows=${CAUSES.map(([key, cause]) => ({ cause, loss: regret[key] }))} row_key=${(one) => one.cause} />`;
  const known = figures(data).filter(([, row]) => row.regret);
  return html`<${Panel} id="regret" title="Regret by cause">
    ${data.log.regret ? table("against the better of two that answered", data.log.regret)
      : html`<${None} why="Regret is the distance to who would have been best: it takes the answers of two models to the same request." give=${html`a <code>shadow</code> on the route, or an evaluation beside the spec.`} />`}
    ${known.map(([name, row]) => table(`${name}, by the evaluation`, row.regret))}
  <//>`;
}

function Chance({ log, explores }) {
  const columns = [
    { name: "pair", title: "Asked first", show: (one) => html`${one.low}<br />${one.high}` },
    { name: "answers", title: "Answers", number: true, show: (one) => html`${count(one.answers[one.low])}<br />${count(one.answers[one.high])}` },
    { name: "quality", title: "Good", number: true, show: (one) => (one.why ? html`<span class="note">${one.why}</span>` : html`${figure(one.quality[one.low], percent)}<br />${figure(one.quality[one.high], percent)}`) },
    { name: "cost", title: "USD per 1,000", number: true, show: (one) => (one.why ? "–" : html`${figure(one.cost[one.low], thousand)}<br />${figure(one.cost[one.high], thousand)}`) },
  ];
  return html`<${Panel} id="chance" title="What asking another model first would bring">
    ${log.explored.length ? html`<${Table} caption="By chance" columns=${columns} rows=${log.explored} row_key=${(one) => `${one.low}/${one.high}`} />
      <p class="note">Requests that the spec at work could send to either of the two, and chance chose; each stands for as many as its propensity says. All that follows is counted: retries and escalations too.</p>`
      : html`<${None} why=${explores.length ? "A route explores, but no request of the spec at work was sent elsewhere by chance and judged yet." : "Nothing was left to chance: every request went where the spec sends it, so nobody knows what the next model would have done."}
        give=${html`<code>explore: 0.02</code> on a route (it tries one tier up), or an experiment.`} />`}
  <//>`;
}

const figure = (one, show) => html`${show(one.value)} <span class="note">${show(one.low)} … ${show(one.high)}</span>`;

function Declared({ rows }) {
  const tone = { "too high": "bad", "too low": "warn", holds: "good" };
  const columns = [
    { name: "task", title: "Task", sort: (one) => one.task, show: (one) => one.task },
    { name: "model", title: "Model", sort: (one) => one.model, show: (one) => one.model },
    { name: "declared", title: "Declared", number: true, sort: (one) => one.declared, show: (one) => percent(one.declared) },
    { name: "measured", title: "Measured", number: true, sort: (one) => one.measured?.value, show: (one) => rate(one.measured) },
    { name: "judged", title: "Judged", number: true, sort: (one) => one.measured?.judged, show: (one) => count(one.measured?.judged ?? 0) },
    { name: "verdict", title: "Declared is", show: (one) => html`<span class=${tone[one.verdict] ?? "note"}>${one.verdict}</span>` },
  ];
  return html`<${Panel} id="declared" title="Declared pass rates against measured ones" wide>
    ${rows.length ? html`<${Table} caption="Declared pass rates" columns=${columns} rows=${rows} row_key=${(one) => `${one.task}/${one.model}`} />
      <p class="note">Measured on what each model was sent, which the routing chose: an answer is judged by what was said of it, else by its checks. No evidence below 30 judged answers: validators, <code>POST /v1/feedback</code> and the review queue give it; <code>explore</code> and <code>shadow</code> for models that are seldom asked.</p>`
      : html`<${None} why="The spec declares no pass rate." give=${html`<code>quality</code> of a task.`} />`}
  <//>`;
}

function Predicted({ rows }) {
  const columns = [
    { name: "range", title: "Predicted", show: (one) => `${percent(one.low, 0)} … ${percent(one.high, 0)}` },
    { name: "predicted", title: "Mean", number: true, show: (one) => percent(one.predicted) },
    { name: "actual", title: "Came true", number: true, show: (one) => percent(one.actual) },
    { name: "count", title: "Answers", number: true, show: (one) => count(one.count) },
  ];
  return html`<${Panel} id="predicted" title="Predicted pass rates: reliability">
    ${rows.length ? rows.map((one) => html`<h3 key=${one.model}>${one.model}</h3><p class="note">Brier ${one.reliability.brier.toFixed(3)}, expected calibration error ${percent(one.reliability.ece)}, ${count(one.judged)} judged answers. A prediction is a lower bound: what came true should stand above it.</p>
        <${Table} caption=${`Reliability of ${one.model}`} columns=${columns} rows=${one.reliability.bins} row_key=${(bin) => bin.low} />`)
      : html`<${None} why="No scorer predicted the pass rates of 30 answers that were judged." give=${html`a trained scorer (<code>tierline train</code>, <code>scorer.artifact</code> of a route) and checks or labels.`} />`}
  <//>`;
}

function Slices({ rows }) {
  const columns = [
    { name: "slice", title: "Slice", sort: (one) => one.dimension + one.name, show: (one) => html`${one.name || "(none)"}<br /><span class="note">${one.dimension}</span>` },
    { name: "rate", title: "Good", number: true, sort: (one) => one.rate.value, show: (one) => rate(one.rate) },
    { name: "bar", title: "Bar", number: true, sort: (one) => one.bar, show: (one) => (one.bar === null ? "–" : html`${percent(one.bar, 0)}${one.rate.high < one.bar && html`<br /><span class="bad">below it</span>`}`) },
    { name: "judged", title: "Judged", number: true, sort: (one) => one.rate.judged, show: (one) => count(one.rate.judged) },
  ];
  return html`<${Panel} id="slices" title="Worst slices">
    ${rows.length ? html`<${Table} caption="Worst slices" columns=${columns} rows=${rows} row_key=${(one) => `${one.dimension}/${one.name}`} />
      <p class="note">By what was said of the answer given, else by the checks of the first one, before any escalation; slices of 30 judged answers and more, by the upper end of their interval.</p>`
      : html`<${None} why="No slice has 30 judged answers." give=${html`validators, <code>POST /v1/feedback</code>, the review queue.`} />`}
  <//>`;
}

function Evaluation({ found }) {
  if (!found) {
    return html`<${Panel} id="evaluation" title="The evaluation"><${None} why="None stands beside the spec." give=${html`<code>tierline evaluate --json evaluation.json</code>, with the file put into the spec's folder.`} /><//>`;
  }
  const said = html`<p class="note"><code>${found.file}</code> of ${found.made.slice(0, 16).replace("T", " ")} UTC, fingerprint <code>${found.fingerprint}</code>${found.queries !== undefined && html`, over ${count(found.compared)} of ${count(found.queries)} queries`}.</p>`;
  if (found.wrong) return html`<${Panel} id="evaluation" title="The evaluation">${said}<p class="wrong" role="status">${found.wrong}</p><//>`;
  const told = (row, name, show) => (row[name] === null ? html`<span class="note">${row.why[name] ?? "not known"}</span>` : show(row[name]));
  const columns = [
    { name: "name", title: "Router", show: ([name]) => name },
    { name: "quality", title: "Quality", number: true, show: ([, row]) => told(row, "quality", percent) },
    { name: "cost", title: "USD per 1,000", number: true, show: ([, row]) => told(row, "cost", thousand) },
    { name: "advantage", title: "Advantage", number: true, show: ([, row]) => told(row, "advantage", (one) => ranged(one, points)) },
    { name: "confusion", title: "Under / over", wide: true, show: ([, row]) => told(row, "confusion", (one) => `${percent(one.under_routed)} / ${percent(one.over_routed)}`) },
    { name: "ece", title: "Calibration error", wide: true, show: ([, row]) => told(row, "ece", percent) },
    { name: "worst", title: "Worst slice", wide: true, show: ([, row]) => told(row, "worst_slice", (one) => `${one.dimension} ${one.name}: ${percent(one.quality)}`) },
  ];
  return html`<${Panel} id="evaluation" title="The evaluation" wide>${said}
    <${Table} caption="The evaluation" columns=${columns} rows=${Object.entries(found.routers)} row_key=${([name]) => name} /><//>`;
}
