// What is to be done with jobs, told to the page until it says that it has heard.

const PATIENCE_MS = 2000;

export class Acts {
  /** `tell` tells the page one act. */
  constructor(tell) {
    this.tell = tell;
    this.count = 0;
    this.unheard = new Map();
  }

  /** Have something done; `button` is disabled meanwhile, by whoever asks. */
  act(verb, id, button = null) {
    this.count += 1;
    const act = { verb, id, number: `${Date.now()}-${this.count}` };
    this.unheard.set(act.number, { act, button, told_ms: Date.now() });
    this.tell(act);
  }

  /** Tell once more what was told long ago: the page may have been drawn anew just then, and lost it. */
  remind() {
    const one = [...this.unheard.values()].find(({ told_ms }) => Date.now() - told_ms > PATIENCE_MS);
    if (!one) return;
    one.told_ms = Date.now();
    this.tell(one.act);
  }

  /** A button can be pressed again once the server has done, or refused, what it is for. */
  heard(numbers) {
    for (const number of numbers) {
      const one = this.unheard.get(number);
      if (one?.button) one.button.disabled = false;
      this.unheard.delete(number);
    }
  }
}
