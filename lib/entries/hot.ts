import type { StoreRecord } from '../record/record.js';
import type { BodySource } from '../response/body.js';

/** A decoded record, and beside a response's record what its hits share: the body's text once it was decoded. */
export interface Loaded {
  record: StoreRecord;
  /** For `bodyFor`; undefined for an index. */
  source: BodySource | undefined;
}

interface Slot {
  readonly loaded: Loaded;
  readonly bytes: number;
  /** Since it last was the oldest, or came. */
  isUsed: boolean;
}

/** Of a read that takes its time; void once the key has changed meanwhile, since it brings what was. */
export type Ticket = symbol;

/** What a record costs beside its body: headers, objects, map slot; a round upper figure. */
const OVERHEAD = 2048;
/** A body's bytes, and the text of them. */
const BODY_FACTOR = 2;
/** With the object parsed of it, which takes one and a half times the JSON's bytes, or seven where each name is another. */
const FROZEN_FACTOR = 6;

/**
 * Decoded records in use: a map bounded by bytes, from which what was not used of late goes first.
 * By second chance and not by exact order of use: a hit sets a flag where it would have to move a Map's entry.
 */
export class HotRecords {
  readonly #slots = new Map<string, Slot>();
  /** The last late read of each key. */
  readonly #late = new Map<string, Ticket>();
  readonly #most: number;
  /** 0 while suspended. */
  #limit: number;
  readonly #isFrozen: () => boolean;
  #bytes = 0;

  /** `isFrozen`: asked for each record, since it is a live setting. */
  constructor(limit: number, isFrozen: () => boolean = () => false) {
    this.#most = limit;
    this.#limit = limit;
    this.#isFrozen = isFrozen;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Loaded | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined || !this.isCurrent()) return undefined;
    slot.isUsed = true;
    return slot.loaded;
  }

  /** Whether what is here still holds; asked only when something would be given out. */
  protected isCurrent(): boolean {
    return true;
  }

  begin(key: string): Ticket {
    const ticket = Symbol(key);
    this.#late.set(key, ticket);
    return ticket;
  }

  end(key: string, ticket: Ticket | undefined): void {
    if (this.#late.get(key) === ticket) this.#late.delete(key);
  }

  /** With a ticket: only if that still holds. */
  set(key: string, loaded: Loaded, ticket?: Ticket): void {
    if (ticket !== undefined && this.#late.get(key) !== ticket) return;
    this.delete(key);
    const factor = this.#isFrozen() ? FROZEN_FACTOR : BODY_FACTOR;
    const bytes = OVERHEAD + factor * (loaded.source?.body.byteLength ?? 0);
    // One record may not push out most of the others.
    if (bytes > this.#limit / 2) return;
    // A newcomer counts as used, else it would go first where all others are.
    this.#slots.set(key, { loaded, bytes, isUsed: true });
    this.#bytes += bytes;
    for (const [oldest, slot] of this.#slots) {
      if (this.#bytes <= this.#limit) break;
      if (!slot.isUsed) {
        this.delete(oldest);
        continue;
      }
      slot.isUsed = false;
      this.#slots.delete(oldest);
      this.#slots.set(oldest, slot); // comes round again at the end
    }
  }

  delete(key: string): void {
    this.#late.delete(key);
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#bytes -= slot.bytes;
  }

  clear(): void {
    this.#late.clear();
    this.#slots.clear();
    this.#bytes = 0;
  }

  /** Nothing is kept until `resume`. */
  suspend(): void {
    this.clear();
    this.#limit = 0;
  }

  resume(): void {
    this.#limit = this.#most;
  }
}

/** A record made ready for hits. */
export function load(record: StoreRecord): Loaded {
  return {
    record,
    source: record.kind === 'response' ? { body: record.body, bodyType: record.bodyType } : undefined,
  };
}
