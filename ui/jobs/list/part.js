// The list of jobs in the page.

import { JobList } from "./list.js";

const GONE_MS = 500;
const views = new WeakMap();

export default function jobs(component) {
  const root = component.parentElement.querySelector(".jobs");
  let view = views.get(root);
  if (!view) views.set(root, view = new JobList(root, component.data));
  view.take(component);
  // The page also calls this when it draws anew what stays where it is.
  return () => setTimeout(() => { if (!root.isConnected) view.stop(); }, GONE_MS);
}
