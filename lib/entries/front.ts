import type { Store } from '../stores/store.js';
import { HotRecords, type Loaded } from './hot.js';

/** A store that can tell when somebody else changed something. */
export type VersionedStore = Store & Required<Pick<Store, 'version'>>;

/** Without a version a store can't tell that another process wrote, so nothing may be trusted in front of it. */
export function isVersioned(store: Store): store is VersionedStore {
  return store.version !== undefined;
}

/** Hot records in front of a store: what it tells of others' changes is heeded, and of use it is told. */
export class StoreFront extends HotRecords {
  readonly #store: VersionedStore;
  readonly #onFailure: (error: unknown, key: string) => void;
  readonly #stop: (() => void) | undefined;
  #version: number | undefined;

  /** `onFailure`: told when the store could not note that a key was used. */
  constructor(
    store: VersionedStore,
    limit: number,
    isFrozen: () => boolean,
    onFailure: (error: unknown, key: string) => void,
  ) {
    super(limit, isFrozen);
    this.#store = store;
    this.#onFailure = onFailure;
    this.#stop = store.onChange?.((key) => {
      if (key === undefined) this.clear();
      else this.delete(key);
    });
  }

  override get(key: string): Loaded | undefined {
    // Before anything is read of the store: what is kept must not be older than the version it is kept under. NaN is none.
    if (this.#version === undefined || Number.isNaN(this.#version)) this.isCurrent();
    const loaded = super.get(key);
    if (loaded !== undefined) this.#touch(key);
    return loaded;
  }

  protected override isCurrent(): boolean {
    const version = this.#presentVersion();
    if (version !== undefined && version === this.#version) return true;
    this.clear();
    this.#version = version;
    return false;
  }

  /** No more word of changes. */
  stop(): void {
    this.#stop?.();
  }

  #presentVersion(): number | undefined {
    try {
      const version: unknown = this.#store.version();
      if (typeof version === 'number') return version;
      // A store that answers with a promise can't tell: then nothing is trusted.
      if (version instanceof Promise) version.catch(() => {});
      return undefined;
    } catch {
      return undefined; // the read that follows meets the same failure and reports it
    }
  }

  #touch(key: string): void {
    try {
      const done: unknown = this.#store.touch?.(key);
      // By its type it answers at once; a store in plain JavaScript may not, and its rejection must not end the process.
      if (done instanceof Promise) done.catch((error: unknown) => this.#onFailure(error, key));
    } catch (error) {
      this.#onFailure(error, key);
    }
  }
}
