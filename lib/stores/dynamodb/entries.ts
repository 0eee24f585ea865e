import { CacheStoreError } from '../../errors.js';
import { inBatches } from './batches.js';
import { isMissingTable } from './errors.js';
import { type Entry, type Head, type Item, isNewer, parseHead, parsePartId, partIds } from './items.js';
import type { DynamoDBTable } from './table.js';

/** A write that has taken so long is given up, well before what it wrote counts as abandoned. Milliseconds. */
const WRITE_LIMIT = 600_000;
/** From what age on parts that no head names are abandoned. Much longer, for clocks that differ. Milliseconds. */
const ABANDONED_AFTER = 1_800_000;

const FREE = 'attribute_not_exists(#key)';
/** The cache's own, of a layout that is known here. */
export const OURS = '#stash <= :layout';
const WITHOUT_PARTS = 'attribute_not_exists(#parts)';

/** The attributes that are needed of what is to be deleted. */
export const DELETABLE = '#key, #stash, #generation, #size, #parts';
/** So many keys are deleted one by one: that takes one command each in place of two for all, one after the other. */
const FEW = 4;
/** What is read by one command. */
const READ_AT_ONCE = 100;
const SPLIT_AT_ONCE = 10;
const DAMAGED = 'is an entry that is not whole';

/**
 * Entries of one item or several. A reader gets a whole value or none, whatever others do meanwhile: parts are written
 * before the head that names them and deleted after it, and no two writes have parts of the same keys.
 */
export class DynamoDBEntries {
  readonly #table: DynamoDBTable;
  readonly #consistentRead: boolean;
  readonly #onLeftBehind: (error: unknown) => void;

  /** `onLeftBehind`: told when parts that belong to no entry any more could not be deleted. */
  constructor(table: DynamoDBTable, consistentRead: boolean, onLeftBehind: (error: unknown) => void) {
    this.#table = table;
    this.#consistentRead = consistentRead;
    this.#onLeftBehind = onLeftBehind;
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    let isConsistent = this.#consistentRead;
    let incomplete: string | undefined;
    for (let tries = 0; tries < 3; tries++) {
      const head = await this.#readHead(id, isConsistent);
      if (head === undefined) return undefined;
      // Still there, so its parts did not go because it was replaced.
      if (head.generation === incomplete) return this.#lost(head);
      const value = head.parts === 0 ? head.value : await this.#readParts(head, isConsistent);
      if (value?.byteLength === head.size) return value;
      if (head.parts === 0) throw this.#faulty(DAMAGED, id);
      // An eventual read may have missed parts that are there, or given a head that is no longer.
      if (isConsistent) incomplete = head.generation;
      isConsistent = true;
    }
    return undefined;
  }

  /** What is not the cache's is never overwritten: then it rejects with an error of the entry. */
  async write(entry: Entry): Promise<void> {
    await this.#writeParts(entry);
    // What is replaced must be known only where it has parts to delete; else it need not come over the network.
    let change = await this.#table.put(entry.head, `${FREE} OR (${OURS} AND ${WITHOUT_PARTS})`);
    if (!change.done) change = await this.#table.put(entry.head, `${FREE} OR ${OURS}`, true);
    if (!change.done) {
      await this.#drop(idsOf(entry));
      throw this.#faulty('is an item that is not from this cache, or from a newer version of it', entry.id);
    }
    const old = headOf(change.old);
    // A put that was answered, but of which the answer got lost, meets itself when the driver tries it again.
    if (old !== undefined && old.generation !== entry.generation) await this.#drop(partIds(old));
  }

  /** How many were there. */
  async delete(ids: readonly string[]): Promise<number> {
    if (ids.length <= FEW) {
      const gone = await Promise.all(ids.map((id) => this.#deleteOne(id)));
      return gone.filter(Boolean).length;
    }
    let deleted = 0;
    await inBatches(ids, READ_AT_ONCE, async (batch) => {
      const found = await this.#table.readSome(batch, DELETABLE);
      const gone = await this.deleteFound(found.filter(isOurs));
      deleted += gone.length;
    });
    return deleted;
  }

  /**
   * Deletes entries that were read just now, with the attributes of `DELETABLE`; resolves with those that went. What
   * replaced one of them meanwhile goes with it, if it was of one item.
   */
  async deleteFound(items: readonly Item[]): Promise<readonly Item[]> {
    const gone = items.filter((item) => !hasParts(item));
    await this.#table.deleteAll(gone.flatMap(({ key }) => key?.S ?? []));
    await inBatches(items.filter(hasParts), SPLIT_AT_ONCE, async (batch) => {
      const done = await Promise.all(batch.map((item) => this.#deleteSplit(item)));
      gone.push(...batch.filter((_, at) => done[at]));
    });
    return gone;
  }

  /** Deletes those parts that were left behind by a process that ended in the midst of things. */
  async sweep(found: readonly string[]): Promise<void> {
    const before = Date.now() - ABANDONED_AFTER;
    const old = found.flatMap((partId) => {
      const part = parsePartId(partId);
      return part !== undefined && part.writtenAt < before ? [{ partId, ...part }] : [];
    });
    if (old.length === 0) return;
    const heads = new Map<string | undefined, Item>();
    const ids = [...new Set(old.map(({ id }) => id))];
    for (const head of await this.#table.readSome(ids, '#key, #stash, #generation')) {
      heads.set(head.key?.S, head);
    }
    const abandoned = old.filter(({ id, generation }) => {
      const head = heads.get(id);
      return head === undefined || (!isNewer(head) && head.generation?.S !== generation);
    });
    await this.#table.deleteAll(abandoned.map(({ partId }) => partId));
  }

  /** By one command, or two if it has parts, and exactly what is there. */
  async #deleteOne(id: string): Promise<boolean> {
    if ((await this.#table.delete(id, `${OURS} AND ${WITHOUT_PARTS}`)).done) return true;
    const { done, old } = await this.#table.delete(id, OURS, {}, true);
    const head = headOf(old);
    if (head !== undefined) await this.#drop(partIds(head));
    return done;
  }

  /** As it was read: the parts of another generation are not known. */
  async #deleteSplit(item: Item): Promise<boolean> {
    const head = headOf(item);
    if (head === undefined) return false;
    const values = { ':generation': { S: head.generation } };
    const { done } = await this.#table.delete(head.id, '#generation = :generation', values);
    if (done) await this.#drop(partIds(head));
    return done;
  }

  /** Undefined also for what a newer version has stored. */
  async #readHead(id: string, isConsistent: boolean): Promise<Head | undefined> {
    const item = await this.#table.read(id, isConsistent);
    const head = item === undefined ? 'newer' : parseHead(item);
    if (head === 'foreign') throw this.#faulty('is an item that is not from this cache', id);
    if (head === 'damaged') throw this.#faulty(DAMAGED, id);
    return head === 'newer' ? undefined : head;
  }

  /** The value; undefined when parts are missing. */
  async #readParts(head: Head, isConsistent: boolean): Promise<Uint8Array | undefined> {
    const ids = partIds(head);
    const parts = new Map<string | undefined, Uint8Array | undefined>();
    for (const { key, value } of await this.#table.readParts(ids, isConsistent)) parts.set(key?.S, value?.B);
    const bytes = ids.map((partId) => parts.get(partId)).filter((part) => part !== undefined);
    return bytes.length === ids.length ? Buffer.concat(bytes) : undefined;
  }

  async #writeParts(entry: Entry): Promise<void> {
    if (entry.parts.length === 0) return;
    try {
      await this.#table.putParts(entry.parts);
      if (Date.now() > entry.writtenAt + WRITE_LIMIT) throw new Error('it takes too long');
    } catch (error) {
      await this.#drop(idsOf(entry));
      throw error;
    }
  }

  /** DynamoDB drops expired items one by one: of an entry that is on its way out parts may go before the head. */
  #lost({ dropsAt, id }: Head): undefined {
    if (dropsAt === undefined || dropsAt > Date.now()) throw this.#faulty(DAMAGED, id);
    return undefined;
  }

  #faulty(what: string, id: string): CacheStoreError {
    return new CacheStoreError(`${this.#table.title}: under the key ${id} ${what}`, undefined, 'entry');
  }

  /** Nobody waits to hear of a failure: the entry is what it should be, and `sweep` finds them later. */
  async #drop(ids: readonly string[]): Promise<void> {
    try {
      await this.#table.deleteAll(ids);
    } catch (error) {
      // With the table everything went.
      if (!isMissingTable(error)) this.#onLeftBehind(error);
    }
  }
}

function idsOf({ id, generation, parts }: Entry): string[] {
  return partIds({ id, generation, parts: parts.length });
}

/** Whether it may be deleted; what is damaged, too. */
function isOurs(item: Item): boolean {
  const head = parseHead(item);
  return head !== 'foreign' && head !== 'newer';
}

function hasParts(item: Item): boolean {
  return (headOf(item)?.parts ?? 0) > 0;
}

/** Of what was found whole. */
function headOf(item: Item | undefined): Head | undefined {
  const head = item === undefined ? undefined : parseHead(item);
  return typeof head === 'string' ? undefined : head;
}
