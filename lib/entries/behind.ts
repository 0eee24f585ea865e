/** What is on its way to a store that answers with promises: reads through the same store object see it already. */

import { keptAlive } from '../promises.js';
import type { RecordCodec } from '../record/codec.js';
import type { MaybePromise } from '../stores/store.js';
import type { Loaded } from './hot.js';

/** A store that takes writes more slowly than responses come must not fill the memory: beyond this they go unstored. */
const MAX_WRITES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;

interface Pending {
  /** Undefined: a delete. */
  loaded: Loaded | undefined;
  /** What it is written with, by one of the caches on this store. */
  codec: RecordCodec;
  settled: Promise<void>;
}

export class Behind {
  /** The last one of each key. */
  readonly #pending = new Map<string, Pending>();
  /** Work behind responses that will yet write. */
  readonly #work = new Set<Promise<unknown>>();
  #writes = 0;
  #bytes = 0;

  has(key: string): boolean {
    return this.#pending.size > 0 && this.#pending.has(key);
  }

  /** What will be there; undefined too where another cache writes it, and with secrets of its own. */
  get(key: string, codec: RecordCodec): Loaded | undefined {
    const pending = this.#pending.get(key);
    if (pending === undefined) return undefined;
    const isReadable = pending.codec === codec || !(pending.codec.isSealed || codec.isSealed);
    return isReadable ? pending.loaded : undefined;
  }

  /** What has to land before a change of these keys may; undefined: nothing. */
  before(keys: readonly string[]): Promise<unknown> | undefined {
    if (this.#pending.size === 0) return undefined;
    const settled = keys.flatMap((key) => this.#pending.get(key)?.settled ?? []);
    return settled.length === 0 ? undefined : Promise.all(settled);
  }

  /** What is on its way of a kind. */
  *loaded(): Generator<[string, Loaded]> {
    for (const [key, { loaded }] of this.#pending) if (loaded !== undefined) yield [key, loaded];
  }

  /** Whether a write of so many bytes may wait too; one that is alone always may. */
  hasRoomFor(bytes: number): boolean {
    return this.#writes === 0 || (this.#writes < MAX_WRITES && this.#bytes + bytes <= MAX_BYTES);
  }

  /** `done` must not reject. */
  add(key: string, loaded: Loaded | undefined, codec: RecordCodec, done: Promise<void>): void {
    const bytes = loaded === undefined ? 0 : sizeOf(loaded);
    const writes = loaded === undefined ? 0 : 1; // deletes are small, and none may be lost
    this.#writes += writes;
    this.#bytes += bytes;
    const settled = done.finally(() => {
      this.#writes -= writes;
      this.#bytes -= bytes;
      if (this.#pending.get(key)?.settled === settled) this.#pending.delete(key);
    });
    this.#pending.set(key, { loaded, codec, settled });
  }

  /** What `flush` is to wait for besides writes: work that has none yet, but will. */
  track(work: MaybePromise<unknown>): void {
    if (!(work instanceof Promise)) return;
    this.#work.add(work);
    const over = () => this.#work.delete(work);
    work.then(over, over);
  }

  /** Resolves when all there is has settled; not what comes meanwhile. */
  async flush(): Promise<void> {
    await keptAlive(Promise.allSettled(this.#work));
    await keptAlive(Promise.allSettled([...this.#pending.values()].map(({ settled }) => settled)));
  }
}

/** Bytes, as far as they count: those of a response's body. */
export function sizeOf({ source }: Loaded): number {
  return source?.body.byteLength ?? 0;
}
