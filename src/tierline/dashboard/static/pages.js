// Every page, in the order of the navigation: the name in the address, what it is called, and the module that shows it.
export const PAGES = [
  { name: "overview", title: "Overview", load: () => import("./pages/overview.js") },
  { name: "decisions", title: "Decisions", load: () => import("./pages/decisions.js") },
  { name: "models", title: "Models", load: () => import("./pages/models.js") },
  { name: "review", title: "Review", load: () => import("./pages/review.js") },
  { name: "spec", title: "Spec", load: () => import("./pages/spec.js") },
  { name: "playground", title: "Playground", load: () => import("./pages/playground.js") },
  { name: "alerts", title: "Alerts", load: () => import("./pages/alerts.js") },
];
