// The list of jobs: asks the page's server what has changed, and touches only the cards that have.

import { Acts } from "./acts.js";
import { Card } from "./card.js";
import { element } from "./elements.js";

const TYPING_MS = 300;
const AWAY_MS = 2000;

export class JobList {
  constructor(root, data) {
    this.root = root;
    root.classList.toggle("single", Boolean(data.single));
    this.list = root.querySelector("ul");
    this.cards = new Map();
    this.asked = { ...data.asked };
    this.most = data.page;
    this.epoch = "";
    this.seq = -1;
    this.acts = new Acts((act) => this.tell("act", act));
    this.input = root.querySelector("input");
    this.input.value = this.asked.text;
    this.input.oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.ask({ text: this.input.value }), TYPING_MS);
    };
    this.states = ["", ...data.states].map((state) => this.stateButton(state));
    this.more = root.querySelector(".more");
    this.more.onclick = () => { this.most += this.data.page; this.again(); };
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting) && !this.more.hidden && this.data.endless) this.more.onclick();
    }, { rootMargin: "300px" }).observe(this.more);
    this.onVisible = () => { if (!document.hidden) this.poll(); };
  }

  /** Make the button that shows the jobs of a state alone, of all if it is empty. */
  stateButton(state) {
    const label = state ? state[0].toUpperCase() + state.slice(1) : "All";
    const button = element("button", { type: "button", onclick: () => this.ask({ state }) }, label);
    this.root.querySelector(".states").append(button);
    return { state, label, button };
  }

  /** Called at every drawing by the server, which has looked by itself. */
  take({ data, setTriggerValue }) {
    this.data = data;
    this.tell = setTriggerValue;
    this.acts.heard(data.acted);
    if (data.seen && this.same(data.asked)) this.show(data.seen);
    this.start();
  }

  same(asked) { return asked.state === this.asked.state && asked.text === this.asked.text; }

  start() {
    document.addEventListener("visibilitychange", this.onVisible);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), this.most > this.data.page ? 0 : this.data.every_ms);
  }

  stop() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  ask(change) {
    this.asked = { ...this.asked, ...change };
    this.most = this.data.page;
    this.tell("asked", { ...this.asked });
    this.again();
  }

  /** Show what matches a text, in whatever state. */
  search(text) {
    this.input.value = text;
    this.ask({ text, state: "" });
  }

  again() { this.epoch = ""; this.seq = -1; this.poll(); }

  async poll() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.acts.remind();
    const turn = this.turn = (this.turn ?? 0) + 1;
    let wait = this.data.every_ms;
    try {
      const query = new URLSearchParams({ ...this.asked, most: this.most, epoch: this.epoch, since: this.seq });
      const answer = await fetch(`${this.data.feed}?${query}`, { headers: { "x-halorow-ticket": this.data.ticket } });
      if (turn !== this.turn) return;
      if (answer.status === 403) { this.tell("stale", true); wait = AWAY_MS; }
      if (!answer.ok) throw new Error(await answer.text());
      this.show(await answer.json());
    } catch {
      if (turn !== this.turn) return;
      wait = AWAY_MS;
      this.say("The service does not answer just now; trying again. Your jobs are not affected.");
    }
    if (turn === this.turn) this.timer = setTimeout(() => this.poll(), wait);
  }

  say(text) {
    const said = this.root.querySelector(".said");
    if (said.textContent !== text) said.textContent = text;
  }

  show(seen) {
    if (seen.epoch === this.epoch && seen.seq < this.seq) return;
    this.epoch = seen.epoch;
    this.seq = seen.seq;
    for (const card of seen.cards) this.card(card.id).show(card);
    this.arrange(seen.ids.filter((id) => this.cards.has(id)));
    this.count(seen.in);
    this.more.hidden = seen.total <= seen.ids.length;
    const shown = seen.ids.length < seen.total ? `the newest ${seen.ids.length} of ` : "";
    this.say(seen.total ? `${shown}${seen.total.toLocaleString()} job${seen.total === 1 ? "" : "s"}` : "");
    const empty = this.root.querySelector(".empty");
    empty.hidden = seen.total > 0;
    empty.textContent = this.data.single ? "This job is not among the newest; its records are all there is of it."
      : seen.known ? "No job matches. Choose another state, or search for less."
      : "No jobs yet. Add images and a pipeline, and press Run.";
    for (const one of this.cards.values()) one.tick();
  }

  /** Say on the buttons how many jobs there are in each state. */
  count(inStates) {
    const all = Object.values(inStates).reduce((sum, count) => sum + count, 0);
    for (const { state, label, button } of this.states) {
      const text = `${label} ${(state ? inStates[state] : all).toLocaleString()}`;
      if (button.textContent !== text) {
        button.textContent = text;
        button.setAttribute("aria-label", `Show ${text}`);
      }
      button.setAttribute("aria-pressed", String(state === this.asked.state));
    }
  }

  card(id) {
    if (!this.cards.has(id)) this.cards.set(id, new Card(this));
    return this.cards.get(id);
  }

  /** Move only what is not in its place: whoever has the focus keeps it. */
  arrange(ids) {
    const wanted = new Set(ids);
    for (const [id, card] of this.cards) {
      if (!wanted.has(id)) { card.item.remove(); this.cards.delete(id); }
    }
    ids.forEach((id, place) => {
      const { item } = this.cards.get(id);
      if (this.list.children[place] !== item) this.list.insertBefore(item, this.list.children[place] ?? null);
    });
  }

  confirm(card) {
    const dialog = this.root.querySelector("dialog");
    dialog.querySelector("p").textContent = `Delete the job for ${card.title}? What the service keeps of it `
      + "goes for good: input, result and records.";
    const [keep, remove] = dialog.querySelectorAll("button");
    keep.onclick = () => dialog.close();
    remove.onclick = () => { dialog.close(); this.acts.act("delete", card.id); };
    dialog.showModal();
    keep.focus();
  }
}
