// What sends files. It belongs to the tab and not to what is drawn: uploads go on while another page is looked
// at, and the list is there again when this one comes back.

import { Item } from "./item.js";
import { remember, restored } from "./remembered.js";
import { Summing } from "./summing.js";

const AT_ONCE = 3;
const REDRAW_MS = 250;
const TELL_MS = 200;

export class Engine {
  constructor() {
    this.items = [];
    this.views = new Set();
    this.summing = new Summing();
    this.begin = null;
    this.user = null;
    this.types = [];
    this.timer = null;
    this.telling = null;
    window.addEventListener("online", () => this.wake());
    window.addEventListener("beforeunload", (event) => {
      if (this.items.some((item) => item.isMoving())) event.preventDefault();
    });
  }

  /** Take over what the page knows: whose uploads these are, and which of them are no longer there. */
  update({ begin, user, types, gone }) {
    if (this.user !== user) {
      for (const item of this.items) item.stop();
      this.items = restored(user).map((one) => new Item(this, one));
      this.user = user;
    }
    this.begin = begin;
    this.types = types;
    if (gone.length) this.items = this.items.filter((item) => !item.done || !gone.includes(item.done.id));
    this.changed();
  }

  add(files) {
    for (const file of files) {
      const same = this.items.find((item) => item.isOf(file) && item.state !== "failed");
      if (!same) this.items.push(new Item(this, { file }));
    }
    this.fill();
  }

  remove(item) {
    item.cancel();
    this.items = this.items.filter((one) => one !== item);
    this.fill();
  }

  /** Begin with those that wait, as many as go at once. */
  fill() {
    const busy = this.items.filter((item) => item.isBusy()).length;
    const next = this.items.filter((item) => item.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy));
    for (const item of next) item.run().finally(() => this.fill());
    this.changed();
  }

  wake() {
    for (const item of this.items) item.wake?.();
  }

  /** Draw, and tell the page what has arrived, soon. */
  changed() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      for (const view of this.views) view.draw();
      if (this.items.some((item) => item.isMoving())) this.changed();
    }, REDRAW_MS);
    this.telling ??= setTimeout(() => {
      this.telling = null;
      remember(this.user, this.items);
      for (const view of this.views) view.tell();
    }, TELL_MS);
  }

  told() {
    return {
      done: this.items.filter((item) => item.done).map((item) => item.done),
      sending: this.items.filter((item) => item.isMoving()).length,
    };
  }
}
