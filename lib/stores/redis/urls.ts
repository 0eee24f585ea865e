import { hash, randomBytes } from 'node:crypto';
import { decodeTextKey } from '../text-keys.js';
import { isReply } from './client.js';
import { batches, isHeader, isWrongType, type RedisEntries, type Seen } from './entries.js';
import { ADD, LIST_MARK, REMOVE } from './scripts.js';

/**
 * Which keys there are of a URL: for each URL one value that lists them, a line each: the key as text, a space, and
 * something that no other line has. What is listed need not be there, or of this URL still: whoever reads it looks.
 * But what is there is listed, whoever else writes at the same time:
 * - an entry is written before it is listed, and taken off the list before it is deleted;
 * - who finds an entry missing takes off the very line that was read, so not that of an entry written since.
 */
export class UrlIndex {
  readonly #entries: RedisEntries;
  readonly #onRefusal: (error: Error) => void;
  readonly #writer = randomBytes(6).toString('base64url');
  #lines = 0;
  #isRefused = false;
  #isTried = false;
  /** URLs whose lists are being looked through. */
  readonly #looking = new Set<string>();

  /** `onRefusal`: the server runs no scripts for us, so that nothing is listed. Called once. */
  constructor(entries: RedisEntries, onRefusal: (error: Error) => void) {
    this.#entries = entries;
    this.#onRefusal = onRefusal;
  }

  /** Whether what follows the prefix is the name of a list. */
  static isName(text: string): boolean {
    return /^url\.[0-9a-f]{32}$/.test(text);
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Lists what has been written. `lifetime`: ms; undefined: for ever. */
  async add(url: string, text: string, lifetime: number | undefined): Promise<void> {
    const line = `${text} ${this.#writer}${(this.#lines++).toString(36)}\n`;
    const answer = await this.#run(ADD, url, line, String(lifetime ?? -1));
    if (answer === 1) this.lookLater(url);
  }

  /** Takes off the lists what is to be deleted. */
  async forget(seen: readonly Seen[]): Promise<void> {
    const byUrl = new Map<string, string[]>();
    for (const { text, header } of seen) {
      if (!isHeader(header)) continue;
      const texts = byUrl.get(header.url);
      if (texts === undefined) byUrl.set(header.url, [text]);
      else texts.push(text);
    }
    for (const batch of batches([...byUrl])) {
      await Promise.all(batch.map(([url, texts]) => this.#takeOff(url, texts)));
    }
  }

  async #takeOff(url: string, texts: readonly string[]): Promise<void> {
    try {
      await this.#run(REMOVE, url, texts.join('\n'));
    } catch (error) {
      // A full server runs no script that writes, yet deletes; who reads the list finds them missing.
      if (!isReply(error)) throw error;
    }
  }

  /** The keys of a URL. */
  keysOf(url: string): Promise<string[]> {
    return this.#look(url, false);
  }

  /** Takes off a list what is not there any more, behind what is going on. */
  lookLater(url: string): void {
    if (this.#looking.has(url)) return;
    this.#looking.add(url);
    const done = () => this.#looking.delete(url);
    // If it fails, another time: who needs the server now is told.
    this.#look(url, true).then(done, done);
  }

  /** The keys of a URL. Takes off its list what is not there any more; `isDue`: and has it say when to look again. */
  async #look(url: string, isDue: boolean): Promise<string[]> {
    const { lines, idle } = await this.#read(url);
    const keys: string[] = [];
    for (const { text, header } of await this.#entries.see([...lines.keys()])) {
      const key = decodeTextKey(text);
      if (key !== undefined && isHeader(header) && header.url === url) keys.push(key);
      else idle.push(lines.get(text) ?? '');
    }
    // The answer does not depend on it, save that nothing may be listed if no scripts are run for us.
    if (idle.length > 0 || isDue || !this.#isTried) {
      await this.#run(REMOVE, url, idle.join('\n')).catch(() => {});
    }
    return keys;
  }

  /** The last line of each key, and the lines before it, which say nothing more. */
  async #read(url: string): Promise<{ lines: Map<string, string>; idle: string[] }> {
    const lines = new Map<string, string>();
    const idle: string[] = [];
    const list = await this.#get(this.#nameOf(url));
    if (!list.startsWith(LIST_MARK)) return { lines, idle };
    for (const line of list.slice(list.indexOf('\n') + 1).split('\n')) {
      if (line === '') continue;
      const text = line.slice(0, Math.max(line.indexOf(' '), 0));
      const older = lines.get(text);
      if (older !== undefined) idle.push(older);
      lines.set(text, line);
    }
    return { lines, idle };
  }

  async #get(name: string): Promise<string> {
    try {
      const list = await this.#entries.send(name, ['GET', name]);
      return Buffer.isBuffer(list) ? list.toString('latin1') : '';
    } catch (error) {
      if (isWrongType(error)) return '';
      throw error;
    }
  }

  #nameOf(url: string): string {
    return `${this.#entries.prefix}url.${hash('sha256', url).slice(0, 32)}`;
  }

  async #run(script: string, url: string, ...args: string[]): Promise<unknown> {
    if (this.#isRefused) return 0;
    const name = this.#nameOf(url);
    try {
      const answer = await this.#entries.send(name, ['EVAL', script, '1', name, ...args]);
      this.#isTried = true;
      return answer;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Two may have been on their way.
      const isNews = !this.#isRefused;
      this.#isRefused = true;
      if (isNews) this.#onRefusal(error);
      return 0;
    }
  }
}

/** For want of rights or of the command, of EVAL or of what the script calls; a full server (OOM) is none. */
function isRefusal(error: unknown): error is Error {
  return (
    isReply(error) &&
    /^NOPERM |^ERR .*(unknown command|can't run this command|ACL failure|not allowed|not supported|disabled)/i.test(
      error.message,
    )
  );
}
