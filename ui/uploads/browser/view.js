// What is drawn of the engine in one place of the page.

import { fill, rowOf } from "./row.js";
import { summaryOf } from "./words.js";

export class View {
  constructor(root, engine) {
    this.root = root;
    this.engine = engine;
    this.rows = new Map();
    this.zone = root.querySelector(".zone");
    const input = root.querySelector("input");
    root.querySelector(".add").onclick = () => input.click();
    root.querySelector(".add").disabled = false; // it was drawn before anything listened to it
    input.onchange = () => {
      engine.add([...input.files]);
      input.value = ""; // so that the same file can be picked again
    };
    this.zone.ondragover = (event) => {
      event.preventDefault();
      this.zone.classList.add("over");
    };
    this.zone.ondragleave = () => this.zone.classList.remove("over");
    this.zone.ondrop = (event) => {
      event.preventDefault();
      this.zone.classList.remove("over");
      engine.add([...event.dataTransfer.files]);
    };
  }

  /** Take over the page's latest way of being told, and what it has been told so far. */
  update({ data, setStateValue }) {
    this.say = (told) => setStateValue("files", told);
    const known = JSON.stringify(data.known);
    if (known !== this.known) this.said = null; // another session may have to be told again
    this.known = known;
    const input = this.root.querySelector("input");
    input.accept = data.types.map((type) => `.${type}`).join(",");
    this.root.querySelector(".types").textContent = data.hint;
    this.draw();
  }

  /** Tell the page, unless it knows. */
  tell() {
    const told = this.engine.told();
    const known = JSON.stringify({ done: told.done.map((one) => one.id), sending: told.sending });
    if (known !== this.known && known !== this.said) {
      this.said = known;
      this.say(told);
    }
  }

  draw() {
    const list = this.root.querySelector(".files");
    const { items } = this.engine;
    for (const [item, row] of this.rows) {
      if (!items.includes(item)) {
        row.remove();
        this.rows.delete(item);
      }
    }
    for (const item of items) {
      if (!this.rows.has(item)) {
        this.rows.set(item, rowOf(item, () => this.#remove(item)));
        list.append(this.rows.get(item));
      }
      fill(this.rows.get(item), item);
    }
    const summary = summaryOf(items);
    const shown = this.root.querySelector(".summary");
    if (shown.textContent !== summary) shown.textContent = summary;
  }

  #remove(item) {
    this.engine.remove(item);
    this.root.querySelector(".add").focus();
  }
}
