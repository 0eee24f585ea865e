/** From a selector to the entries that meet it. */
import type { Core } from './core.js';
import { keyFor, requestFor } from './lookup.js';
import type { Maintenance, Scanned } from './maintenance.js';
import type { IndexRecord, ResponseRecord } from './record/record.js';
import { type CompiledSelector, compileSelector, type Selector } from './selector.js';

/** Keys of the selected responses and unreadable entries, and the indices met on the way. */
export interface SelectedEntries {
  keys: Set<string>;
  indices: Map<string, IndexRecord>;
}

export async function selectEntries(
  core: Core,
  maintenance: Maintenance,
  selector: Selector,
): Promise<SelectedEntries> {
  const compiled = compileSelector(selector, {
    clock: core.clock,
    storedUrl: (url) => core.live.current.redactor.url(URL.canParse(url) ? new URL(url).href : url),
  });
  const keys = new Set<string>();
  const indices = new Map<string, IndexRecord>();
  if (compiled.isEmpty) return { keys, indices };
  const direct = await directKeys(core, maintenance, compiled, indices);
  const candidates = direct === undefined ? maintenance.scan() : read(maintenance, direct);
  for await (const { key, record } of candidates) {
    if (record === undefined) {
      // What can't be read meets conditions on its key alone.
      if (compiled.invalid !== false && !compiled.asksContent) keys.add(key);
    } else if (record.kind === 'index') {
      indices.set(key, record);
    } else if (compiled.invalid !== true && compiled.meets(record)) {
      keys.add(key);
      if (direct !== undefined) await addAliases(core, maintenance, record, indices);
    }
  }
  return { keys, indices };
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
    for (const key of (await maintenance.run(() => store.keysByUrl?.(core.entries.tag(url)))) ?? []) {
      const record = indices.has(key) ? undefined : (await maintenance.read(key))?.record;
      if (record?.kind === 'index') indices.set(key, record);
    }
  }
}

/** The keys that `keys` and `requests` name, those behind an index too; undefined when neither is given. */
async function directKeys(
  core: Core,
  maintenance: Maintenance,
  { keys, requests }: CompiledSelector,
  indices: Map<string, IndexRecord>,
): Promise<Set<string> | undefined> {
  const lists: (readonly string[])[] = [];
  if (keys !== undefined) lists.push(keys);
  if (requests !== undefined) {
    const found = await Promise.all(requests.map((config) => keyFor(core, requestFor(config))));
    lists.push(found.filter((key) => key !== undefined));
  }
  if (lists.length === 0) return undefined;
  const expanded = await maintenance.run(() =>
    Promise.all(lists.map((list) => expand(maintenance, list, indices))),
  );
  const [first = new Set<string>(), ...others] = expanded;
  return new Set([...first].filter((key) => others.every((other) => other.has(key))));
}

async function expand(
  maintenance: Maintenance,
  keys: readonly string[],
  indices: Map<string, IndexRecord>,
): Promise<Set<string>> {
  const expanded = new Set<string>();
  for (const key of keys) {
    expanded.add(key);
    const record = (await maintenance.read(key))?.record;
    if (record?.kind !== 'index') continue;
    indices.set(key, record);
    for (const entry of record.entries) expanded.add(entry.key);
  }
  return expanded;
}

async function* read(maintenance: Maintenance, keys: Iterable<string>): AsyncGenerator<Scanned> {
  for (const key of keys) {
    const scanned = await maintenance.read(key);
    if (scanned !== undefined) yield scanned;
  }
}
