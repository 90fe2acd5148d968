// How fast something goes, over the last seconds.

const SPAN_MS = 5000;

export class Rate {
  constructor() {
    this.samples = [];
  }

  /** Take in that so many bytes are there now; fewer than before is a new beginning. */
  moved(sent) {
    const at = performance.now();
    if (sent < (this.samples.at(-1)?.sent ?? 0)) this.samples = [];
    this.samples.push({ at, sent });
    while (this.samples.length > 2 && at - this.samples[0].at > SPAN_MS) this.samples.shift();
  }

  /** Forget what was, where nothing moves any more. */
  stop() {
    this.samples = [];
  }

  /** Return bytes a second; 0 where too little is known. */
  get bytes_per_s() {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    return last && last.at > first.at ? (1000 * (last.sent - first.sent)) / (last.at - first.at) : 0;
  }
}
