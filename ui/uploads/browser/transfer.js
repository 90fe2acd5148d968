// An upload as the service knows it: begun there, sent there or straight to a bucket, ended with a checksum.

import { Anew, Lost, ask, problemOf } from "./asking.js";
import { recall, recalled } from "./remembered.js";

export class Transfer {
  /** Of a file; `moved` is told how many bytes are there while they go out. */
  constructor(engine, file, moved) {
    Object.assign(this, { engine, file, moved, upload: null, xhr: null, isStopped: false });
  }

  /** Return how many bytes the store has; an upload that is not there (any more) is begun. Raises Lost, Anew. */
  async whereItStands() {
    if (this.upload) {
      const known = this.upload.session ? await this.#askBucket() : null;
      if (known !== null) return known;
      const answer = await this.#ask("HEAD", this.upload.links.GET);
      if (answer.status === 200) {
        this.upload.crc32c = answer.header("Upload-Crc32c");
        return Number(answer.header("Upload-Offset"));
      }
      if (answer.status === 404) throw new Anew();
      if (answer.status !== 403) throw problemOf(answer);
    }
    return this.#begin();
  }

  /** Send bytes; return where the upload stands then. */
  async send(start, end) {
    const body = this.file.slice(start, end);
    const sent = (loaded) => this.moved(start + Math.min(loaded, end - start));
    if (this.upload.session) {
      const headers = { "Content-Range": `bytes ${start}-${end - 1}/${this.file.size}` };
      const offset = this.#offsetIn(await this.#ask("PUT", this.upload.session, { body, headers, sent }));
      return offset ?? this.whereItStands();
    }
    const headers = { "Upload-Offset": String(start), "Content-Type": "application/offset+octet-stream" };
    const answer = await this.#ask("PATCH", this.upload.links.PATCH, { body, headers, sent });
    if (answer.status === 204) return Number(answer.header("Upload-Offset"));
    if ([403, 404, 409].includes(answer.status)) return this.whereItStands();
    throw problemOf(answer);
  }

  /** Have the service make an input of what it has; return what it says of it. */
  async end(crc32c) {
    const answer = await this.#ask("POST", this.upload.links.POST, { body: JSON.stringify({ crc32c }) });
    if (answer.status === 422) this.forget();
    if (answer.status !== 200) throw problemOf(answer);
    this.forget();
    return JSON.parse(answer.text);
  }

  /** Have the service remove what it has, and wait for that. */
  async discard() {
    await this.#ask("DELETE", this.upload.links.DELETE);
  }

  /** Stop sending, and have the service remove what it has. */
  cancel() {
    const { upload } = this;
    this.stop();
    if (!upload) return;
    ask(null, "DELETE", upload.links.DELETE).catch(() => {});
    this.forget();
  }

  stop() {
    this.isStopped = true;
    this.xhr?.abort();
  }

  /** Begin anew the next time. */
  forget() {
    recall(this.#fingerprint(), null);
    this.upload = null;
  }

  async #begin() {
    const { name, size: size_bytes } = this.file;
    const resume = this.upload?.id ?? recalled(this.#fingerprint());
    const answer = await this.#ask("POST", this.engine.begin, { body: JSON.stringify({ name, size_bytes, resume }) });
    if (answer.status !== 201) throw problemOf(answer);
    this.upload = JSON.parse(answer.text);
    recall(this.#fingerprint(), this.upload.id);
    return this.upload.offset;
  }

  /** Ask the bucket itself how far a session is; null where its answer cannot be read from this page. */
  async #askBucket() {
    const headers = { "Content-Range": `bytes */${this.file.size}` };
    try {
      return this.#offsetIn(await this.#ask("PUT", this.upload.session, { headers }));
    } catch (problem) {
      if (problem instanceof Anew) throw problem;
      return null;
    }
  }

  #offsetIn(answer) {
    if (answer.status === 200 || answer.status === 201) return this.file.size;
    if ([404, 410, 499].includes(answer.status)) throw new Anew();
    if (answer.status !== 308) throw new Lost(`The bucket answered ${answer.status}.`);
    const found = /bytes=0-(\d+)/.exec(answer.header("Range") ?? "");
    return found ? Number(found[1]) + 1 : null;
  }

  #ask(method, url, more) {
    if (this.isStopped) throw new Lost("");
    return ask(this, method, url, more);
  }

  #fingerprint() {
    return [this.engine.user, this.file.name, this.file.size, this.file.lastModified].join("\n");
  }
}
