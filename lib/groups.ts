/** Cache groups (RFC 9875): which were invalidated, and what of the store is outdated by that. */
import type { Core } from './core.js';
import { Maintenance } from './maintenance.js';
import { parseUrl } from './parse-url.js';
import { cacheGroups, invalidatedGroups } from './policy/groups.js';
import type { HeaderList, ResponseRecord } from './record/record.js';

interface Moment {
  /** In the order of `Core.nextSequence`. */
  readonly sequence: number;
  /** ms since the epoch, for what another process stored. */
  readonly at: number;
}

/** More groups than this are not remembered. */
const MAX_GROUPS = 10_000;

/**
 * When each group was last invalidated here. Of what was forgotten it is taken to have happened to any group: to err so
 * costs a request, to err the other way an answer.
 */
export class GroupInvalidations {
  readonly #last = new Map<string, Moment>();
  #forgotten: Moment | undefined;
  /** A sweep is under way; `again`: and what it has passed may be outdated by now. */
  sweep: 'none' | 'running' | 'again' = 'none';

  /** Asked on each hit: while nobody uses groups they cost nothing. */
  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  note(origin: string, groups: readonly string[], moment: Moment): void {
    for (const group of groups) {
      const name = nameOf(origin, group);
      this.#last.delete(name);
      this.#last.set(name, moment);
    }
    for (const [oldest, forgotten] of this.#last) {
      if (this.#last.size <= MAX_GROUPS) return;
      this.#last.delete(oldest);
      this.#forgotten = forgotten;
    }
  }

  last(origin: string, group: string): Moment | undefined {
    return this.#last.get(nameOf(origin, group)) ?? this.#forgotten;
  }
}

function nameOf(origin: string, group: string): string {
  return `${origin} ${group}`;
}

/** Whether a group of the stored response was invalidated after it was asked for. */
export function isOutdatedByGroup(core: Core, record: ResponseRecord): boolean {
  const storedAt = core.stored.last(record.key);
  return someGroup(core, record.request.url, record.headers, (moment) =>
    storedAt === 0 ? record.responseTime <= moment.at : storedAt <= moment.sequence,
  );
}

/** Whether a group of a response that was under way has been invalidated meanwhile. */
export function wasGroupInvalidatedSince(
  core: Core,
  url: string,
  headers: HeaderList,
  sequence: number,
): boolean {
  return someGroup(core, url, headers, (moment) => moment.sequence >= sequence);
}

function someGroup(core: Core, url: string, headers: HeaderList, test: (moment: Moment) => boolean): boolean {
  if (core.groups.isEmpty) return false;
  const groups = cacheGroups(headers);
  if (groups.length === 0) return false;
  const origin = parseUrl(url)?.origin;
  return (
    origin !== undefined &&
    groups.some((group) => {
      const moment = core.groups.last(origin, group);
      return moment !== undefined && test(moment);
    })
  );
}

/**
 * RFC 9875 3: marks the groups that the answer to an unsafe request names, which is what requests here go by, and sweeps
 * the store behind it, for other processes.
 */
export function invalidateGroups(
  core: Core,
  request: { method: string; url: string },
  status: number,
  headers: HeaderList,
): void {
  const groups = invalidatedGroups(request.method, status, headers);
  const origin = groups.length === 0 ? undefined : parseUrl(request.url)?.origin;
  if (origin === undefined) return;
  core.groups.note(origin, groups, { sequence: core.nextSequence(), at: core.clock() });
  if (core.groups.sweep !== 'none') {
    core.groups.sweep = 'again';
    return;
  }
  sweep(core).catch((error: unknown) => core.fail(error, 'cache group'));
}

/** Nobody waits for it: it looks at everything that is stored. */
async function sweep(core: Core): Promise<void> {
  const { entries, groups } = core;
  const maintenance = new Maintenance(core);
  try {
    do {
      groups.sweep = 'running';
      await entries.flush();
      let seen = 0;
      for await (const key of entries.store.keys()) {
        if (entries.closed) return;
        const { record, readAt = 0 } = (await maintenance.read(key)) ?? {};
        // A request may have met it meanwhile.
        const isThere = record?.kind === 'response' && !entries.hasChangedSince(key, readAt);
        if (isThere && isOutdatedByGroup(core, record)) removeOutdated(core, record);
        seen += 1;
        // A synchronous store would otherwise hold the event loop for as long as the cache is large.
        if (seen % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } while (hasToGoOn(groups));
  } catch (error) {
    if (!entries.closed) throw error;
  } finally {
    groups.sweep = 'none';
  }
}

function hasToGoOn(groups: GroupInvalidations): boolean {
  return groups.sweep === 'again';
}

export function removeOutdated(core: Core, record: ResponseRecord): void {
  core.entries.remove([record.key]);
  if (core.events.wants('invalidated'))
    core.events.emit('invalidated', { key: record.key, url: record.request.url, reason: 'cache group' });
}
