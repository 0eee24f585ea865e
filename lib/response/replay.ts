/** Kept bytes as a stream of the caller's own. */
import { Readable } from 'node:stream';
import type { InternalAxiosRequestConfig } from 'axios';
import { asBuffer, copyBytes } from './bytes.js';
import { contentLengthError, onCancel } from './errors.js';
import type { BodySource } from './types.js';

const CHUNK_BYTES = 64 * 1024;

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

class Replay extends Readable {
  readonly #chunks: Chunks;
  readonly #config: InternalAxiosRequestConfig;
  readonly #request: unknown;
  #forget: () => void = nothing;

  constructor(source: BodySource, config: InternalAxiosRequestConfig, request: unknown) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#chunks = new Chunks(source.body, source.owned !== true);
    this.#config = config;
    this.#request = request;
    this.#forget = onCancel(config, (error) => this.destroy(asError(error)));
  }

  override _read(): void {
    // http.js lets a stream begin and fails it where it crosses the limit.
    if (this.#chunks.exceeds(this.#config.maxContentLength)) {
      this.destroy(contentLengthError(this.#config, this.#request));
      return;
    }
    this.push(this.#chunks.next() ?? null);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#forget();
    callback(error);
  }
}

function nothing(): void {}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** What http.js gives for `responseType: 'stream'`. */
export function replayReadable(
  source: BodySource,
  config: InternalAxiosRequestConfig,
  request?: unknown,
): Readable {
  return new Replay(source, config, request);
}

/** What fetch.js gives for `responseType: 'stream'`: a byte stream, as a real response's body is. */
export function replayWebStream(
  source: BodySource,
  config: InternalAxiosRequestConfig,
  request?: unknown,
): ReadableStream<Uint8Array> {
  const chunks = new Chunks(source.body, false);
  let forget: () => void = nothing;
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      forget = onCancel(config, (error) => controller.error(error));
    },
    pull(controller) {
      if (chunks.exceeds(config.maxContentLength)) {
        forget();
        controller.error(contentLengthError(config, request));
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
}
