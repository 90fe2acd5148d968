// A file in the list: its name, its bar, what is said of it, and its buttons.

import { noteOf, sizeText } from "./words.js";

const TICK = '<svg class="tick" viewBox="0 0 24 24" aria-label="Ready" role="img"><path d="m9.6 18-5.7-5.7 1.4-1.4 4.3 4.3 9.2-9.2 1.4 1.4L9.6 18Z"/></svg>';
const CROSS = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6.4 19 5 17.6l5.6-5.6L5 6.4 6.4 5l5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19Z"/></svg>';

/** Return what is drawn of an item once; `remove` is what its cross is for. */
export function rowOf(item, remove) {
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
  row.querySelector(".drop").onclick = remove;
  row.querySelector(".again").onclick = () => {
    if (item.state === "lost") item.wake?.();
    if (item.state === "failed") item.again(); // and nothing where it goes on by itself by now
  };
  return row;
}

/** Show in a row how its item is now. */
export function fill(row, item) {
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
