// Numbers with their units, and times as people say them. Everything that is shown goes through here.
const DASH = "–";
const none = (value) => value === null || value === undefined || Number.isNaN(value);

export const count = (value) => (none(value) ? DASH : Math.round(value).toLocaleString("en-GB"));

/** 12.3k, 4.56M: for places where the exact number has no room. */
export function short(value) {
  if (none(value)) return DASH;
  const size = Math.abs(value);
  if (size < 10_000) return size < 100 && value % 1 ? value.toPrecision(2) : count(value);
  const [unit, name] = size < 1e6 ? [1e3, "k"] : size < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${(value / unit).toPrecision(3)}${name}`;
}

/** USD: two places from a dollar on, and below it as many as are needed to see three figures. */
export function money(value) {
  if (none(value)) return DASH;
  const size = Math.abs(value);
  if (size === 0) return "$0";
  if (size >= 10_000) return `$${Math.round(value).toLocaleString("en-GB")}`;
  if (size >= 1) return `$${value.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${value.toFixed(Math.min(8, 2 - Math.floor(Math.log10(size))))}`;
}

export const percent = (value, places = 1) => (none(value) ? DASH : `${(value * 100).toFixed(places)} %`);

/** Seconds as 340 ms, 2.4 s, 3 min 20 s. */
export function seconds(value) {
  if (none(value)) return DASH;
  if (value === 0) return "0 s";
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 1) return `${Number((value * 1000).toPrecision(value < 0.1 ? 2 : 3))} ms`;
  if (value < 60) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  return span(value);
}

/** A length of time in its two largest units: 3 min 20 s, 2 h 5 min, 4 d 3 h. */
export function span(value) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const whole = Math.round(value);
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, name] = units[first];
  const rest = units[first + 1] ? Math.floor((whole % size) / units[first + 1][0]) : 0;
  return `${Math.floor(whole / size)} ${name}${rest ? ` ${rest} ${units[first + 1][1]}` : ""}`;
}

const pad = (value) => String(value).padStart(2, "0");

/** 14:03:22 today, else 21 Nov 14:03:22. */
export function clock(at, now = Date.now() / 1000) {
  if (none(at)) return DASH;
  const when = new Date(at * 1000);
  const time = `${pad(when.getHours())}:${pad(when.getMinutes())}:${pad(when.getSeconds())}`;
  return when.toDateString() === new Date(now * 1000).toDateString() ? time : `${day(at)} ${time}`;
}

export const day = (at) => new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

/** The whole moment, for a title or a table: 2026-11-22 14:03:22. */
export function moment(at) {
  const when = new Date(at * 1000);
  return `${when.getFullYear()}-${pad(when.getMonth() + 1)}-${pad(when.getDate())} ${pad(when.getHours())}:${pad(when.getMinutes())}:${pad(when.getSeconds())}`;
}

/** 5 min ago. */
export const ago = (at, now = Date.now() / 1000) => (now - at < 5 ? "just now" : `${span(now - at)} ago`);

/** order_extraction reads as it is; an empty name says what it stands for. */
export const named = (value, empty = "none") => value || `(${empty})`;
