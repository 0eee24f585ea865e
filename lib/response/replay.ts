/** Kept bytes as a stream of the caller's own. */
import { Readable } from 'node:stream';
import type { InternalAxiosRequestConfig } from 'axios';
import { asBuffer, copyBytes } from './bytes.js';
import { contentLengthError, fetchCancellation, onCancel } from './errors.js';
import { showMessage } from './message.js';
import type { BodySource } from './types.js';

/** Whom a stream is for: its config's signal, token and limit go on holding while it is read. */
export interface StreamOwner {
  config: InternalAxiosRequestConfig;
  /** For the errors. */
  request?: unknown;
}

const CHUNK_BYTES = 64 * 1024;

/** What ends a stream's obedience to its owner's signal and token. */
const leashes = new WeakMap<object, () => void>();

/** For a stream that its owner gets with an error: like axios' own it no longer obeys, since nobody need read it. */
export function letGo(stream: unknown): void {
  if (typeof stream === 'object' && stream !== null) leashes.get(stream)?.();
}

/** Cuts a body into chunks, copied only as they are asked for. */
class Chunks {
  readonly #body: Uint8Array;
  readonly #copies: boolean;
  #at = 0;

  constructor(body: Uint8Array, copies: boolean) {
    this.#body = body;
    this.#copies = copies;
  }

  next(): Buffer | undefined {
    if (this.#at >= this.#body.byteLength) return undefined;
    const part = this.#body.subarray(this.#at, this.#at + CHUNK_BYTES);
    this.#at += part.byteLength;
    return this.#copies ? copyBytes(part) : asBuffer(part);
  }

  /** Whether the next chunk would go beyond `limit` bytes. */
  exceeds(limit: number | undefined): boolean {
    if (limit === undefined || !(limit > -1)) return false;
    return Math.min(this.#at + CHUNK_BYTES, this.#body.byteLength) > limit;
  }
}

/** Ends, fails and is cancelled as the http.IncomingMessage in whose place it is. */
class Replay extends Readable {
  aborted = false;
  readonly #chunks: Chunks;
  readonly #owner: StreamOwner | undefined;
  #forget: () => void = nothing;

  constructor(source: BodySource, owner: StreamOwner | undefined) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#chunks = new Chunks(source.body, source.owned !== true);
    this.#owner = owner;
    if (owner === undefined) return;
    this.#forget = onCancel(owner.config, (error) => this.#cancel(error), owner.request);
    leashes.set(this, this.#forget);
  }

  /** http.js tells who listens, whatever they throw (`abort`), and destroys without the error. */
  #cancel(error: unknown): void {
    try {
      if (this.listenerCount('error') > 0) this.emit('error', error);
    } catch {
      // as in http.js
    }
    this.destroy();
  }

  override _read(): void {
    const owner = this.#owner;
    // http.js lets a stream begin and fails it where it crosses the limit.
    if (owner !== undefined && this.#chunks.exceeds(owner.config.maxContentLength)) {
      this.destroy(contentLengthError(owner.config, owner.request));
      return;
    }
    this.push(this.#chunks.next() ?? null);
  }

  override _destroy(error: Error | null, callback: Destroyed): void {
    this.#forget();
    if (!this.readableEnded) {
      this.aborted = true;
      this.emit('aborted');
    }
    process.nextTick(tellError, this, error, callback);
  }
}

type Destroyed = (error?: Error | null) => void;

/** An error that nobody listens for is no uncaught exception: _http_incoming.js, `onError`. */
function tellError(stream: Readable, error: Error | null, callback: Destroyed): void {
  callback(stream.listenerCount('error') > 0 ? error : null);
}

function nothing(): void {}

/** What http.js gives for `responseType: 'stream'`. */
export function replayReadable(source: BodySource, owner?: StreamOwner): Readable {
  const stream = new Replay(source, owner);
  // Unless it decompresses, http.js hands over the IncomingMessage itself.
  const message = messageOf(owner?.request);
  if (message !== undefined) showMessage(message, stream);
  return stream;
}

function messageOf(request: unknown): object | undefined {
  if (typeof request !== 'object' || request === null || !('res' in request)) return undefined;
  return typeof request.res === 'object' && request.res !== null ? request.res : undefined;
}

/** What fetch.js gives for `responseType: 'stream'`: a byte stream, as a real response's body is. */
export function replayWebStream(source: BodySource, owner?: StreamOwner): ReadableStream<Uint8Array> {
  const chunks = new Chunks(source.body, false);
  let forget: () => void = nothing;
  const stream = new ReadableStream({
    type: 'bytes',
    start(controller) {
      if (owner !== undefined)
        forget = onCancel(owner.config, (error) => controller.error(fetchCancellation(error, owner.config)));
    },
    pull(controller) {
      if (owner !== undefined && chunks.exceeds(owner.config.maxContentLength)) {
        forget();
        controller.error(contentLengthError(owner.config, owner.request));
        return;
      }
      const chunk = chunks.next();
      if (chunk !== undefined) {
        // A copy even of owned bytes: enqueuing takes the memory away from whoever holds it.
        controller.enqueue(copyBytes(chunk));
        return;
      }
      forget();
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() {
      forget();
    },
  });
  leashes.set(stream, forget);
  return stream;
}
