// Before and after of a job in the page.

import { Comparison } from "./comparison.js";

const GONE_MS = 500;
const views = new WeakMap();

export default function viewer(component) {
  const root = component.parentElement.querySelector(".hv");
  const view = views.get(root);
  const key = JSON.stringify(component.data.job);
  if (view?.key === key && !view.ended) return undefined;
  view?.end();
  const made = new Comparison(root, component.data, key);
  views.set(root, made);
  made.open();
  // The page also calls this when it draws anew what stays where it is.
  return () => setTimeout(() => { if (!root.isConnected) { made.end(); views.delete(root); } }, GONE_MS);
}
