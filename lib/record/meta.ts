import { CacheRecordError } from '../errors.js';

/*
 * The container of a binary record: moments (float64), numbers (varints) and strings, then the body.
 * All strings are one run of text, read by one native call and cut up by their lengths: a call per string
 * would cost more than all the rest. Text is Latin-1 where it fits, else UTF-16, so that lone surrogates survive.
 *
 *   u32 bytes of numbers · u32 count of moments · u32 bytes of text · u8 bytes per character (1 or 2)
 *   moments · numbers · text · body
 */
const HEAD = 13;
const MOMENT = 8;
const MAX_NUMBER = 0xffffffff;
const beyondLatin1 = /[\u0100-\uffff]/;

/** Collects the values of one record in order; `finish` lays them out with the body. */
export class MetaWriter {
  readonly #moments: number[] = [];
  readonly #numbers: number[] = [];
  #text = '';

  /** Ms since the epoch; any finite number. */
  moment(value: number): void {
    if (!Number.isFinite(value)) throw new CacheRecordError(`A moment must be a finite number, got ${value}`);
    this.#moments.push(value);
  }

  /** A count, a length or a small code. */
  number(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > MAX_NUMBER) {
      throw new CacheRecordError(`A number must be an integer from 0 to 2^32 - 1, got ${value}`);
    }
    this.#numbers.push(value);
  }

  string(value: string): void {
    if (typeof value !== 'string')
      throw new CacheRecordError(`A field must be a string, got ${typeof value}`);
    this.#numbers.push(value.length);
    this.#text += value;
  }

  /** One allocation: `reserve` free bytes, the values, the body. */
  finish(reserve: number, body: Uint8Array): Buffer {
    const wide = beyondLatin1.test(this.#text);
    const textBytes = wide ? this.#text.length * 2 : this.#text.length;
    let numberBytes = 0;
    for (const value of this.#numbers) numberBytes += varintBytes(value);

    const size = reserve + HEAD + this.#moments.length * MOMENT + numberBytes + textBytes;
    // Not from Buffer's pool: a small record kept in memory would hold 8 KiB of it.
    const out = Buffer.allocUnsafeSlow(size + body.length);
    out.writeUInt32LE(numberBytes, reserve);
    out.writeUInt32LE(this.#moments.length, reserve + 4);
    out.writeUInt32LE(textBytes, reserve + 8);
    out[reserve + 12] = wide ? 2 : 1;
    let at = reserve + HEAD;
    for (const value of this.#moments) at = out.writeDoubleLE(value, at);
    for (const value of this.#numbers) at = writeVarint(out, at, value);
    out.write(this.#text, at, wide ? 'utf16le' : 'latin1');
    out.set(body, size);
    return out;
  }
}

/** Hands the values out in the order they were written; throws `CacheRecordError` wherever the bytes do not add up. */
export class MetaReader {
  readonly #bytes: Buffer;
  readonly #text: string;
  readonly #momentsEnd: number;
  readonly #numbersEnd: number;
  readonly #bodyAt: number;
  #momentAt: number;
  #numberAt: number;
  #textAt = 0;

  constructor(bytes: Buffer) {
    if (bytes.length < HEAD) throw malformed();
    const numberBytes = bytes.readUInt32LE(0);
    const moments = bytes.readUInt32LE(4);
    const textBytes = bytes.readUInt32LE(8);
    const width = bytes[12];
    this.#momentAt = HEAD;
    this.#momentsEnd = HEAD + moments * MOMENT;
    this.#numberAt = this.#momentsEnd;
    this.#numbersEnd = this.#momentsEnd + numberBytes;
    this.#bodyAt = this.#numbersEnd + textBytes;
    // Checked before anything is read or allocated by these lengths.
    if (this.#bodyAt > bytes.length || (width !== 1 && width !== 2) || textBytes % width !== 0)
      throw malformed();
    this.#bytes = bytes;
    this.#text = bytes.toString(width === 1 ? 'latin1' : 'utf16le', this.#numbersEnd, this.#bodyAt);
  }

  moment(): number {
    const at = this.#momentAt;
    if (at === this.#momentsEnd) throw malformed();
    this.#momentAt = at + MOMENT;
    const value = this.#bytes.readDoubleLE(at);
    if (!Number.isFinite(value)) throw malformed();
    return value;
  }

  number(): number {
    if (this.#numberAt === this.#numbersEnd) throw malformed();
    const first = this.#bytes[this.#numberAt++] ?? 0;
    return first < 0x80 ? first : this.#longNumber(first);
  }

  #longNumber(first: number): number {
    let value = first & 0x7f;
    for (let scale = 0x80; scale <= 2 ** 28; scale *= 0x80) {
      if (this.#numberAt === this.#numbersEnd) throw malformed();
      const byte = this.#bytes[this.#numberAt++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw malformed();
  }

  /** How many items follow; each takes at least one byte, so a hostile count is refused before it is looped over. */
  count(): number {
    const value = this.number();
    if (value > this.#numbersEnd - this.#numberAt) throw malformed();
    return value;
  }

  string(): string {
    const from = this.#textAt;
    const to = from + this.number();
    if (to > this.#text.length) throw malformed();
    this.#textAt = to;
    return this.#text.slice(from, to);
  }

  /** The body, as a view; only when everything before it has been read. */
  body(): Buffer {
    const done =
      this.#momentAt === this.#momentsEnd &&
      this.#numberAt === this.#numbersEnd &&
      this.#textAt === this.#text.length;
    if (!done) throw malformed();
    return this.#bytes.subarray(this.#bodyAt);
  }
}

function malformed(): CacheRecordError {
  return new CacheRecordError('The record is malformed: its lengths do not add up');
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

function writeVarint(out: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[at++] = rest;
  return at;
}
