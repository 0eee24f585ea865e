import { hash } from 'node:crypto';
import { type Header, headerLength, type Parsed, parseHeader } from '../entry-format.js';
import { decodeKey } from '../stored-keys.js';
import { decodeTextKey } from '../text-keys.js';
import { isReply, type RedisArgument } from './client.js';
import type { Connection } from './connection.js';

/** The most commands sent at once. */
const BATCH = 500;
/** How many keys the server looks at for one page. */
const PAGE = '1000';
/** So much of an entry is read for its header; most have half of it. */
const HEADER_BYTES = 512;

/** A key as text, and the header of what is there; undefined: nothing is. */
export interface Seen {
  readonly text: string;
  readonly header: Parsed | undefined;
}

/** What is on the server under one prefix, as maintenance sees it: names and headers, never the values. */
export class RedisEntries {
  readonly prefix: string;
  readonly #connection: Connection;

  constructor(prefix: string, connection: Connection) {
    this.prefix = prefix;
    this.#connection = connection;
  }

  send(name: string, args: RedisArgument[]): Promise<unknown> {
    return this.#connection.send(name, args);
  }

  /** What follows the prefix in the names on the server, of those that pass; in pages, each once. */
  async *pages(isOurs: (text: string) => boolean): AsyncGenerator<string[], void, undefined> {
    const pattern = `${escapeGlob(this.prefix)}*`;
    // A scan may come upon a key twice, and so may those of two nodes between which it moves.
    const met = new Set<number>();
    for (const send of await this.#connection.masters()) {
      let cursor = '0';
      do {
        const page = await send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', PAGE]);
        const [next, names] = scanned(page);
        cursor = next;
        const texts: string[] = [];
        for (const name of names) {
          const text = name.startsWith(this.prefix) ? name.slice(this.prefix.length) : '';
          if (!isOurs(text)) continue;
          const mark = shortHash(text);
          if (met.has(mark)) continue;
          met.add(mark);
          texts.push(text);
        }
        if (texts.length > 0) yield texts;
      } while (cursor !== '0');
    }
  }

  async see(texts: readonly string[]): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const batch of batches(texts)) {
      const headers = await Promise.all(batch.map((text) => this.header(text)));
      for (const [at, text] of batch.entries()) seen.push({ text, header: headers[at] });
    }
    return seen;
  }

  async header(text: string): Promise<Parsed | undefined> {
    const name = this.prefix + text;
    const beginning = await this.#beginning(name, HEADER_BYTES);
    if (beginning === 'foreign') return beginning;
    const length = headerLength(beginning) ?? 0;
    const whole = length > beginning.length ? await this.#beginning(name, length) : beginning;
    if (whole === 'foreign') return whole;
    if (whole.length === 0) return undefined;
    const header = headerIn(whole);
    // Of another key: put there by somebody else.
    return isHeader(header) && decodeKey(header.key) !== decodeTextKey(text) ? 'foreign' : header;
  }

  /** Answers how many were there. */
  async unlink(texts: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const batch of batches(texts)) {
      const names = batch.map((text) => this.prefix + text);
      // The keys of one command must be on one server.
      const commands = this.#connection.isCluster ? names.map((name) => [name]) : [names];
      const counts = await Promise.all(commands.map((some) => this.send(some[0] ?? '', ['UNLINK', ...some])));
      for (const count of counts) deleted += Number(count);
    }
    return deleted;
  }

  async #beginning(name: string, length: number): Promise<Buffer | 'foreign'> {
    try {
      return asBuffer(await this.send(name, ['GETRANGE', name, '0', String(length - 1)]));
    } catch (error) {
      if (isWrongType(error)) return 'foreign';
      throw error;
    }
  }
}

export function isHeader(parsed: Parsed | undefined): parsed is Header {
  return typeof parsed === 'object';
}

/** Something that is no string is under the name. */
export function isWrongType(error: unknown): boolean {
  return isReply(error) && error.message.startsWith('WRONGTYPE ');
}

export function asBuffer(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new TypeError(`the server answered ${typeof reply} for bytes`);
}

/** A value in Redis is whole, so it has the length that its header says: that need not be asked. */
function headerIn(beginning: Buffer): Parsed {
  const start = headerLength(beginning);
  return parseHeader(beginning, start === undefined ? 0 : start + beginning.readDoubleLE(24));
}

function scanned(page: unknown): [next: string, names: string[]] {
  if (!Array.isArray(page) || !Array.isArray(page[1])) throw new TypeError('the server answered no page');
  return [String(page[0]), page[1].map(String)];
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

/** 52 bits: a million of these meet with a probability of one in ten thousand, and take 30 MB where names take 100. */
function shortHash(text: string): number {
  return Number.parseInt(hash('sha1', text).slice(0, 13), 16);
}

/** For commands that are sent at once, without waiting for the answers to those before. */
export function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH) yield items.slice(at, at + BATCH);
}
