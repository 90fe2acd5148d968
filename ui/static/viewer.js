// Before and after of a job, one above the other behind a curtain or side by side, zoomed and moved together.

const MODES = [["curtain", "Curtain"], ["beside", "Side by side"], ["before", "Before"], ["after", "After"]];
const COLOURS = ["#e5484d", "#30a46c", "#3b82f6"];
const SMALLEST_PX = 256;
const GONE_MS = 500;
const views = new WeakMap();
let library = null;

export default function (component) {
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

function load(address) {
  library ??= new Promise((done, failed) => {
    if (window.OpenSeadragon) { done(window.OpenSeadragon); return; }
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.OpenSeadragon);
    script.onerror = () => { library = null; failed(new Error("the viewer cannot be loaded; reload the page")); };
    document.head.append(script);
  });
  return library;
}

class Comparison {
  constructor(root, data, key) {
    Object.assign(this, { root, data, key, mode: "curtain", share: 0.5, ended: false });
    this.find = (name) => root.querySelector(name);
    this.curtain = this.find(".hv-curtain");
    this.curtain.value = 500;
    this.curtain.oninput = () => this.draw(this.curtain.value / 1000);
    this.line = this.find(".hv-line");
    this.line.onpointerdown = (event) => this.line.setPointerCapture(event.pointerId);
    this.line.onpointermove = (event) => {
      if (!this.line.hasPointerCapture(event.pointerId)) return;
      const box = this.find(".hv-stage").getBoundingClientRect();
      this.draw(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    };
    this.modes = MODES.map(([mode, label]) => this.button(".hv-modes", label, () => this.show(mode)));
    this.find(".hv-zooms").replaceChildren();
    this.button(".hv-zooms", "−", () => this.zoom(1 / 2), "Zoom out");
    this.button(".hv-zooms", "+", () => this.zoom(2), "Zoom in");
    this.button(".hv-zooms", "Fit", () => { [this.leader] = this.viewers; this.leader.viewport.goHome(); }, "Show all of it");
    this.button(".hv-zooms", "1:1", () => this.pixels(), "One pixel of the image on one of the screen");
    this.viewers = [];
  }

  button(place, label, onclick, title) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: label, onclick });
    if (title) { made.title = title; made.setAttribute("aria-label", title); }
    if (label === MODES[0][1]) this.find(place).replaceChildren();
    this.find(place).append(made);
    return made;
  }

  say(text) { this.find(".hv-said").textContent = text; }

  async open() {
    this.say("Reading the images…");
    try {
      const [osd, ...surveys] = await Promise.all([load(this.data.script), ...this.data.sides.map((one) => survey(one))]);
      if (this.ended) return;
      this.osd = osd;
      this.surveys = surveys;
      this.find(".hv-tones").replaceChildren(...surveys.map((one, place) => tones(this.data.sides[place], one)));
      this.there = surveys.map((one) => !one.fault);
      const fault = surveys.find((one) => one.fault);
      if (!this.there.some(Boolean)) { this.say(fault.fault); this.find(".hv-stage").hidden = true; this.curtain.hidden = true; return; }
      this.say(fault ? fault.fault : "");
      this.show(this.there[0] && this.there[1] ? "curtain" : this.there[0] ? "before" : "after");
    } catch (error) { this.say(error.message); }
  }

  source(place) {
    const { image } = this.surveys[place];
    const { url, ticket, side_px } = this.data.sides[place];
    const deepest = Math.ceil(Math.log2(Math.max(image.columns, image.rows, 1)));
    return {
      width: image.columns, height: image.rows, tileSize: side_px, tileOverlap: 0, maxLevel: deepest,
      minLevel: Math.max(0, Math.min(deepest, Math.ceil(Math.log2(SMALLEST_PX)))),
      getTileUrl: (level, x, y) => `${url}/${2 ** (deepest - level)}/${x}_${y}.png?${ticket}`,
    };
  }

  viewer(pane, places) {
    const element = this.find(`[data-pane="${pane}"]`);
    const made = this.osd({
      element, drawer: "canvas", showNavigationControl: false, crossOriginPolicy: false, maxZoomPixelRatio: 8,
      visibilityRatio: 0.2, animationTime: 0.4, gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      tileRetryMax: 2, tileRetryDelay: 1000, timeout: 130000, imageLoaderLimit: 4, showNavigator: false,
      tileSources: places.map((place) => ({ tileSource: this.source(place), x: 0, y: 0, width: 1 })),
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
    this.modes.forEach((button, place) => {
      button.setAttribute("aria-pressed", String(MODES[place][0] === mode));
      button.disabled = !this.there[0] && MODES[place][0] !== "after" || !this.there[1] && MODES[place][0] !== "before";
    });
    const beside = mode === "beside";
    this.find('[data-pane="two"]').hidden = !beside;
    this.curtain.hidden = this.line.hidden = mode !== "curtain";
    this.find(".hv-left").hidden = mode === "after";
    this.find(".hv-right").hidden = mode === "before";
    const places = { curtain: [1, 0], beside: [0], before: [0], after: [1] }[mode];
    this.viewers = [this.viewer("one", places)];
    [this.leader] = this.viewers;
    if (beside) {
      this.viewers.push(this.viewer("two", [1]));
      this.follow(...this.viewers);
      this.follow(this.viewers[1], this.viewers[0]);
    }
    if (centre) this.viewers.forEach((one) => one.addOnceHandler("open", () => {
      one.viewport.zoomTo(zoom, undefined, true);
      one.viewport.panTo(centre, true);
    }));
    this.draw(this.share);
  }

  // One leads, whom a hand was laid on last: if each followed the other, both would stop on their way.
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

  draw(share) {
    this.share = share;
    const value = String(Math.round(1000 * share));
    if (this.curtain.value !== value) this.curtain.value = value;
    this.line.style.left = `${100 * share}%`;
    this.clip();
  }

  // Before lies above after, and is cut off where the curtain hangs.
  clip() {
    const [viewer] = this.viewers;
    if (this.mode !== "curtain" || !viewer?.world || viewer.world.getItemCount() < 2) return;
    const above = viewer.world.getItemAt(1);
    const size = above.getContentSize();
    const place = new this.osd.Point(this.share * viewer.container.clientWidth, 0);
    const wanted = above.viewerElementToImageCoordinates(place).x;
    const columns = Math.min(size.x, Math.max(0, wanted));
    if (Math.abs((this.cut ?? -1) - columns) < 0.01 && above.getClip()) return;
    this.cut = columns;
    above.setOpacity(columns > 0 ? 1 : 0);
    above.setClip(new this.osd.Rect(0, 0, Math.max(columns, 1), size.y));
  }

  zoom(by) {
    [this.leader] = this.viewers;
    this.leader.viewport.zoomBy(by);
    this.leader.viewport.applyConstraints();
  }

  pixels() {
    const [viewer] = this.viewers;
    this.leader = viewer;
    viewer.viewport.zoomTo(viewer.world.getItemAt(0).imageToViewportZoom(1 / window.devicePixelRatio));
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

async function survey({ url, ticket }) {
  const answer = await fetch(`${url}/survey.json?${ticket}`);
  if (!answer.ok) return { fault: (await answer.text()).replace(/^\d+: /, "") };
  return answer.json();
}

function tones({ label }, known) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  figure.append(caption);
  if (known.fault) { caption.textContent = `${label}: ${known.fault}`; return figure; }
  const { low, high, counts } = known.histogram;
  const most = Math.max(1, ...counts.flat());
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `0 0 ${counts[0].length} 1`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Histogram of ${label.toLowerCase()}, ${low} to ${high}`);
  counts.forEach((channel, place) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const line = channel.map((count, x) => `L${x} ${1 - Math.sqrt(count / most)}H${x + 1}`).join("");
    path.setAttribute("d", `M0 1${line}V1Z`);
    path.setAttribute("fill", counts.length > 1 ? COLOURS[place] : "currentColor");
    picture.append(path);
  });
  figure.prepend(picture);
  const number = (value) => Number(value.toPrecision(5)).toLocaleString();
  const { columns, rows, channels, dtype } = known.image;
  const stretched = known.stretch ? ` · shown from ${number(known.stretch[0])} (black) to ${number(known.stretch[1])} (white)` : "";
  const of = known.factor > 1 ? `of a copy reduced ${known.factor} times` : "of all pixels";
  caption.textContent = `${label}: ${columns.toLocaleString()} × ${rows.toLocaleString()} px, ${channels} × ${dtype}${stretched} · `
    + `histogram ${of}, ${number(low)} to ${number(high)}, heights by square root`;
  return figure;
}
