import type { Background } from './background.js';
import type { Collection } from './driver.js';
import { past } from './expiry.js';
import { type IndexSpec, MongoIndices, tryIndex } from './indices.js';

/** What every document of ours has, and none of the application's. */
export const OURS = { stash: 1 };
/** Documents in one command. */
export const PAGE = 1000;

const LOOKUPS: readonly IndexSpec[] = [
  { key: { url: 1 }, name: 'axios_stash_url' },
  // All that counting needs: no document is read for it, and so no value.
  { key: { stash: 1, expires: 1, index: 1, size: 1 }, name: 'axios_stash_expires' },
];

/** The server drops what is past its date; of our documents only: the application's may have such a field too. */
const NATIVE_EXPIRY: IndexSpec = {
  key: { drop: 1 },
  name: 'axios_stash_drop',
  expireAfterSeconds: 0,
  partialFilterExpression: OURS,
};

/** At least so long between two sweeps of our own, or two attempts to make the indices; ms. */
const PAUSE = 60_000;

/**
 * What is done behind writes: the indices are made, once; where the server refuses to drop documents by itself, as
 * FerretDB and some hosted services do, those past their date are swept away. Without a timer: a cache that nobody
 * writes to does not grow.
 */
export class MongoUpkeep {
  readonly #documents: Collection;
  readonly #lookups: MongoIndices;
  readonly #background: Background;
  readonly #failed: (error: unknown, reason: string) => void;
  readonly #clock: () => number;
  #expiry: 'unknown' | 'native' | 'own' = 'unknown';
  #isClosed = false;
  #next = Number.NEGATIVE_INFINITY;

  constructor(
    documents: Collection,
    background: Background,
    failed: (error: unknown, reason: string) => void,
    clock = () => performance.now(),
  ) {
    this.#documents = documents;
    this.#lookups = new MongoIndices(
      LOOKUPS.map((index) => [documents, index]),
      background,
      failed,
    );
    this.#background = background;
    this.#failed = failed;
    this.#clock = clock;
  }

  /** To be called with each write; does not wait. */
  afterWrite(): void {
    const now = this.#clock();
    if (this.#isClosed || this.#expiry === 'native' || now < this.#next) return;
    this.#next = now + PAUSE;
    this.#background.run(
      () => this.#work(),
      (error) => this.#failed(error, 'remove expired'),
    );
  }

  close(): void {
    this.#isClosed = true;
  }

  async #work(): Promise<void> {
    if (this.#expiry === 'unknown') await this.#makeIndices();
    if (this.#expiry !== 'own') return;
    const overdue = { ...OURS, drop: past(Date.now()) };
    await deleteWhere(this.#documents, overdue, () => !this.#isClosed);
  }

  async #makeIndices(): Promise<void> {
    if (!(await this.#lookups.make())) return;
    const { kind } = await tryIndex(this.#documents, NATIVE_EXPIRY);
    if (kind !== 'later') this.#expiry = kind === 'made' ? 'native' : 'own';
  }
}

/**
 * Deletes what matches, a page at a time, so that no command takes long however much there is; what is written
 * meanwhile must not match.
 */
export async function deleteWhere(
  documents: Collection,
  filter: object,
  goesOn = () => true,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    const found = await documents.find(filter, { projection: { _id: 1 }, limit: PAGE }).toArray();
    if (found.length > 0) {
      const page = { ...filter, _id: { $in: found.map(idOf) } };
      deleted += (await documents.deleteMany(page)).deletedCount;
    }
    if (found.length < PAGE || !goesOn()) return deleted;
  }
}

export function idOf(document: unknown): unknown {
  return typeof document === 'object' && document !== null && '_id' in document ? document._id : undefined;
}
