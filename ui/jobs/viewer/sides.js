// The two images of a job: what is known of each, and where its tiles are.

const SMALLEST_PX = 256;

/** Return what the service knows of a side, or why that is nothing, as `fault`. */
export async function survey({ url, ticket }) {
  const answer = await fetch(`${url}/survey.json?${ticket}`);
  if (!answer.ok) return { fault: (await answer.text()).replace(/^\d+: /, "") };
  return answer.json();
}

/** Return where OpenSeadragon finds the tiles of a side. */
export function tilesOf({ url, ticket, side_px }, { image }) {
  const deepest = Math.ceil(Math.log2(Math.max(image.columns, image.rows, 1)));
  return {
    width: image.columns, height: image.rows, tileSize: side_px, tileOverlap: 0, maxLevel: deepest,
    minLevel: Math.max(0, Math.min(deepest, Math.ceil(Math.log2(SMALLEST_PX)))),
    getTileUrl: (level, x, y) => `${url}/${2 ** (deepest - level)}/${x}_${y}.png?${ticket}`,
  };
}
