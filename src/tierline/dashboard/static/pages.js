// Every page, in the order of the navigation: the name in the address, what it is called, and the module that shows it.
export const PAGES = [
  { name: "overview", title: "Overview", load: () => import("./pages/overview.js") },
  { name: "decisions", title: "Decisions", load: () => import("./pages/decisions.js") },
  { name: "quality", title: "Routing quality", load: () => import("./pages/quality.js") },
  { name: "models", title: "Models", load: () => import("./pages/models.js") },
  { name: "alerts", title: "Alerts", load: () => import("./pages/alerts.js") },
  { name: "experiments", title: "Experiments", load: () => import("./pages/experiments.js") },
  { name: "budgets", title: "Budgets", load: () => import("./pages/budgets.js") },
  { name: "review", title: "Review", load: () => import("./pages/review.js") },
  { name: "spec", title: "Spec", load: () => import("./pages/spec.js") },
  { name: "playground", title: "Playground", load: () => import("./pages/playground.js") },
  { name: "worksheet", title: "Worksheet", load: () => import("./pages/worksheet.js") },
  { name: "keys", title: "Keys", load: () => import("./pages/keys.js") },
];
