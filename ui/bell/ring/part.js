// Says in the tab's title how many notices are unread, and has the browser show those that have just come:
// each once, in however many tabs the page is open, and without a sound.

const REMEMBERED = "halorow-notified";
const MOST = 300;
const BELL = "__halorowBell";

function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(REMEMBERED) || "[]");
    return Array.isArray(ids) ? ids : [];
  } catch {
    return [];
  }
}

function show(notices) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  for (const { id, text } of notices) {
    const shown = remembered();
    if (shown.includes(id)) continue;
    localStorage.setItem(REMEMBERED, JSON.stringify([...shown, id].slice(-MOST)));
    try {
      const made = new Notification("halorow", { body: text, tag: id, silent: true });
      made.onclick = () => { window.focus(); made.close(); };
    } catch {
      return; // a browser that has them for service workers alone
    }
  }
}

/** The number before the title; Streamlit writes the title anew with every page. */
function titled(unread) {
  const plain = document.title.replace(/^\(\d+\) /, "");
  const wanted = unread ? `(${unread}) ${plain}` : plain;
  if (document.title !== wanted) document.title = wanted;
}

export default function ({ data }) {
  window[BELL]?.disconnect();
  titled(data.unread);
  const observer = new MutationObserver(() => titled(data.unread));
  observer.observe(document.querySelector("title"), { childList: true });
  window[BELL] = observer;
  show(data.show);
  return () => observer.disconnect();
}
