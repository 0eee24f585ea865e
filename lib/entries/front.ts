import { native } from '../promises.js';
import type { Store } from '../stores/store.js';
import { HotRecords, type Loaded } from './hot.js';

/** A store that can tell when somebody else changed something. */
export type VersionedStore = Store & Required<Pick<Store, 'version'>>;

/** Without a version a store can't tell that another process wrote, so nothing may be trusted in front of it. */
export function isVersioned(store: Store): store is VersionedStore {
  return store.version !== undefined;
}

/** Hot records in front of a store: what it tells of others' changes is heeded. */
export class StoreFront extends HotRecords {
  readonly #store: VersionedStore;
  readonly #stop: unknown;
  #version: number | undefined;

  /** Throws where `onChange` does; `onFailure` is told when it fails later. */
  constructor(
    store: VersionedStore,
    limit: number,
    isFrozen: () => boolean,
    onFailure: (error: unknown) => void,
  ) {
    super(limit, isFrozen);
    this.#store = store;
    this.#stop = store.onChange?.((key) => {
      if (key === undefined) this.clear();
      else this.delete(key);
    });
    // By its type it answers at once; what a store in plain JavaScript rejects with must not end the process.
    const heard = native(this.#stop);
    if (heard instanceof Promise) heard.catch(onFailure);
  }

  override get(key: string): Loaded | undefined {
    // Before anything is read of the store: what is kept must not be older than the version it is kept under. NaN is none.
    if (this.#version === undefined || Number.isNaN(this.#version)) this.isCurrent();
    return super.get(key);
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
    if (typeof this.#stop === 'function') this.#stop();
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
}
