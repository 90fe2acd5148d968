// Sums up blobs beside the page; `summing.js` asks.

import { sum } from "./crc32c.js";

self.onmessage = async ({ data: { number, blob, crc } }) => {
  try {
    self.postMessage({ number, crc: await sum(blob, crc) });
  } catch (error) {
    self.postMessage({ number, error: String(error) });
  }
};
