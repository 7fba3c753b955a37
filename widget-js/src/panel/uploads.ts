// Files on their way up, before the message that names them is sent.

import { ProblemError, upload } from "../client/api.ts";
import { checkFile, type FileLimits } from "../client/file.ts";
import { newId } from "../client/id.ts";
import { limit, type Attachment } from "../protocol.ts";
import { said, uploadError } from "./words.ts";

export interface Upload {
  readonly id: string;
  readonly file: File;
  /** From 0 to 1. */
  readonly part: number;
  /** What it is, once it is up. */
  readonly attachment: Attachment | null;
  readonly error: string | null;
  /** Whether the same file may pass another time. */
  readonly mayRetry: boolean;
}

/** The bytes of what went up from this page, to be looked at before anybody else has it. */
export const atHand = new WeakMap<Attachment, File>();

export class Uploads {
  readonly #base: string;
  readonly #changed: () => void;
  readonly #failed: (text: string) => void;
  readonly #aborts = new Map<string, AbortController>();
  #items: readonly Upload[] = [];
  token = "";
  /** As the server last said them. */
  limits: FileLimits = { attachment_bytes_max: limit.attachment_bytes_max };

  constructor(base: string, changed: () => void, failed: (text: string) => void) {
    this.#base = base;
    this.#changed = changed;
    this.#failed = failed;
  }

  get items(): readonly Upload[] {
    return this.#items;
  }

  get isBusy(): boolean {
    return this.#items.some((item) => item.error === null && item.attachment === null);
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      if (this.#items.length >= limit.attachments_max) {
        this.#failed(said("file_most", { count: String(limit.attachments_max) }));
        break;
      }
      const item: Upload = { id: newId(), file, part: 0, attachment: null, error: null, mayRetry: false };
      this.#items = [...this.#items, item];
      void this.#run(item);
    }
    this.#changed();
  }

  retry(id: string): void {
    const item = this.#items.find((other) => other.id === id);
    if (item === undefined) return;
    this.#set(id, { error: null, part: 0 });
    void this.#run(item);
  }

  remove(id: string): void {
    this.#aborts.get(id)?.abort();
    this.#items = this.#items.filter((item) => item.id !== id);
    this.#changed();
  }

  /** What is up and may be named in a message, in the order in which it was added; it leaves the list. */
  take(): readonly Attachment[] {
    const ready = this.#items.flatMap(({ attachment }) => (attachment === null ? [] : [attachment]));
    this.#items = this.#items.filter((item) => item.attachment === null);
    return ready;
  }

  clear(): void {
    for (const abort of this.#aborts.values()) abort.abort();
    this.#items = [];
  }

  async #run(item: Upload): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(item.id, abort);
    try {
      await checkFile(item.file, this.limits);
      abort.signal.throwIfAborted();
      const attachment = await upload(this.#base, item.file, {
        token: this.token,
        signal: abort.signal,
        onProgress: (part) => this.#set(item.id, { part }),
      });
      atHand.set(attachment, item.file);
      this.#set(item.id, { part: 1, attachment });
    } catch (error) {
      const code = error instanceof ProblemError ? error.problem.code : null;
      const mayRetry = !(error instanceof ProblemError) || error.problem.retry === "later" || code === "too_many";
      this.#set(item.id, { error: this.#error(code), mayRetry });
    } finally {
      this.#aborts.delete(item.id);
    }
  }

  #error(code: Parameters<typeof uploadError>[0]): string {
    return uploadError(code, this.limits.attachment_bytes_max);
  }

  #set(id: string, change: Partial<Upload>): void {
    this.#items = this.#items.map((item) => (item.id === id ? { ...item, ...change } : item));
    this.#changed();
  }
}
