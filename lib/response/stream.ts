/**
 * A stream handed on while it comes, its bytes collected beside it.
 *
 * The caller gets a Transform behind the source rather than the source with a listener on it: a `data` listener sees
 * what is consumed, which `setEncoding` and `unshift` change, and overriding `push` misses what was buffered before.
 * What users read from an http response's stream (`statusCode`, `headers`, `req`, ...) is passed through.
 */
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { showMessage } from './message.js';

/** What became of a captured body. `done` gets it exactly once. */
export type Captured = { complete: true; bytes: Uint8Array } | { complete: false; reason: string };

export interface CaptureLimits {
  /** Beyond so many bytes nothing is kept; the stream goes on. */
  maxBytes: number;
}

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
  { maxBytes }: CaptureLimits,
  done: (result: Captured) => void,
): Readable | ReadableStream {
  const collector = new Collector(maxBytes, done);
  return isWebStream(source) ? captureWeb(source, collector) : captureReadable(source, collector);
}

function isWebStream(stream: Readable | ReadableStream): stream is ReadableStream {
  return 'getReader' in stream;
}

/** Keeps chunks until the end, the limit or a failure, whichever comes first, and reports that one only. */
class Collector {
  readonly #maxBytes: number;
  readonly #done: (result: Captured) => void;
  #chunks: Uint8Array[] | undefined = [];
  #size = 0;

  constructor(maxBytes: number, done: (result: Captured) => void) {
    this.#maxBytes = maxBytes;
    this.#done = done;
  }

  /** `shared`: the caller gets the same memory, and may write to it. */
  take(chunk: unknown, shared: boolean): void {
    if (this.#chunks === undefined) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) {
      this.fail('not a stream of bytes');
      return;
    }
    this.#size += bytes.byteLength;
    if (this.#size > this.#maxBytes) {
      this.fail('too large');
      return;
    }
    this.#chunks.push(shared && bytes === chunk ? Buffer.from(bytes) : bytes);
  }

  end(): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    this.#chunks = undefined;
    this.#done({
      complete: true,
      bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
    });
  }

  fail(reason: string): void {
    if (this.#chunks === undefined) return;
    this.#chunks = undefined;
    this.#done({ complete: false, reason });
  }
}

class Tap extends Transform {
  readonly #source: Readable;
  readonly #collector: Collector;

  constructor(source: Readable, collector: Collector) {
    super({
      readableHighWaterMark: source.readableHighWaterMark,
      writableHighWaterMark: source.readableHighWaterMark,
      readableObjectMode: source.readableObjectMode,
      writableObjectMode: source.readableObjectMode,
    });
    this.#source = source;
    this.#collector = collector;
  }

  override _transform(chunk: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#collector.take(chunk, true);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    // Node marks a message whose body was cut short, though it normally fails too.
    if ('complete' in this.#source && this.#source.complete === false) this.#collector.fail('incomplete');
    else this.#collector.end();
    callback();
  }
}

function captureReadable(source: Readable, collector: Collector): Readable {
  if (source.readableEncoding !== null) {
    collector.fail('already decoded'); // its bytes can't be had any more
    return source;
  }
  const tap = new Tap(source, collector);
  passMessage(source, tap);
  // Carries the source's error on to the tap, and the tap's destruction back to the source.
  pipeline(source, tap, (error) => {
    if (error) collector.fail(error.message);
  });
  return tap;
}

function passMessage(source: Readable, tap: Readable): void {
  if (!('statusCode' in source)) return;
  showMessage(source, tap);
  source.once('aborted', () => {
    // First the reason: who waits for the end takes 'aborted' without one for a premature close.
    if (source.errored !== null) tap.destroy(source.errored);
    tap.emit('aborted');
  });
}

function captureWeb(source: ReadableStream, collector: Collector): ReadableStream {
  const isBytes = isByteStream(source);
  const reader = source.getReader();
  reader.closed.catch((error: unknown) =>
    collector.fail(error instanceof Error ? error.message : String(error)),
  );
  const relay = {
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
