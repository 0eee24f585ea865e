/**
 * A body handed on while it comes, its bytes collected beside it.
 *
 * Of a Node stream the caller gets the very object that the adapter handed over, so that it ends, fails and is cancelled
 * as ever. A stream of our own behind it would not: http.js only emits what it fails with, and Node's `pipeline` aborts
 * the `req` of a stream that shows one. What is kept is what the source pushes, not what is read from it: `setEncoding`,
 * `unshift` and a caller who writes to its chunks do not change it.
 */
import { errorMonitor } from 'node:events';
import type { Readable } from 'node:stream';

/** What became of a captured body. `done` gets it exactly once. */
export type Captured = { complete: true; bytes: Uint8Array } | { complete: false; reason: string };

export interface CaptureLimits {
  /** Beyond so many bytes nothing is kept; the stream goes on. */
  maxBytes: number;
  /** How many are announced (Content-Length); others may come: it counts those of a compressed body. */
  expected?: number | undefined;
}

const NO_ROOM = Buffer.alloc(0);
/** As much as is set aside on the word of an origin; memory is only taken where something is written to it. */
const MOST_EXPECTED = 64 * 1024 * 1024;

export function captureStream(
  source: Readable,
  limits: CaptureLimits,
  done: (result: Captured) => void,
): Readable;
export function captureStream(
  source: ReadableStream,
  limits: CaptureLimits,
  done: (result: Captured) => void,
): ReadableStream;
export function captureStream(
  source: Readable | ReadableStream,
  limits: CaptureLimits,
  done: (result: Captured) => void,
): Readable | ReadableStream;
export function captureStream(
  source: Readable | ReadableStream,
  limits: CaptureLimits,
  done: (result: Captured) => void,
): Readable | ReadableStream {
  const collector = new Collector(limits, done);
  return isWebStream(source) ? captureWeb(source, collector) : captureReadable(source, collector);
}

function isWebStream(stream: Readable | ReadableStream): stream is ReadableStream {
  return 'getReader' in stream;
}

/** Keeps what comes until the end, the limit or a failure, whichever comes first, and reports that one only. */
class Collector {
  readonly #limits: CaptureLimits;
  readonly #done: (result: Captured) => void;
  /**
   * Where the announced bytes go, all but joined: set aside with the second chunk, since the first is what a caller waits
   * for, and much memory at once may have the garbage collector come first.
   */
  #room = NO_ROOM;
  #inRoom = 0;
  /** What is not there: the first chunk, or all after the room is full. */
  #chunks: Uint8Array[] | undefined = [];
  #size = 0;

  constructor(limits: CaptureLimits, done: (result: Captured) => void) {
    this.#limits = limits;
    this.#done = done;
  }

  /** `shared`: the caller gets the same memory, and may write to it. */
  take(chunk: unknown, shared: boolean): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) {
      this.fail('not a stream of bytes');
      return;
    }
    const before = this.#size;
    this.#size += bytes.byteLength;
    if (this.#size > this.#limits.maxBytes) {
      this.fail('too large');
      return;
    }
    const [first] = chunks;
    if (first !== undefined && first.byteLength === before) this.#makeRoom(first, chunks);
    if (this.#inRoom === before && this.#size <= this.#room.length) {
      this.#room.set(bytes, this.#inRoom);
      this.#inRoom = this.#size;
    } else {
      chunks.push(shared && bytes === chunk ? Buffer.from(bytes) : bytes);
    }
  }

  #makeRoom(first: Uint8Array, chunks: Uint8Array[]): void {
    const { expected = 0, maxBytes } = this.#limits;
    if (!(expected >= this.#size && expected <= Math.min(maxBytes, MOST_EXPECTED))) return;
    this.#room = Buffer.allocUnsafeSlow(expected);
    this.#room.set(first);
    this.#inRoom = first.byteLength;
    chunks.length = 0;
  }

  end(): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    this.#chunks = undefined;
    this.#done({ complete: true, bytes: this.#joined(chunks) });
  }

  #joined(chunks: readonly Uint8Array[]): Uint8Array {
    const [first] = chunks;
    if (first !== undefined) return this.#size === first.length ? first : this.#concat(chunks);
    return this.#inRoom === this.#room.length ? this.#room : this.#concat([]);
  }

  #concat(chunks: readonly Uint8Array[]): Buffer {
    return Buffer.concat([this.#room.subarray(0, this.#inRoom), ...chunks]);
  }

  fail(reason: string): void {
    if (this.#chunks === undefined) return;
    this.#chunks = undefined;
    this.#room = NO_ROOM;
    this.#done({ complete: false, reason });
  }
}

function captureReadable(source: Readable, collector: Collector): Readable {
  const isNew = source.readableEncoding === null && !source.readableDidRead && !source.destroyed;
  const ahead = isNew ? bufferedIn(source) : undefined;
  if (ahead === undefined) {
    collector.fail('already decoded, read or destroyed'); // its bytes can't be had any more
    return source;
  }
  for (const chunk of ahead) collector.take(chunk, true);
  collectPushes(source, collector);
  // Ours leave the caller as many as it had: axios alone adds up to five of ten.
  const most = source.getMaxListeners();
  if (most > 0) source.setMaxListeners(most + 1);
  // Hears of errors without being one who listens for them: what nobody handles stays unhandled.
  source.once(errorMonitor, (error: unknown) => collector.fail(reasonOf(error)));
  source.once('close', () => collector.fail('closed'));
  source.once('end', () => {
    if (isWhole(source)) collector.end();
    else collector.fail('incomplete');
  });
  // Nobody need read a body that is empty.
  if (source.readableLength === 0 && 'complete' in source && source.complete === true) collector.end();
  return source;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An `end` that is only emitted is not the stream's own; and Node marks a message whose body was cut short. */
function isWhole(source: Readable): boolean {
  return source.readableEnded && !('complete' in source && source.complete === false);
}

function collectPushes(source: Readable, collector: Collector): void {
  const { push } = source;
  Object.defineProperty(source, 'push', {
    configurable: true,
    writable: true,
    value(chunk: unknown, encoding?: BufferEncoding): boolean {
      if (chunk !== null) collector.take(asPushed(chunk, encoding, source), true);
      return push.call(source, chunk, encoding);
    },
  });
}

/** Text as the bytes that a stream of bytes makes of it. */
function asPushed(chunk: unknown, encoding: BufferEncoding | undefined, source: Readable): unknown {
  if (typeof chunk !== 'string' || source.readableObjectMode) return chunk;
  return Buffer.from(chunk, encoding ?? (insideOf(source).defaultEncoding as BufferEncoding | undefined));
}

/** What has come although nobody reads yet. Undefined: it can't be seen; Node shows it only to who takes it. */
function bufferedIn(source: Readable): readonly unknown[] | undefined {
  if (source.readableLength === 0) return [];
  const { buffer } = insideOf(source);
  if (!isIterable(buffer)) return undefined;
  const chunks = [...buffer].filter((chunk) => chunk !== null); // what was taken already
  const size = source.readableObjectMode ? chunks.length : sizeOf(chunks);
  return size === source.readableLength ? chunks : undefined;
}

function sizeOf(chunks: readonly unknown[]): number {
  return chunks.reduce<number>(
    (sum, chunk) => sum + (chunk instanceof Uint8Array ? chunk.byteLength : Number.NaN),
    0,
  );
}

function insideOf(source: Readable): { buffer?: unknown; defaultEncoding?: unknown } {
  return ('_readableState' in source ? source._readableState : undefined) ?? {};
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function captureWeb(source: ReadableStream, collector: Collector): ReadableStream {
  const isBytes = isByteStream(source);
  const reader = source.getReader();
  const relay = {
    start(controller: ReadableStreamDefaultController | ReadableByteStreamController): void {
      reader.closed.catch((error: unknown) => {
        collector.fail(reasonOf(error));
        // At once: who waits for the end, and does not read, learns of it too.
        controller.error(error);
      });
    },
    async pull(controller: ReadableStreamDefaultController | ReadableByteStreamController): Promise<void> {
      const { done, value } = await reader.read();
      if (done) {
        collector.end();
        controller.close();
        if ('byobRequest' in controller) controller.byobRequest?.respond(0);
        return;
      }
      collector.take(value, !isBytes);
      // A byte stream takes the memory over, so it gets a copy and the collector keeps the original.
      controller.enqueue(isBytes ? new Uint8Array(value) : value);
    },
    async cancel(reason: unknown): Promise<void> {
      collector.fail('cancelled');
      await reader.cancel(reason);
    },
  };
  // Nothing is read ahead: the caller's pace is the source's.
  return isBytes
    ? new ReadableStream({ type: 'bytes', ...relay })
    : new ReadableStream(relay, { highWaterMark: 0 });
}

/** As a real response's body is; there is no other way to ask. */
function isByteStream(stream: ReadableStream): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
