// How far a job is, as pictures: the bar of all rows, the bands that are kept, a bar for each rank.

import { drawn, element } from "./elements.js";

export function progressOf(card) {
  if (!card.is_moving) return [];
  const bar = element("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": Math.round(100 * card.fraction), "aria-label": "Progress" },
    element("div", { style: `width:${(100 * card.fraction).toFixed(1)}%` }));
  return [element("div", { class: "about" }, card.progress), bar];
}

export function stripsOf(card) {
  return [...(card.bands ? [bands(card)] : []), ...(card.ranks.length ? [ranks(card)] : [])];
}

function bands(card) {
  const done = card.bands_done.reduce((sum, [first, end]) => sum + end - first, 0);
  const rects = card.bands_done.map(([first, end]) => drawn("rect", { x: first, y: 0, width: end - first, height: 1 }));
  const picture = drawn("svg", { viewBox: `0 0 ${card.bands} 1`, preserveAspectRatio: "none" }, ...rects);
  const words = `${done} of ${card.bands} bands are kept`;
  return strip("bands", words, `${done}/${card.bands} bands`, picture, { title: words });
}

function ranks(card) {
  const bars = card.ranks.map((rank) => element("div", { title: rank.words, "data-rank": rank.rank },
    element("div", { style: `width:${(100 * rank.fraction).toFixed(1)}%` })));
  const words = card.ranks.map((rank) => rank.words).join("; ");
  const said = `${bars.length} rank${bars.length === 1 ? "" : "s"}`;
  return strip("ranks", words, said, element("div", { class: "ranks" }, ...bars));
}

function strip(name, words, said, picture, more = {}) {
  return element("div", { class: "strip", role: "img", "aria-label": words, "data-testid": name, ...more },
    element("span", {}, said), picture);
}
