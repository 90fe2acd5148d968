// Pictures before and after a pipeline; a place for the crop is picked by a click or by two sliders.

const SETTLE_MS = 120;
const ROOM_STEP_PX = 8;
const LEAST_ROOM_PX = 120;
const MOST_ROOM_PX = 640;

const views = new WeakMap();

class View {
  constructor(root) {
    this.root = root;
    this.sliders = [...root.querySelectorAll("input[type=range]")];
    this.place = { across: 0.5, down: 0.5 };
    for (const slider of this.sliders) slider.addEventListener("input", () => this.slid(slider));
    for (const frame of root.querySelectorAll('[data-part="reduced"] .frame')) {
      frame.addEventListener("click", (event) => this.picked(frame, event));
    }
    this.sizes = new ResizeObserver(() => this.measure());
    this.measured = root.querySelector('[data-part="crop"] figure');
    this.sizes.observe(this.measured);
  }

  update({ data, setStateValue }) {
    this.say = setStateValue;
    this.data = data;
    if (!this.timer) this.place = { ...data.place };
    for (const part of ["reduced", "crop"]) this.drawPart(part, data[part]);
    this.drawPlace();
    this.measure();
  }

  drawPart(part, told) {
    const section = this.root.querySelector(`[data-part="${part}"]`);
    section.hidden = told === null;
    if (told === null) return;
    section.classList.toggle("stale", this.data.stale);
    section.querySelector(".note").textContent = told.note;
    for (const figure of section.querySelectorAll("figure")) {
      const picture = told[figure.dataset.which];
      const image = figure.querySelector("img");
      const frame = figure.querySelector(".frame");
      frame.classList.toggle("empty", !picture?.src);
      if (!picture?.src) continue;
      if (image.src !== picture.src) image.src = picture.src;
      image.width = picture.columns;
      image.height = picture.rows;
      image.alt = picture.alt;
    }
  }

  drawPlace() {
    const { reduced, window: crop } = this.data;
    for (const slider of this.sliders) {
      const value = String(Math.round(100 * this.place[slider.dataset.axis]));
      if (slider.value !== value) slider.value = value;
    }
    for (const frame of this.root.querySelectorAll('[data-part="reduced"] .frame')) {
      const which = frame.parentElement.dataset.which;
      const shown = crop !== null && reduced !== null && reduced[which] && crop.on.includes(which);
      const mark = frame.querySelector(".crop");
      frame.classList.toggle("pick", Boolean(shown));
      mark.hidden = !shown;
      if (!shown) continue;
      const left = Math.min(Math.max(this.place.across - crop.width / 2, 0), 1 - crop.width);
      const top = Math.min(Math.max(this.place.down - crop.height / 2, 0), 1 - crop.height);
      Object.assign(mark.style, {
        left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * crop.width}%`, height: `${100 * crop.height}%`,
      });
    }
  }

  slid(slider) {
    this.move({ ...this.place, [slider.dataset.axis]: Number(slider.value) / 100 });
  }

  picked(frame, event) {
    if (!frame.classList.contains("pick")) return;
    const box = frame.querySelector("img").getBoundingClientRect();
    const within = (value) => Math.min(Math.max(value, 0), 1);
    this.move({
      across: within((event.clientX - box.left) / box.width),
      down: within((event.clientY - box.top) / box.height),
    });
  }

  move(place) {
    this.place = place;
    this.drawPlace();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.say("place", this.place);
    }, SETTLE_MS);
  }

  measure() {
    const width = this.measured.clientWidth;
    if (!width || !this.say) return;
    const stepped = Math.floor(width / ROOM_STEP_PX) * ROOM_STEP_PX;
    const room = Math.min(Math.max(stepped, LEAST_ROOM_PX), MOST_ROOM_PX);
    if (room === this.room || room === this.data.room) return;
    this.room = room;
    this.say("room", room);
  }
}

export default function preview(component) {
  const root = component.parentElement;
  const drawn = views.get(root);
  const view = drawn && drawn.sliders[0].isConnected ? drawn : new View(root);
  views.set(root, view);
  view.update(component);
  return () => view.sizes.disconnect();
}
