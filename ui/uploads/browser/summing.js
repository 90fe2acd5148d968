// Checksums of blobs off the main thread, in the order of asking; on it where workers are not allowed.

import { sum } from "./crc32c.js";

export class Summing {
  constructor() {
    this.waiting = new Map();
    this.number = 0;
    this.isHere = false;
    try {
      this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data }) => this.#settle(data);
      this.worker.onerror = () => this.#doHere();
    } catch {
      this.#doHere();
    }
  }

  /** Return the checksum of what `crc` is of, and of a blob behind it. */
  sum(blob, crc) {
    if (this.isHere) return sum(blob, crc);
    this.number += 1;
    const asked = { number: this.number, blob, crc };
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
    this.isHere = true;
    for (const { resolve, reject, asked } of this.waiting.values()) sum(asked.blob, asked.crc).then(resolve, reject);
    this.waiting.clear();
  }
}
