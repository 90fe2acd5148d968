// Files go from here straight to the store; the page only hears which ones have arrived.

import { Engine } from "./engine.js";
import { View } from "./view.js";

const ENGINE = "__halorowUploads";
const views = new WeakMap();

export default function uploads(component) {
  window[ENGINE] ??= new Engine();
  const engine = window[ENGINE];
  const root = component.parentElement;
  const drawn = views.get(root);
  const view = drawn?.zone.isConnected ? drawn : new View(root, engine);
  if (drawn && drawn !== view) engine.views.delete(drawn);
  views.set(root, view);
  engine.views.add(view);
  view.update(component);
  engine.update(component.data);
  return () => engine.views.delete(view);
}
