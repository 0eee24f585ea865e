import { keptAlive } from '../promises.js';
import type { Ground } from './ground.js';
import { urlOf } from './store-meta.js';
import type { Writes } from './writes.js';

/** Look-ups of what is stored of a URL, in order to delete it; one that failed is owed. */
export class LookUps {
  readonly #ground: Ground;
  readonly #writes: Writes;

  constructor(ground: Ground, writes: Writes) {
    this.#ground = ground;
    this.#writes = writes;
  }

  /** None where the store can't look it up; a failure is an event, and made up for. */
  async keysByUrl(url: string): Promise<readonly string[]> {
    const { store, calls, known, isClosed, fail } = this.#ground;
    if (isClosed() || store.keysByUrl === undefined) return [];
    const tag = this.#ground.tag(url);
    // What is on its way to the store now may not be found there yet.
    const coming = [...known.behind.loaded()].flatMap(([key, { record }]) =>
      this.#ground.tag(urlOf(record)) === tag ? [key] : [],
    );
    const tags = [tag, ...this.#ground.formerTags(url)];
    try {
      const found = await Promise.all(tags.map((one) => keptAlive(calls.keysByUrl(one))));
      return [...coming, ...found.flat()];
    } catch (error) {
      for (const one of tags) known.owedLookUps.add(one, known.changes);
      known.clearHot();
      fail(error, 'look-up by URL');
      return coming;
    }
  }

  /**
   * Not as soon as the store answers again: where nothing but look-ups hang, that would go on for ever. Until then what
   * is read is told by `isOutdated`.
   */
  async makeUp(): Promise<void> {
    const { calls, known, fail } = this.#ground;
    for (const [tag, changes] of known.owedLookUps.list()) {
      try {
        const keys = await keptAlive(calls.keysByUrl(tag));
        this.#writes.remove(keys.filter((key) => !known.hasChangedSince(key, changes)));
        known.owedLookUps.settle(tag, changes);
      } catch (error) {
        fail(error, 'look-up by URL');
        return; // still in trouble
      }
    }
  }
}
