// One file on its way, or one that has arrived.

import { Anew, Lost } from "./asking.js";
import { spelled } from "./crc32c.js";
import { Rate } from "./rate.js";
import { Transfer } from "./transfer.js";

const CHUNK_BYTES = 16 * 1024 * 1024; // a multiple of 256 KiB, as Google Cloud Storage asks for
const WAITS_S = [1, 2, 4, 8, 15, 30];
const BUSY = ["sending", "checking", "lost", "ending"];

export class Item {
  constructor(engine, { file = null, done = null }) {
    this.engine = engine;
    this.file = file;
    this.done = done;
    this.name = file ? file.name : done.name;
    this.size = file ? file.size : done.size_bytes;
    this.rate = new Rate();
    this.#anew();
    if (done) this.state = "done";
    const suffix = this.name.split(".").pop().toLowerCase();
    if (file && !engine.types.includes(suffix)) {
      this.state = "failed";
      this.problem = `No image of a kind that can be filtered (${engine.types.join(", ")}).`;
      this.isHopeless = true;
    }
  }

  isBusy() {
    return BUSY.includes(this.state);
  }

  isMoving() {
    return this.state === "waiting" || this.isBusy();
  }

  isOf(file) {
    const same = this.name === file.name && this.size === file.size;
    return same && (!this.file || this.file.lastModified === file.lastModified);
  }

  /** Send the file, however often the line is lost meanwhile. */
  async run() {
    const { transfer } = this;
    for (let tries = 0; ;) {
      const before = this.sent;
      try {
        await this.#goOn();
        this.state = "done";
        return;
      } catch (problem) {
        if (transfer.isStopped) return;
        if (problem instanceof Anew) {
          this.#forget();
        } else if (problem instanceof Lost) {
          tries = this.sent > before ? 0 : tries + 1;
          await this.#wait(problem.message, WAITS_S[Math.min(tries, WAITS_S.length - 1)]);
          if (transfer.isStopped) return;
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

  /** Send a file again that has failed. */
  again() {
    this.#forget();
    this.#anew();
    this.engine.fill();
  }

  /** Stop sending, and have the service remove what it has. */
  cancel() {
    this.transfer?.cancel();
    this.wake?.();
  }

  stop() {
    this.transfer?.stop();
    this.wake?.();
  }

  #anew() {
    this.state = "waiting";
    this.problem = "";
    this.sent = 0;
    this.hashedTo = 0;
    this.crc = 0;
    this.transfer = this.file && new Transfer(this.engine, this.file, (sent) => this.#moved(sent));
  }

  /** Go on where the store says that the upload stands, to its end. */
  async #goOn() {
    const { transfer } = this;
    this.state = "sending";
    let offset = await transfer.whereItStands();
    this.#moved(offset);
    if (this.hashedTo < offset) await this.#checkFirst(offset);
    this.state = "sending";
    while (offset < this.size) {
      const end = Math.min(offset + CHUNK_BYTES, this.size);
      [offset] = await Promise.all([transfer.send(offset, end), this.#hash(end)]);
      if (transfer.isStopped) throw new Lost("");
      this.#moved(offset);
    }
    await this.#hash(this.size);
    this.state = "ending";
    this.done = await transfer.end(spelled(this.crc));
  }

  /** Sum up what an earlier visit has sent, and compare it with what the store has. */
  async #checkFirst(offset) {
    this.state = "checking";
    this.engine.changed();
    await this.#hash(offset);
    const { crc32c } = this.transfer.upload;
    if (crc32c && this.hashedTo === offset && crc32c !== spelled(this.crc)) {
      await this.transfer.discard();
      throw new Anew();
    }
  }

  async #hash(end) {
    if (end <= this.hashedTo) return;
    this.crc = await this.engine.summing.sum(this.file.slice(this.hashedTo, end), this.crc);
    this.hashedTo = end;
  }

  #moved(sent) {
    this.sent = sent;
    this.rate.moved(sent);
    this.engine.changed();
  }

  /** Wait for another try: some seconds, until the system says that the line is back, or the user does. */
  async #wait(problem, seconds) {
    this.state = "lost";
    this.problem = problem;
    this.rate.stop();
    this.engine.changed();
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, 1000 * seconds);
    });
    this.wake = null;
    this.problem = "";
  }

  #forget() {
    this.transfer.forget();
    this.sent = 0;
  }
}
