// Files go from here straight to the store; the page only hears which ones have arrived.
//
// The engine belongs to the tab and not to what is drawn: uploads go on while another page is looked at,
// and the list is there again when this one comes back.

const AT_ONCE = 3;
const CHUNK_BYTES = 16 * 1024 * 1024; // a multiple of 256 KiB, as Google Cloud Storage asks for
const HASH_BYTES = 4 * 1024 * 1024;
const REDRAW_MS = 250;
const TELL_MS = 200;
const RATE_MS = 5000;
const SILENCE_MS = 30000; // no byte goes out for so long: the line is dead, whatever the system still hopes for
const ANSWER_MS = 120000;
const WAITS_S = [1, 2, 4, 8, 15, 30];
const KEPT_MS = 7 * 24 * 3600 * 1000;
const REMEMBERED = "halorow-uploads";
const ENGINE = "__halorowUploads";

/** The line is down, or the service is: another try may succeed. */
class Lost extends Error {}

/** The upload cannot go on where it was, and begins anew. */
class Anew extends Error {}

/** CRC32C (Castagnoli, RFC 3720) of blobs, eight bytes at a time; runs in a worker, where there can be one. */
function makeCrc() {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[0][n] = crc;
  }
  for (let n = 0; n < 256; n += 1) {
    for (let k = 1; k < 8; k += 1) {
      const below = tables[k - 1][n];
      tables[k][n] = tables[0][below & 255] ^ (below >>> 8);
    }
  }
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;

  function extend(crc, bytes) {
    let c = ~crc;
    let at = 0;
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const end = bytes.length - 7; at < end; at += 8) {
      const low = words.getInt32(at, true) ^ c;
      const high = words.getInt32(at + 4, true);
      c = t7[low & 255] ^ t6[(low >>> 8) & 255] ^ t5[(low >>> 16) & 255] ^ t4[low >>> 24]
        ^ t3[high & 255] ^ t2[(high >>> 8) & 255] ^ t1[(high >>> 16) & 255] ^ t0[high >>> 24];
    }
    for (; at < bytes.length; at += 1) c = t0[(c ^ bytes[at]) & 255] ^ (c >>> 8);
    return ~c;
  }

  return async function sum(blob, crc, pieceBytes) {
    let now = crc;
    for (let at = 0; at < blob.size; at += pieceBytes) {
      now = extend(now, new Uint8Array(await blob.slice(at, at + pieceBytes).arrayBuffer()));
    }
    return now;
  };
}

function workerMain(sum) {
  self.onmessage = async ({ data: { number, blob, crc, pieceBytes } }) => {
    try {
      self.postMessage({ number, crc: await sum(blob, crc, pieceBytes) });
    } catch (error) {
      self.postMessage({ number, error: String(error) });
    }
  };
}

/** Sums up blobs off the main thread, in the order of asking; on it where workers are not allowed. */
class Summing {
  constructor() {
    this.waiting = new Map();
    this.number = 0;
    try {
      const source = `(${workerMain})((${makeCrc})())`;
      this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
      this.worker.onmessage = ({ data }) => this.#settle(data);
      this.worker.onerror = () => this.#doHere();
    } catch {
      this.#doHere();
    }
  }

  sum(blob, crc) {
    if (this.here) return this.here(blob, crc, HASH_BYTES);
    this.number += 1;
    const asked = { number: this.number, blob, crc, pieceBytes: HASH_BYTES };
    return new Promise((resolve, reject) => {
      this.waiting.set(asked.number, { resolve, reject, asked });
      this.worker.postMessage(asked);
    });
  }

  #settle({ number, crc, error }) {
    const { resolve, reject } = this.waiting.get(number);
    this.waiting.delete(number);
    if (error) reject(new Error("It cannot be read, or has changed since it was added. Add it again."));
    else resolve(crc);
  }

  #doHere() {
    this.here = makeCrc();
    for (const { resolve, reject, asked } of this.waiting.values()) {
      this.here(asked.blob, asked.crc, HASH_BYTES).then(resolve, reject);
    }
    this.waiting.clear();
  }
}

/** Return a checksum as the service spells it: base64, the most significant byte first. */
function spelled(crc) {
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}

/** Ask something over HTTP. Raises Lost where no answer comes; any answer is returned. */
function ask(item, method, url, { body = null, headers = {}, sent = null } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer = null;
    const watch = (patience_ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), patience_ms);
    };
    const lost = () => {
      clearTimeout(timer);
      reject(new Lost("The connection was lost."));
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      watch(event.loaded < event.total ? SILENCE_MS : ANSWER_MS);
      if (sent) sent(event.loaded);
    };
    xhr.onload = () => {
      clearTimeout(timer);
      resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), text: xhr.responseText });
    };
    xhr.onerror = lost;
    xhr.onabort = lost;
    if (item) item.xhr = xhr;
    watch(body ? SILENCE_MS : ANSWER_MS);
    xhr.send(body);
  });
}

/** Return what the service said, as an error of the right kind. */
function problemOf(answer) {
  let said = "";
  try {
    said = JSON.parse(answer.text).error;
  } catch {
    said = `The server answered ${answer.status}.`;
  }
  const passing = answer.status === 503 || answer.status === 502 || answer.status === 504 || answer.status === 429;
  const Kind = passing ? Lost : Error;
  return new Kind(said);
}

class Engine {
  constructor() {
    this.items = [];
    this.views = new Set();
    this.summing = new Summing();
    this.begin = null;
    this.user = null;
    this.types = [];
    this.number = 0;
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

  removeAll() {
    for (const item of this.items) item.cancel();
    this.items = [];
    this.changed();
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

/** One file on its way, or one that has arrived. */
class Item {
  constructor(engine, { file = null, done = null }) {
    engine.number += 1;
    this.engine = engine;
    this.number = engine.number;
    this.file = file;
    this.done = done;
    this.name = file ? file.name : done.name;
    this.size = file ? file.size : done.size_bytes;
    this.state = done ? "done" : "waiting";
    this.problem = "";
    this.sent = 0;
    this.hashedTo = 0;
    this.crc = 0;
    this.samples = [];
    const suffix = this.name.split(".").pop().toLowerCase();
    if (file && !engine.types.includes(suffix)) {
      this.state = "failed";
      this.problem = `No image of a kind that can be filtered (${engine.types.join(", ")}).`;
      this.isHopeless = true;
    }
  }

  isBusy() {
    return ["sending", "checking", "lost", "ending"].includes(this.state);
  }

  isMoving() {
    return this.state === "waiting" || this.isBusy();
  }

  isOf(file) {
    return this.name === file.name && this.size === file.size && (!this.file || this.file.lastModified === file.lastModified);
  }

  /** Send the file, however often the line is lost meanwhile. */
  async run() {
    for (let tries = 0; ;) {
      const before = this.sent;
      try {
        await this.#goOn();
        this.state = "done";
        return;
      } catch (problem) {
        if (this.isStopped) return;
        if (problem instanceof Anew) {
          this.#forget();
        } else if (problem instanceof Lost) {
          tries = this.sent > before ? 0 : tries + 1;
          await this.#wait(problem.message, WAITS_S[Math.min(tries, WAITS_S.length - 1)]);
          if (this.isStopped) return;
        } else {
          this.state = "failed";
          this.problem = problem.message;
          return;
        }
      } finally {
        this.engine.changed();
      }
    }
  }

  again() {
    this.#forget();
    this.hashedTo = 0;
    this.crc = 0;
    this.isStopped = false;
    this.state = "waiting";
    this.problem = "";
    this.engine.fill();
  }

  /** Stop sending, and have the service remove what it has. */
  cancel() {
    const { upload } = this;
    this.stop();
    if (upload && !this.done) {
      ask(null, "DELETE", upload.links.DELETE).catch(() => {});
      this.#forget();
    }
  }

  stop() {
    this.isStopped = true;
    this.xhr?.abort();
    this.wake?.();
  }

  rate() {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    return last && last.at > first.at ? (1000 * (last.sent - first.sent)) / (last.at - first.at) : 0;
  }

  /** Go on where the store says that the upload stands, to its end. */
  async #goOn() {
    this.state = "sending";
    let offset = await this.#whereItStands();
    this.#moved(offset);
    if (this.hashedTo < offset) await this.#checkFirst(offset);
    this.state = "sending";
    while (offset < this.size) {
      const end = Math.min(offset + CHUNK_BYTES, this.size);
      [offset] = await Promise.all([this.#send(offset, end), this.#hash(end)]);
      if (this.isStopped) throw new Lost("");
      this.#moved(offset);
    }
    await this.#hash(this.size);
    this.state = "ending";
    const { links } = this.upload;
    const answer = await this.#ask("POST", links.POST, { body: JSON.stringify({ crc32c: spelled(this.crc) }) });
    if (answer.status === 422) this.#forget();
    if (answer.status !== 200) throw problemOf(answer);
    this.done = JSON.parse(answer.text);
    this.#forget();
  }

  /** Sum up what an earlier visit has sent, and compare it with what the store has. */
  async #checkFirst(offset) {
    this.state = "checking";
    this.engine.changed();
    await this.#hash(offset);
    const { crc32c } = this.upload;
    if (crc32c && this.hashedTo === offset && crc32c !== spelled(this.crc)) {
      await this.#ask("DELETE", this.upload.links.DELETE);
      throw new Anew();
    }
  }

  async #hash(end) {
    if (end <= this.hashedTo) return;
    this.crc = await this.engine.summing.sum(this.file.slice(this.hashedTo, end), this.crc);
    this.hashedTo = end;
  }

  async #whereItStands() {
    if (this.upload) {
      const known = this.upload.session ? await this.#askBucket() : null;
      if (known !== null) return known;
      const answer = await this.#ask("HEAD", this.upload.links.GET);
      if (answer.status === 200) {
        this.upload.crc32c = answer.header("Upload-Crc32c");
        return Number(answer.header("Upload-Offset"));
      }
      if (answer.status === 404) throw new Anew();
      if (answer.status !== 403) throw problemOf(answer);
    }
    return this.#beginIt();
  }

  async #beginIt() {
    const resume = this.upload?.id ?? recalled(this.#fingerprint());
    const words = { name: this.name, size_bytes: this.size, resume };
    const answer = await this.#ask("POST", this.engine.begin, { body: JSON.stringify(words) });
    if (answer.status !== 201) throw problemOf(answer);
    this.upload = JSON.parse(answer.text);
    recall(this.#fingerprint(), this.upload.id);
    return this.upload.offset;
  }

  /** Ask the bucket itself how far a session is; null where its answer cannot be read from this page. */
  async #askBucket() {
    const headers = { "Content-Range": `bytes */${this.size}` };
    try {
      return this.#offsetIn(await this.#ask("PUT", this.upload.session, { headers }));
    } catch (problem) {
      if (problem instanceof Anew) throw problem;
      return null;
    }
  }

  #offsetIn(answer) {
    if (answer.status === 200 || answer.status === 201) return this.size;
    if ([404, 410, 499].includes(answer.status)) throw new Anew();
    if (answer.status !== 308) throw new Lost(`The bucket answered ${answer.status}.`);
    const found = /bytes=0-(\d+)/.exec(answer.header("Range") ?? "");
    return found ? Number(found[1]) + 1 : null;
  }

  /** Send bytes; return where the upload stands then. */
  async #send(start, end) {
    const body = this.file.slice(start, end);
    const sent = (loaded) => this.#moved(start + Math.min(loaded, end - start));
    if (this.upload.session) {
      const headers = { "Content-Range": `bytes ${start}-${end - 1}/${this.size}` };
      const offset = this.#offsetIn(await this.#ask("PUT", this.upload.session, { body, headers, sent }));
      return offset ?? this.#whereItStands();
    }
    const headers = { "Upload-Offset": String(start), "Content-Type": "application/offset+octet-stream" };
    const answer = await this.#ask("PATCH", this.upload.links.PATCH, { body, headers, sent });
    if (answer.status === 204) return Number(answer.header("Upload-Offset"));
    if ([403, 404, 409].includes(answer.status)) return this.#whereItStands();
    throw problemOf(answer);
  }

  #ask(method, url, more) {
    if (this.isStopped) throw new Lost("");
    return ask(this, method, url, more);
  }

  #moved(sent) {
    const at = performance.now();
    if (sent < this.sent) this.samples = [];
    this.sent = sent;
    this.samples.push({ at, sent });
    while (this.samples.length > 2 && at - this.samples[0].at > RATE_MS) this.samples.shift();
    this.engine.changed();
  }

  /** Wait for another try: some seconds, until the system says that the line is back, or the user does. */
  async #wait(problem, seconds) {
    this.state = "lost";
    this.problem = problem;
    this.samples = [];
    this.engine.changed();
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, 1000 * seconds);
    });
    this.wake = null;
    this.problem = "";
  }

  #forget() {
    recall(this.#fingerprint(), null);
    this.upload = null;
    this.sent = 0;
  }

  #fingerprint() {
    return [this.engine.user, this.name, this.size, this.file.lastModified].join("\n");
  }
}

/** Read something that the browser keeps; without a place to keep things there is nothing. */
function kept(storage, key, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(storage, key, value) {
  try {
    window[storage].setItem(key, JSON.stringify(value));
  } catch {
    // Private windows may have none: then an upload does not survive a reload.
  }
}

/** Return the upload that a file was begun with, also before the page was loaded anew. */
function recalled(fingerprint) {
  return kept("localStorage", REMEMBERED, {})[fingerprint]?.id ?? null;
}

function recall(fingerprint, id) {
  const all = Object.entries(kept("localStorage", REMEMBERED, {}));
  const fresh = all.filter(([key, { at }]) => key !== fingerprint && Date.now() - at < KEPT_MS);
  if (id) fresh.push([fingerprint, { id, at: Date.now() }]);
  keep("localStorage", REMEMBERED, Object.fromEntries(fresh));
}

/** Return what had arrived before this tab was loaded anew. */
function restored(user) {
  return kept("sessionStorage", REMEMBERED, {})[user] ?? [];
}

function remember(user, items) {
  const done = items.filter((item) => item.done).map((item) => ({ done: item.done }));
  keep("sessionStorage", REMEMBERED, { [user]: done });
}

function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let amount = bytes;
  let unit = 0;
  for (; amount >= 1000 && unit < units.length - 1; unit += 1) amount /= 1000;
  return unit ? `${amount.toFixed(1)} ${units[unit]}` : `${amount} B`;
}

function timeText(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s left`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s left`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min left`;
}

function noteOf(item) {
  if (item.state === "waiting") return "Waits for its turn";
  if (item.state === "checking") return "Comparing with what is there already";
  if (item.state === "ending") return "Comparing checksums";
  if (item.state === "lost") return `${item.problem} Trying again by itself, from ${sizeText(item.sent)} on.`;
  if (item.state === "failed") return item.problem;
  const rate = item.rate();
  const parts = [`${Math.floor((100 * item.sent) / item.size)} %`];
  if (rate > 0) parts.push(`${sizeText(rate)}/s`, timeText((item.size - item.sent) / rate));
  return parts.join(" · ");
}

function summaryOf(items) {
  const moving = items.filter((item) => item.isMoving());
  if (!items.length) return "";
  const arrived = items.filter((item) => item.state === "done").length;
  const failed = items.filter((item) => item.state === "failed").length;
  const refused = failed ? [`${failed} ${failed === 1 ? "file" : "files"} cannot be used, see below`] : [];
  if (!moving.length) {
    const ready = arrived ? [`${arrived} ${arrived === 1 ? "image is" : "images are"} ready`] : [];
    return [...ready, ...refused].join(" · ");
  }
  const rate = moving.reduce((sum, item) => sum + item.rate(), 0);
  const left = moving.reduce((sum, item) => sum + item.size - item.sent, 0);
  const parts = [`${arrived} of ${items.length} images are there`, `${sizeText(left)} to go`];
  if (rate > 0) parts.push(`${sizeText(rate)}/s`, timeText(left / rate));
  return [...parts, ...refused].join(" · ");
}

const TICK = '<svg class="tick" viewBox="0 0 24 24" aria-label="Ready" role="img"><path d="m9.6 18-5.7-5.7 1.4-1.4 4.3 4.3 9.2-9.2 1.4 1.4L9.6 18Z"/></svg>';
const CROSS = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6.4 19 5 17.6l5.6-5.6L5 6.4 6.4 5l5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19Z"/></svg>';

/** What is drawn of the engine in one place of the page. */
class View {
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
        this.rows.set(item, this.#row(item));
        list.append(this.rows.get(item));
      }
      this.#fill(this.rows.get(item), item);
    }
    const summary = summaryOf(items);
    const shown = this.root.querySelector(".summary");
    if (shown.textContent !== summary) shown.textContent = summary;
  }

  #row(item) {
    const row = document.createElement("li");
    row.className = "file";
    row.innerHTML = `<div class="line">${TICK}<span class="name"></span><span class="size"></span>`
      + `<button type="button" class="drop">${CROSS}</button></div>`
      + '<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div></div></div>'
      + '<div class="note"><span></span><button type="button" class="again" hidden></button></div>';
    row.querySelector(".name").textContent = item.name;
    row.querySelector(".name").title = item.name;
    row.querySelector(".size").textContent = sizeText(item.size);
    row.querySelector(".bar").setAttribute("aria-label", item.name);
    row.querySelector(".drop").onclick = () => {
      this.engine.remove(item);
      this.root.querySelector(".add").focus();
    };
    row.querySelector(".again").onclick = () => {
      if (item.state === "lost") item.wake?.();
      if (item.state === "failed") item.again(); // and nothing where it goes on by itself by now
    };
    return row;
  }

  #fill(row, item) {
    row.dataset.state = item.state;
    const percent = item.size ? Math.floor((100 * item.sent) / item.size) : 0;
    const bar = row.querySelector(".bar");
    bar.setAttribute("aria-valuenow", String(percent));
    bar.firstElementChild.style.width = `${percent}%`;
    const note = row.querySelector(".note span");
    const text = noteOf(item);
    if (note.textContent !== text) note.textContent = text;
    const drop = row.querySelector(".drop");
    drop.setAttribute("aria-label", `${item.isMoving() ? "Cancel" : "Remove"} ${item.name}`);
    drop.title = item.isMoving() ? "Cancel" : "Remove";
    const again = row.querySelector(".again");
    again.hidden = !(item.state === "lost" || (item.state === "failed" && !item.isHopeless));
    again.textContent = item.state === "lost" ? "Try now" : "Send again";
  }
}

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
