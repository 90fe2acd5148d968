// The histogram of an image, and what is known of it in words.

const COLOURS = ["#e5484d", "#30a46c", "#3b82f6"];
const SVG = "http://www.w3.org/2000/svg";

/** Return the figure of a side. */
export function histogramOf({ label }, known) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = known.fault ? `${label}: ${known.fault}` : captionOf(label, known);
  if (!known.fault) figure.append(pictureOf(label, known.histogram));
  figure.append(caption);
  return figure;
}

function pictureOf(label, { low, high, counts }) {
  const most = Math.max(1, ...counts.flat());
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${counts[0].length} 1`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Histogram of ${label.toLowerCase()}, ${low} to ${high}`);
  counts.forEach((channel, place) => {
    const path = document.createElementNS(SVG, "path");
    const line = channel.map((count, x) => `L${x} ${1 - Math.sqrt(count / most)}H${x + 1}`).join("");
    path.setAttribute("d", `M0 1${line}V1Z`);
    path.setAttribute("fill", counts.length > 1 ? COLOURS[place] : "currentColor");
    picture.append(path);
  });
  return picture;
}

function captionOf(label, { image: { columns, rows, channels, dtype }, histogram: { low, high }, stretch, factor }) {
  const number = (value) => Number(value.toPrecision(5)).toLocaleString();
  const size = `${columns.toLocaleString()} × ${rows.toLocaleString()} px, ${channels} × ${dtype}`;
  const stretched = stretch ? ` · shown from ${number(stretch[0])} (black) to ${number(stretch[1])} (white)` : "";
  const of = factor > 1 ? `of a copy reduced ${factor} times` : "of all pixels";
  return `${label}: ${size}${stretched} · histogram ${of}, ${number(low)} to ${number(high)}, heights by square root`;
}
