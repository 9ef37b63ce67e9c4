// The addresses, and the modules of the views that they show, which are loaded when they are first
// shown. Each has `show(root, parameters, context)`: it fills `root`, and stops whatever it does when
// `context.signal` is aborted.

const PID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";

export const ROUTES = [
  [/^\/$/, () => import("./views/home.js")],
  [new RegExp(`^/reports/${PID}/?$`), () => import("./views/report.js")],
  [new RegExp(`^/reports/${PID}/compare/${PID}/?$`), () => import("./views/compare.js")],
  [/^\/account\/?$/, () => import("./views/account.js")],
];
