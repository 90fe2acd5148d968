// Before and after, one above the other behind a curtain or side by side, zoomed and moved together.

import { Curtain } from "./curtain.js";
import { histogramOf } from "./histogram.js";
import { load } from "./library.js";
import { survey, tilesOf } from "./sides.js";

const BEFORE = 0;
const AFTER = 1;
const MODES = [["curtain", "Curtain"], ["beside", "Side by side"], ["before", "Before"], ["after", "After"]];
const LAYERS = { curtain: [AFTER, BEFORE], beside: [BEFORE], before: [BEFORE], after: [AFTER] };

export class Comparison {
  constructor(root, data, key) {
    Object.assign(this, { root, data, key, mode: "curtain", ended: false, viewers: [] });
    this.find = (name) => root.querySelector(name);
    const [stage, line, slider] = [".hv-stage", ".hv-line", ".hv-curtain"].map(this.find);
    this.curtain = new Curtain(stage, line, slider, () => this.clip());
    this.modes = this.buttons(".hv-modes", MODES.map(([mode, label]) => [label, () => this.show(mode)]));
    this.buttons(".hv-zooms", [
      ["−", () => this.zoom(1 / 2), "Zoom out"],
      ["+", () => this.zoom(2), "Zoom in"],
      ["Fit", () => this.first().viewport.goHome(), "Show all of it"],
      ["1:1", () => this.pixels(), "One pixel of the image on one of the screen"],
    ]);
  }

  buttons(place, wanted) {
    const made = wanted.map(([textContent, onclick, title]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent, onclick });
      if (title) { button.title = title; button.setAttribute("aria-label", title); }
      return button;
    });
    this.find(place).replaceChildren(...made);
    return made;
  }

  say(text) { this.find(".hv-said").textContent = text; }

  async open() {
    this.say("Reading the images…");
    try {
      const [osd, ...surveys] = await Promise.all([load(this.data.osd), ...this.data.sides.map((one) => survey(one))]);
      if (this.ended) return;
      this.osd = osd;
      this.surveys = surveys;
      this.find(".hv-tones").replaceChildren(...surveys.map((one, place) => histogramOf(this.data.sides[place], one)));
      this.there = surveys.map((one) => !one.fault);
      const fault = surveys.find((one) => one.fault);
      this.say(fault ? fault.fault : "");
      if (!this.there.some(Boolean)) {
        this.find(".hv-stage").hidden = true;
        this.curtain.show(false);
        return;
      }
      this.show(this.there[BEFORE] && this.there[AFTER] ? "curtain" : this.there[BEFORE] ? "before" : "after");
    } catch (error) { this.say(error.message); }
  }

  viewer(pane, places) {
    const element = this.find(`[data-pane="${pane}"]`);
    const made = this.osd({
      element, drawer: "canvas", showNavigationControl: false, crossOriginPolicy: false, maxZoomPixelRatio: 8,
      visibilityRatio: 0.2, animationTime: 0.4, gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      tileRetryMax: 2, tileRetryDelay: 1000, timeout: 130000, imageLoaderLimit: 4, showNavigator: false,
      tileSources: places.map((place) => (
        { tileSource: tilesOf(this.data.sides[place], this.surveys[place]), x: 0, y: 0, width: 1 })),
    });
    for (const name of ["open", "animation", "resize", "tile-drawn"]) made.addHandler(name, () => this.clip());
    made.addHandler("zoom", () => this.scale(made));
    made.addHandler("animation-finish", () => {
      this.root.dataset.zooms = this.viewers.map((one) => one.viewport.getZoom(true).toFixed(3)).join(" ");
    });
    made.addHandler("open", () => { this.scale(made); this.root.dataset.opened = this.mode; });
    return made;
  }

  show(mode) {
    const centre = this.viewers[0]?.viewport?.getCenter();
    const zoom = this.viewers[0]?.viewport?.getZoom();
    for (const one of this.viewers) one.destroy();
    delete this.root.dataset.opened;
    this.mode = mode;
    const beside = mode === "beside";
    this.frame(beside);
    this.viewers = [this.viewer("one", LAYERS[mode])];
    [this.leader] = this.viewers;
    if (beside) {
      this.viewers.push(this.viewer("two", [AFTER]));
      this.follow(...this.viewers);
      this.follow(this.viewers[1], this.viewers[0]);
    }
    if (centre) this.viewers.forEach((one) => one.addOnceHandler("open", () => {
      one.viewport.zoomTo(zoom, undefined, true);
      one.viewport.panTo(centre, true);
    }));
    this.curtain.draw();
  }

  /** Draw what is around the pictures: buttons, labels, panes, the curtain. */
  frame(beside) {
    const { mode, there } = this;
    this.modes.forEach((button, place) => {
      const [its] = MODES[place];
      button.setAttribute("aria-pressed", String(its === mode));
      button.disabled = !there[BEFORE] && its !== "after" || !there[AFTER] && its !== "before";
    });
    this.find('[data-pane="two"]').hidden = !beside;
    this.curtain.show(mode === "curtain");
    this.find(".hv-left").hidden = mode === "after";
    this.find(".hv-right").hidden = mode === "before";
  }

  /** One leads, whom a hand was laid on last: if each followed the other, both would stop on their way. */
  follow(leader, follower) {
    for (const touch of ["pointerdown", "wheel", "keydown"]) {
      leader.container.addEventListener(touch, () => { this.leader = leader; }, { capture: true, passive: true });
    }
    leader.addHandler("viewport-change", () => {
      if (this.leader !== leader || !follower.viewport || !leader.viewport) return;
      follower.viewport.zoomTo(leader.viewport.getZoom(true), undefined, true);
      follower.viewport.panTo(leader.viewport.getCenter(true), true);
    });
  }

  /** Before lies above after, and is cut off where the curtain hangs. */
  clip() {
    const [viewer] = this.viewers;
    if (this.mode !== "curtain" || !viewer?.world || viewer.world.getItemCount() < 2) return;
    const above = viewer.world.getItemAt(1);
    const size = above.getContentSize();
    const place = new this.osd.Point(this.curtain.share * viewer.container.clientWidth, 0);
    const wanted = above.viewerElementToImageCoordinates(place).x;
    const columns = Math.min(size.x, Math.max(0, wanted));
    if (Math.abs((this.cut ?? -1) - columns) < 0.01 && above.getClip()) return;
    this.cut = columns;
    above.setOpacity(columns > 0 ? 1 : 0);
    above.setClip(new this.osd.Rect(0, 0, Math.max(columns, 1), size.y));
  }

  /** Return the first picture, which leads from now on. */
  first() {
    [this.leader] = this.viewers;
    return this.leader;
  }

  zoom(by) {
    const { viewport } = this.first();
    viewport.zoomBy(by);
    viewport.applyConstraints();
  }

  pixels() {
    const { viewport, world } = this.first();
    viewport.zoomTo(world.getItemAt(0).imageToViewportZoom(1 / window.devicePixelRatio));
  }

  scale(viewer) {
    if (viewer !== this.viewers[0] || !viewer.world.getItemCount()) return;
    const share = viewer.world.getItemAt(0).viewportToImageZoom(viewer.viewport.getZoom()) * window.devicePixelRatio;
    this.say(`${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
    viewer.drawer.setImageSmoothingEnabled(share < 2);
  }

  end() {
    this.ended = true;
    for (const one of this.viewers) one.destroy();
    this.viewers = [];
  }
}
