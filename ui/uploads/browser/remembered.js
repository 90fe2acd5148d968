// What the browser keeps of uploads: which were begun, so that they go on, and what has arrived in this tab.

const KEPT_MS = 7 * 24 * 3600 * 1000;
const KEY = "halorow-uploads";

/** Read something; without a place to keep things there is nothing. */
function kept(storage, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(KEY)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(storage, value) {
  try {
    window[storage].setItem(KEY, JSON.stringify(value));
  } catch {
    // Private windows may have none: then an upload does not survive a reload.
  }
}

/** Return the upload that a file was begun with, also before the page was loaded anew. */
export function recalled(fingerprint) {
  return kept("localStorage", {})[fingerprint]?.id ?? null;
}

/** Remember with which upload a file was begun; null forgets it. */
export function recall(fingerprint, id) {
  const all = Object.entries(kept("localStorage", {}));
  const fresh = all.filter(([key, { at }]) => key !== fingerprint && Date.now() - at < KEPT_MS);
  if (id) fresh.push([fingerprint, { id, at: Date.now() }]);
  keep("localStorage", Object.fromEntries(fresh));
}

/** Return what had arrived before this tab was loaded anew. */
export function restored(user) {
  return kept("sessionStorage", {})[user] ?? [];
}

/** Remember what has arrived. */
export function remember(user, items) {
  const done = items.filter((item) => item.done).map((item) => ({ done: item.done }));
  keep("sessionStorage", { [user]: done });
}
