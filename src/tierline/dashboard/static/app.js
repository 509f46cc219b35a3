// The shell: who looks, which page, the theme, and the keys that work everywhere.
import { html, render, useCallback, useEffect, useRef, useState } from "./html.js";
import { get, signedIn, signIn, signOut } from "./parts/api.js";
import { link } from "./parts/link.js";
import { Failed, Loading } from "./parts/states.js";
import { PAGES } from "./pages.js";

const THEMES = ["system", "light", "dark"];

/** `#/decisions?route=auto` → the page's name and its params. */
function place() {
  const [name, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { name: PAGES.some((page) => page.name === name) ? name : PAGES[0].name, params: Object.fromEntries(new URLSearchParams(query)) };
}

function usePlace() {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const moved = () => setAt(place());
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  return at;
}

function Theme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "system");
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const turn = () => {
    if (next === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("tierline.theme");
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem("tierline.theme", next);
    }
    setTheme(next);
    window.dispatchEvent(new Event("tierline:theme"));
  };
  return html`<button type="button" class="plain" onClick=${turn} aria-label=${`Theme: ${theme}. Change to ${next}.`}>Theme: ${theme}</button>`;
}

function SignIn({ said, onDone }) {
  const box = useRef(null);
  useEffect(() => box.current?.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    signIn(box.current.value.trim());
    onDone();
  };
  return html`<main class="sign-in" id="main">
    <h1>Tierline</h1>
    <p>This gateway has keys. Looking needs one with the scope <code>read</code>, changing one with the scope <code>admin</code>; it is kept in this tab until you close it.</p>
    ${said && html`<p class="wrong" role="alert">${said}</p>`}
    <form onSubmit=${submit}>
      <label class="field"><span>Key</span><input ref=${box} type="password" name="key" required autocomplete="off" /></label>
      <button type="submit" class="primary">Sign in</button>
    </form>
    <p class="note">No key yet? <code>tierline keys create me --scope read</code> makes one.</p>
  </main>`;
}

function Shown({ name, ...more }) {
  const [loaded, setLoaded] = useState({ name: "", Page: null, error: null });
  const load = useCallback(() => {
    const page = PAGES.find((one) => one.name === name);
    page.load().then(
      (module) => setLoaded({ name, Page: module.default, error: null }),
      () => setLoaded({ name, Page: null, error: new Error("The gateway serves another release by now: load this page again.") }),
    );
  }, [name]);
  useEffect(load, [load]);
  if (loaded.name !== name) return html`<${Loading} what="the page" />`;
  if (loaded.error) return html`<${Failed} error=${loaded.error} again=${() => location.reload()} />`;
  return html`<${loaded.Page} ...${more} />`;
}

/** Keys that work on every page: / goes to its filter. */
function onKey(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const first = document.querySelector("[data-first-filter]");
  if (first) {
    event.preventDefault();
    first.focus();
  }
}

function Shell({ session, leave }) {
  const { name, params } = usePlace();
  const title = PAGES.find((page) => page.name === name).title;
  const main = useRef(null);
  const before = useRef(name);
  useEffect(() => {
    document.title = `${title} · Tierline`;
    if (before.current !== name) main.current?.focus();
    before.current = name;
  }, [name]);
  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const setParams = useCallback((changes) => {
    const now = place();
    location.hash = link(now.name, { ...now.params, ...changes });
  }, []);
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
    <header class="top">
      <a class="brand" href=${link(PAGES[0].name)}><span class="mark" aria-hidden="true"><i></i><i></i><i></i></span>Tierline</a>
      <nav aria-label="Pages"><ul>${PAGES.map((page) => html`
        <li key=${page.name}><a href=${link(page.name)} aria-current=${page.name === name ? "page" : undefined}>${page.title}</a></li>`)}</ul></nav>
      <div class="who">
        <span class="note" title=${session.admin ? "This key may change something." : "This key may look, and change nothing."}>${session.name || "no keys"} · ${session.admin ? "admin" : "read only"}</span>
        <${Theme} />
        ${signedIn() && html`<button type="button" class="plain" onClick=${leave}>Sign out</button>`}
      </div>
    </header>
    <main id="main" ref=${main} tabindex="-1">
      <h1>${title}</h1>
      <${Shown} name=${name} session=${session} params=${params} setParams=${setParams} />
    </main>
    <footer class="note">Tierline ${session.version} · spec <code>${session.policy}</code> · <kbd>/</kbd> filter · <kbd>j</kbd> <kbd>k</kbd> rows · <kbd>Enter</kbd> open · <kbd>Esc</kbd> close</footer>`;
}

function App() {
  const [state, setState] = useState({ session: null, locked: false, said: "", error: null });
  const enter = useCallback(() => {
    get("admin/session").then(
      (session) => setState({ session, locked: false, said: "", error: null }),
      (error) => {
        if (error.status === 401 || error.status === 403) {
          const said = signedIn() ? error.message : "";
          signOut();
          setState({ session: null, locked: true, said, error: null });
        } else setState((old) => ({ ...old, error }));
      },
    );
  }, []);
  useEffect(enter, [enter]);
  useEffect(() => {
    const locked = (event) => setState((old) => (old.session ? { session: null, locked: true, said: event.detail, error: null } : old));
    window.addEventListener("tierline:locked", locked);
    return () => window.removeEventListener("tierline:locked", locked);
  }, []);
  const leave = () => {
    signOut();
    setState({ session: null, locked: true, said: "", error: null });
  };
  if (state.session) return html`<${Shell} session=${state.session} leave=${leave} />`;
  if (state.locked) return html`<${SignIn} said=${state.said} onDone=${enter} />`;
  if (state.error) return html`<main id="main"><h1>Tierline</h1><${Failed} error=${state.error} again=${enter} /></main>`;
  return html`<main id="main"><h1 class="hidden">Tierline</h1><${Loading} what="the dashboard" /></main>`;
}

render(html`<${App} />`, document.getElementById("app"));
