// The list of jobs: asks the page's server what has changed, and touches only the cards that have.

const STATES = [["", "All"], ["waiting", "Waiting"], ["running", "Running"], ["done", "Done"],
  ["failed", "Failed"], ["cancelled", "Cancelled"]];
const TYPING_MS = 300;
const AWAY_MS = 2000;
const GONE_MS = 500;
const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".jobs");
  let view = views.get(root);
  if (!view) views.set(root, view = new JobList(root, component.data));
  view.take(component);
  // The page also calls this when it draws anew what stays where it is.
  return () => setTimeout(() => { if (!root.isConnected) view.stop(); }, GONE_MS);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.onclick = value;
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

class JobList {
  constructor(root, data) {
    this.root = root;
    root.classList.toggle("single", Boolean(data.single));
    this.list = root.querySelector("ul");
    this.cards = new Map();
    this.asked = { ...data.asked };
    this.most = data.page;
    this.epoch = "";
    this.seq = -1;
    this.acting = 0;
    this.unheard = new Map();
    this.input = root.querySelector("input");
    this.input.value = this.asked.text;
    this.input.oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.ask({ text: this.input.value }), TYPING_MS);
    };
    this.buttons = STATES.map(([state, label]) => {
      const button = element("button", { type: "button", onclick: () => this.ask({ state }) }, label);
      root.querySelector(".states").append(button);
      return button;
    });
    this.more = root.querySelector(".more");
    this.more.onclick = () => { this.most += this.data.page; this.again(); };
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting) && !this.more.hidden && this.data.endless) this.more.onclick();
    }, { rootMargin: "300px" }).observe(this.more);
    this.onVisible = () => { if (!document.hidden) this.poll(); };
  }

  // Called at every drawing by the server, which has looked by itself.
  take({ data, setTriggerValue }) {
    this.data = data;
    this.tell = setTriggerValue;
    this.heard(data.acted);
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

  again() { this.epoch = ""; this.seq = -1; this.poll(); }

  async poll() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.remind();
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
    const all = Object.values(seen.in).reduce((sum, count) => sum + count, 0);
    this.buttons.forEach((button, place) => {
      const state = STATES[place][0];
      const label = `${STATES[place][1]} ${(state ? seen.in[state] : all).toLocaleString()}`;
      if (button.textContent !== label) {
        button.textContent = label;
        button.setAttribute("aria-label", `Show ${label}`);
      }
      button.setAttribute("aria-pressed", String(state === this.asked.state));
    });
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

  card(id) {
    if (!this.cards.has(id)) this.cards.set(id, new Card(this));
    return this.cards.get(id);
  }

  // Moves only what is not in its place: whoever has the focus keeps it.
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

  act(verb, id, button) {
    this.acting += 1;
    const act = { verb, id, number: `${Date.now()}-${this.acting}` };
    this.unheard.set(act.number, { act, button, told_ms: Date.now() });
    this.tell("act", act);
  }

  // The page may be drawn anew just then, for another reason, and lose what it is told.
  remind() {
    const one = [...this.unheard.values()].find(({ told_ms }) => Date.now() - told_ms > AWAY_MS);
    if (!one) return;
    one.told_ms = Date.now();
    this.tell("act", one.act);
  }

  // A button can be pressed again once the server has done, or refused, what it is for.
  heard(numbers) {
    for (const number of numbers) {
      const one = this.unheard.get(number);
      if (one?.button) one.button.disabled = false;
      this.unheard.delete(number);
    }
  }

  confirm(card) {
    const dialog = this.root.querySelector("dialog");
    dialog.querySelector("p").textContent = `Delete the job for ${card.title}? What the service keeps of it `
      + "goes for good: input, result and records.";
    const [keep, remove] = dialog.querySelectorAll("button");
    keep.onclick = () => dialog.close();
    remove.onclick = () => { dialog.close(); this.act("delete", card.id); };
    dialog.showModal();
    keep.focus();
  }
}

class Card {
  constructor(list) {
    this.list = list;
    this.item = element("li", { class: "job" });
    this.parts = {};
    for (const name of ["head", "about", "progress", "strips", "trouble"]) {
      this.item.append(this.parts[name] = element("div", { class: name }));
    }
    this.drawn = {};
  }

  show(card) {
    this.card = card;
    this.item.className = `job st-key-job_${card.id}`;
    this.item.dataset.state = card.badge.label;
    this.draw("head", [card.title, card.badge, card.download, card.can_cancel, card.can_retry], () => this.head());
    this.draw("about", [card.pipeline, card.note, card.batch, card.user, this.list.data.everybody], () => this.about());
    this.draw("progress", [card.fraction, card.progress, card.is_moving], () => this.progress());
    this.draw("strips", [card.ranks, card.bands, card.bands_done], () => this.strips());
    this.draw("trouble", card.trouble, () => this.trouble());
    this.tick();
  }

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
      this.list.act(verb, id, event.currentTarget);
    } }, label);
  }

  // An address as any other, but followed without a new start of the page.
  link(label, kind) {
    const { id } = this.card;
    return element("a", { class: kind, href: `${this.list.data.job_page}?job=${encodeURIComponent(id)}`,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.list.act("open", id);
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
    const made = [parts.filter(Boolean).join(" · ")];
    this.waiting = element("span");
    made.push(this.waiting);
    if (card.batch) {
      made.push(" · ", element("button", { type: "button", title: "Show the jobs of this batch", onclick: () => {
        this.list.input.value = `batch:${card.batch}`;
        this.list.ask({ text: this.list.input.value, state: "" });
      } }, `batch ${card.batch}`));
    }
    return made;
  }

  tick() {
    if (!this.card || !this.waiting) return;
    const text = this.card.is_waiting ? ` · waiting for ${duration(Date.now() - this.card.made_ms)}` : "";
    if (this.waiting.textContent !== text) this.waiting.textContent = text;
  }

  progress() {
    const { card } = this;
    if (!card.is_moving) return [];
    const percent = `${(100 * card.fraction).toFixed(1)}%`;
    const bar = element("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100,
      "aria-valuenow": Math.round(100 * card.fraction), "aria-label": "Progress" },
      element("div", { style: `width:${percent}` }));
    return [element("div", { class: "about" }, card.progress), bar];
  }

  strips() {
    const { card } = this;
    const made = [];
    if (card.bands) {
      const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      picture.setAttribute("viewBox", `0 0 ${card.bands} 1`);
      picture.setAttribute("preserveAspectRatio", "none");
      let done = 0;
      for (const [first, end] of card.bands_done) {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        for (const [key, value] of [["x", first], ["y", 0], ["width", end - first], ["height", 1]]) {
          rect.setAttribute(key, value);
        }
        picture.append(rect);
        done += end - first;
      }
      const words = `${done} of ${card.bands} bands are kept`;
      made.push(element("div", { class: "strip", title: words, role: "img", "aria-label": words, "data-testid": "bands" },
        element("span", {}, `${done}/${card.bands} bands`), picture));
    }
    if (card.ranks.length) {
      const bars = card.ranks.map((rank) => element("div", { title: rank.words, "data-rank": rank.rank },
        element("div", { style: `width:${(100 * rank.fraction).toFixed(1)}%` })));
      const words = card.ranks.map((rank) => rank.words).join("; ");
      made.push(element("div", { class: "strip", role: "img", "aria-label": words, "data-testid": "ranks" },
        element("span", {}, `${bars.length} rank${bars.length === 1 ? "" : "s"}`),
        element("div", { class: "ranks" }, ...bars)));
    }
    return made;
  }

  trouble() {
    const { trouble } = this.card;
    if (!trouble) return [];
    return [trouble.title, trouble.message, trouble.advice].filter(Boolean)
      .map((text, place) => element("p", {}, place ? text : element("strong", {}, `${text}.`)));
  }
}
