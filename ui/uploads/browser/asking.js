// Questions over HTTP that may take long, and what is said where they are not answered as they should be.

const SILENCE_MS = 30000; // no byte goes out for so long: the line is dead, whatever the system still hopes for
const ANSWER_MS = 120000;
const PASSING = [429, 502, 503, 504];

/** The line is down, or the service is: another try may succeed. */
export class Lost extends Error {}

/** The upload cannot go on where it was, and begins anew. */
export class Anew extends Error {}

/** Ask something. Raises Lost where no answer comes; any answer is returned. `asks` gets the request, to abort it. */
export function ask(asks, method, url, { body = null, headers = {}, sent = null } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer = null;
    const watch = (patience_ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), patience_ms);
    };
    const lost = () => {
      clearTimeout(timer);
      reject(new Lost("The connection was lost."));
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      watch(event.loaded < event.total ? SILENCE_MS : ANSWER_MS);
      if (sent) sent(event.loaded);
    };
    xhr.onload = () => {
      clearTimeout(timer);
      resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), text: xhr.responseText });
    };
    xhr.onerror = lost;
    xhr.onabort = lost;
    if (asks) asks.xhr = xhr;
    watch(body ? SILENCE_MS : ANSWER_MS);
    xhr.send(body);
  });
}

/** Return what the service said, as an error of the right kind. */
export function problemOf(answer) {
  let said = "";
  try {
    said = JSON.parse(answer.text).error;
  } catch {
    said = `The server answered ${answer.status}.`;
  }
  const Kind = PASSING.includes(answer.status) ? Lost : Error;
  return new Kind(said);
}
