/** From a selector to the entries that meet it. */
import type { AxiosRequestConfig } from 'axios';
import type { Core } from './core.js';
import { keyFor, requestFor } from './lookup.js';
import type { Maintenance, Operation, Scanned } from './maintenance.js';
import type { IndexEntry, IndexRecord, ResponseRecord } from './record/record.js';
import { matchingEntry } from './select.js';
import { type CompiledSelector, compileSelector, type Selector } from './selector.js';

/** Keys of the selected responses and unreadable entries, and the indices met on the way. */
export interface SelectedEntries {
  keys: Set<string>;
  indices: Map<string, IndexRecord>;
}

export async function selectEntries(
  core: Core,
  maintenance: Maintenance,
  operation: Operation,
  selector: Selector,
): Promise<SelectedEntries> {
  const compiled = compileSelector(selector, { clock: core.clock, comparableUrl: comparableUrlOf(core) });
  const keys = new Set<string>();
  const indices = new Map<string, IndexRecord>();
  maintenance.assertOpen();
  if (compiled.isEmpty) return { keys, indices };
  const direct = await directKeys(core, maintenance, compiled, indices);
  const candidates = direct === undefined ? maintenance.scan(operation) : read(maintenance, direct);
  for await (const { key, record, error } of candidates) {
    if (record === undefined) {
      // What can't be read meets conditions on its key alone; what a later version wrote, only if it is named.
      const isLeftAlone = error.isNewer && direct === undefined;
      if (compiled.invalid !== false && !compiled.asksContent && !isLeftAlone) keys.add(key);
    } else if (record.kind === 'index') {
      indices.set(key, record);
    } else if (compiled.invalid !== true && compiled.meets(record)) {
      keys.add(key);
      if (direct !== undefined) await addAliases(core, maintenance, record, indices);
    }
  }
  return { keys, indices };
}

/** URLs that make the same key, credentials apart, are one; and so are those that redaction makes alike. */
function comparableUrlOf({ live }: Core): (url: string) => string {
  const { redactor, keyer } = live.current;
  return (url) => keyer.comparableUrl(redactor.url(url));
}

/** A scan meets them anyway: what the URLs that redirected to the response hold, where the store can find it. */
async function addAliases(
  core: Core,
  maintenance: Maintenance,
  { redirects }: ResponseRecord,
  indices: Map<string, IndexRecord>,
): Promise<void> {
  const { store } = core.entries;
  if (store.keysByUrl === undefined) return;
  for (const url of redirects) {
    const keys = new Set(core.plainKeysOf(url));
    for (const tag of core.entries.tags(url)) {
      for (const key of (await maintenance.run(() => store.keysByUrl?.(tag))) ?? []) keys.add(key);
    }
    for (const key of keys) {
      const record = indices.has(key) ? undefined : (await maintenance.read(key))?.record;
      if (record?.kind === 'index') indices.set(key, record);
    }
  }
}

/** A key that a selector names, and which entries it means when an index stands there. */
type Named = [key: string, meant: (index: IndexRecord) => readonly IndexEntry[]];

/** The keys that `keys` and `requests` come down to; undefined when neither is given. */
async function directKeys(
  core: Core,
  maintenance: Maintenance,
  { keys, requests }: CompiledSelector,
  indices: Map<string, IndexRecord>,
): Promise<Set<string> | undefined> {
  const lists: Named[][] = [];
  if (keys !== undefined) lists.push(keys.map((key) => [key, ({ entries }) => entries]));
  if (requests !== undefined) lists.push(await namedBy(core, requests));
  const found: Set<string>[] = [];
  for (const list of lists) found.push(await keysBehind(maintenance, list, indices));
  const [first, second] = found;
  return first && second ? new Set([...first].filter((key) => second.has(key))) : first;
}

async function namedBy(core: Core, configs: readonly AxiosRequestConfig[]): Promise<Named[]> {
  const named: Named[] = [];
  for (const config of configs) {
    const request = requestFor(config);
    const key = await keyFor(core, request);
    if (key === undefined) continue;
    named.push([key, (index) => [matchingEntry(index, request, undefined) ?? []].flat()]);
  }
  return named;
}

async function keysBehind(
  maintenance: Maintenance,
  named: readonly Named[],
  indices: Map<string, IndexRecord>,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const [key, meant] of named) {
    keys.add(key);
    const record = (await maintenance.run(() => maintenance.read(key)))?.record;
    if (record?.kind !== 'index') continue;
    indices.set(key, record);
    for (const entry of meant(record)) keys.add(entry.key);
  }
  return keys;
}

async function* read(maintenance: Maintenance, keys: Iterable<string>): AsyncGenerator<Scanned> {
  for (const key of keys) {
    const scanned = await maintenance.read(key);
    if (scanned !== undefined) yield scanned;
  }
}
