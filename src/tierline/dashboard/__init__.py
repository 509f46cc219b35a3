"""The dashboard's static pages: no build step, nothing from elsewhere. They are a client of the HTTP API like any other.

How a page is added:

1. `static/pages/<name>.js` exports `default function Page({session, params, setParams})`. `session` says who looks (`session.admin`: may
   change something), `params` is what stands in the address after `#/<name>?`, `setParams` changes it (an empty value leaves it out).
   What it shows comes from `static/parts/`: `api.js` (`useData`, `post`), `table.js`, `chart.js`, `filters.js`, `format.js`, `states.js`.
2. A line in `static/pages.js` puts it into the navigation.
3. What it asks is one panel, `tierline/server/panels/<name>.py`, with a function `Ground → Routes`, named in `panels.PANELS`; paths
   under `/admin/`, and a line in `server/openapi.TOLD` where it takes a query, a body or a name in its path.
4. `tests/dashboard/test_<name>.py` does its job in a browser, by click and by keyboard, and ends with `pages.is_sound(...)`, which looks
   at both themes, at narrow and wide windows, with axe.

Rules: no inline script or style (the Content-Security-Policy forbids both), no string of a model or a client put into the page but as
text, whatever changes something is disabled without `session.admin` and says why, every number has its unit (`parts/format.js`).
"""
