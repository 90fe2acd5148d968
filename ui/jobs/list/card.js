// One job of the list; drawn anew part by part, where something has changed.

import { duration, element } from "./elements.js";
import { progressOf, stripsOf } from "./strips.js";

const PARTS = ["head", "about", "progress", "strips", "trouble"];

export class Card {
  constructor(list) {
    this.list = list;
    this.item = element("li", { class: "job" });
    this.parts = {};
    for (const name of PARTS) this.item.append(this.parts[name] = element("div", { class: name }));
    this.drawn = {};
  }

  show(card) {
    this.card = card;
    this.item.className = `job st-key-job_${card.id}`;
    this.item.dataset.state = card.badge.label;
    this.draw("head", [card.title, card.badge, card.download, card.can_cancel, card.can_retry], () => this.head());
    this.draw("about", [card.pipeline, card.note, card.batch, card.user, this.list.data.everybody], () => this.about());
    this.draw("progress", [card.fraction, card.progress, card.is_moving], () => progressOf(card));
    this.draw("strips", [card.ranks, card.bands, card.bands_done], () => stripsOf(card));
    this.draw("trouble", card.trouble, () => this.trouble());
    this.tick();
  }

  /** Draw a part if it says something else than before; whoever has the focus keeps it. */
  draw(name, about, make) {
    const key = JSON.stringify(about);
    if (this.drawn[name] === key) return;
    this.drawn[name] = key;
    const active = this.item.getRootNode().activeElement;
    const focused = active && this.parts[name].contains(active) ? active.textContent : null;
    const children = make();
    this.parts[name].replaceChildren(...children);
    this.parts[name].hidden = !children.length;
    if (focused) [...this.parts[name].querySelectorAll("a, button")].find((one) => one.textContent === focused)?.focus();
  }

  button(label, verb, title = null) {
    const { id } = this.card;
    return element("button", { type: "button", title, onclick: (event) => {
      if (verb === "delete") { this.list.confirm(this.card); return; }
      event.currentTarget.disabled = true;
      this.list.acts.act(verb, id, event.currentTarget);
    } }, label);
  }

  /** An address as any other, but followed without a new start of the page. */
  link(label, kind) {
    const { id } = this.card;
    return element("a", { class: kind, href: `${this.list.data.job_page}?job=${encodeURIComponent(id)}`,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.list.acts.act("open", id);
      } }, label);
  }

  head() {
    const { card } = this;
    const title = this.link(card.title, "title");
    const actions = element("div", { class: "actions" });
    if (card.download) {
      if (!this.list.data.single) actions.append(this.link("Open", "button"));
      actions.append(element("a", { class: "button", href: card.download, download: true }, "Download"));
    }
    if (card.can_cancel) actions.append(this.button("Cancel", "cancel"));
    if (card.can_retry) actions.append(this.button("Retry", "retry", "Try the same once more"));
    if (!this.list.data.single || !card.download) actions.append(this.button("Change", "again", "Take image and pipeline over, to run them again with changes"));
    if (card.can_delete) actions.append(this.button("Delete", "delete", "Delete input, result and records"));
    return [title, element("span", { class: `badge ${card.badge.colour}` }, card.badge.label), actions];
  }

  about() {
    const { card } = this;
    const parts = [card.pipeline, card.note];
    if (this.list.data.everybody) parts.push(card.user);
    this.waiting = element("span");
    const made = [parts.filter(Boolean).join(" · "), this.waiting];
    if (card.batch) {
      made.push(" · ", element("button", { type: "button", title: "Show the jobs of this batch",
        onclick: () => this.list.search(`batch:${card.batch}`) }, `batch ${card.batch}`));
    }
    return made;
  }

  /** Say for how long the job waits. */
  tick() {
    if (!this.card || !this.waiting) return;
    const text = this.card.is_waiting ? ` · waiting for ${duration(Date.now() - this.card.made_ms)}` : "";
    if (this.waiting.textContent !== text) this.waiting.textContent = text;
  }

  trouble() {
    const { trouble } = this.card;
    if (!trouble) return [];
    return [trouble.title, trouble.message, trouble.advice].filter(Boolean)
      .map((text, place) => element("p", {}, place ? text : element("strong", {}, `${text}.`)));
  }
}
