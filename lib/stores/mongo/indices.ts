import type { Background } from './background.js';
import { type Collection, codeOf } from './driver.js';

export interface IndexSpec {
  key: Record<string, 1>;
  name: string;
  unique?: boolean;
  expireAfterSeconds?: number;
  partialFilterExpression?: object;
}

/**
 * - `made`: it is there, or was already.
 * - `refused`: the server does not make such an index; asking again is of no use.
 * - `forbidden`: the user may not.
 * - `later`: it could not be asked, or not now.
 */
export type IndexOutcome = { kind: 'made' } | { kind: 'refused' | 'forbidden' | 'later'; error: unknown };

/** Unauthorized, AuthenticationFailed, AtlasError. */
const FORBIDDEN = [13, 18, 8000];
/** Codes of a server that is going or not the primary; the driver's own list for what is retried, and timeouts. */
const PASSING = [6, 7, 50, 89, 91, 134, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436];

/** One a command: FerretDB 1.24 drops the connection on two that are there already. */
export async function tryIndex(collection: Collection, index: IndexSpec): Promise<IndexOutcome> {
  try {
    await collection.createIndexes([index]);
    return { kind: 'made' };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || PASSING.includes(code)) return { kind: 'later', error };
    return { kind: FORBIDDEN.includes(code) ? 'forbidden' : 'refused', error };
  }
}

/** IndexOptionsConflict, IndexKeySpecsConflict. */
const CONFLICTS = [85, 86];

/** Whether look-ups go without an index now, which somebody should know. */
function isLoss(outcome: IndexOutcome): outcome is { kind: 'refused' | 'forbidden'; error: unknown } {
  if (outcome.kind === 'made' || outcome.kind === 'later') return false;
  const code = codeOf(outcome.error);
  return code === undefined || !CONFLICTS.includes(code);
}

/** At least so long between two attempts; ms. */
const PAUSE = 60_000;

/** Indices that are made behind the first write, and behind a later one if the server could not be asked. */
export class MongoIndices {
  readonly #wanted: readonly (readonly [Collection, IndexSpec])[];
  readonly #background: Background;
  readonly #failed: (error: unknown, reason: string) => void;
  #isSettled = false;
  #next = Number.NEGATIVE_INFINITY;

  constructor(
    wanted: readonly (readonly [Collection, IndexSpec])[],
    background: Background,
    failed: (error: unknown, reason: string) => void,
  ) {
    this.#wanted = wanted;
    this.#background = background;
    this.#failed = failed;
  }

  /** To be called with each write; does not wait. */
  afterWrite(): void {
    const now = performance.now();
    if (this.#isSettled || now < this.#next) return;
    this.#next = now + PAUSE;
    this.#background.run(
      () => this.make(),
      (error) => this.#failed(error, 'create indices'),
    );
  }

  /** Resolves whether the server has been asked. */
  async make(): Promise<boolean> {
    if (this.#isSettled) return true;
    const losses: unknown[] = [];
    for (const [collection, index] of this.#wanted) {
      const outcome = await tryIndex(collection, index);
      // Without a connection the write fails too, and tells.
      if (outcome.kind === 'later') return false;
      if (isLoss(outcome)) losses.push(outcome.error);
    }
    this.#isSettled = true;
    if (losses.length > 0) this.#failed(losses[0], 'create indices');
    return true;
  }
}
