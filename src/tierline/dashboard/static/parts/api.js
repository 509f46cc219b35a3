// The HTTP API. The key is kept for this tab only, and travels in a header: never in an address, never in a cookie.
import { useCallback, useEffect, useRef, useState } from "../html.js";

const KEPT = "tierline.key";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const signIn = (key) => sessionStorage.setItem(KEPT, key);
export const signOut = () => sessionStorage.removeItem(KEPT);
export const signedIn = () => sessionStorage.getItem(KEPT) !== null;

/** An address under the gateway, wherever a proxy has put it: empty values are left out. */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) query.set(name, value === true ? "1" : value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function headed(body, more) {
  const headers = { accept: "application/json", ...more };
  const key = sessionStorage.getItem(KEPT);
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  return headers;
}

async function fetched(method, path, params, body, signal, more) {
  try {
    return await fetch(address(path, params), {
      method, signal, headers: headed(body, more), body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The gateway cannot be reached. It may be stopped, or the network is down.");
  }
}

async function call(method, path, params, body, signal, more) {
  return told(await fetched(method, path, params, body, signal, more));
}

/** The JSON of an answer. Throws ApiError for what is none, and for errors. */
async function told(answer) {
  const text = await answer.text();
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError(answer.status, `The gateway answered with ${answer.status} and no JSON: something stands between it and this page.`);
  }
  if (!answer.ok) {
    const said = value?.error?.message ?? `The gateway answered with ${answer.status}.`;
    if (answer.status === 401) window.dispatchEvent(new CustomEvent("tierline:locked", { detail: said }));
    throw new ApiError(answer.status, said);
  }
  return value;
}

export const get = (path, params, signal) => call("GET", path, params, undefined, signal);
export const post = (path, body, params) => call("POST", path, params, body);
/** As `post`, with headers of one's own. */
export const postWith = (path, body, headers) => call("POST", path, {}, body, undefined, headers);

/** POST, and the events of the answer as they come: `onEvent` is given the JSON of each. Returns the answer's headers. */
export async function streamed(path, body, headers, signal, onEvent) {
  const answer = await fetched("POST", path, {}, body, signal, { ...headers, accept: "text/event-stream" });
  if (!answer.ok) await told(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return answer.headers;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ") && line !== "data: [DONE]") onEvent(JSON.parse(line.slice(6)));
  }
}

export const remove = (path) => call("DELETE", path);

/** What a GET answers, asked again when its path or params change, on `reload()`, and `every` so many seconds while the page is seen.
 *  The last good answer stays in `data` while a new one is on its way (`loading`), and when that fails (`error`). */
export function useData(path, params = {}, { every = 0, skip = false } = {}) {
  const [state, setState] = useState({ data: null, error: null, loading: !skip, at: 0 });
  const asked = skip ? "" : address(path, params);
  const current = useRef(null);
  const load = useCallback(() => {
    current.current?.abort();
    if (!asked) return;
    const controller = new AbortController();
    current.current = controller;
    setState((old) => ({ ...old, loading: true }));
    get(asked, {}, controller.signal).then(
      (data) => setState({ data, error: null, loading: false, at: Date.now() / 1000 }),
      (error) => error.name !== "AbortError" && setState((old) => ({ ...old, error, loading: false })),
    );
  }, [asked]);
  useEffect(() => {
    load();
    return () => current.current?.abort();
  }, [load]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && load(), every * 1000);
    return () => clearInterval(timer);
  }, [load, every]);
  return { ...state, reload: load };
}
