/** What is stored for a request, less what may not be used any more. */
import type { CacheRequestConfig } from './axios.js';
import type { Caller } from './caller.js';
import type { Core } from './core.js';
import { filterVerdict } from './filter.js';
import { isOutdatedByGroup, removeOutdated } from './groups.js';
import { andThen } from './promises.js';
import type { Addressee } from './respond.js';
import { searchKey } from './search-rules.js';
import { type Selection, select } from './select.js';
import type { MaybePromise } from './stores/store.js';

const NOT_LOOKED: Selection = { selected: undefined, miss: 'uri-miss', index: undefined };

export function look(
  core: Core,
  to: Pick<Addressee, 'request' | 'settings'>,
  key: string,
  caller: Caller,
  wishes: CacheRequestConfig,
): MaybePromise<Selection> {
  if (wishes.forceRefresh === true) return NOT_LOOKED;
  const { request, settings } = to;
  const { cacheControl } = settings.policy;
  const redirectsExpireBy = cacheControl ? core.clock() : undefined;
  let selecting = select(core.entries, request, key, caller, redirectsExpireBy);
  if (cacheControl && !core.searchRules.isEmpty)
    selecting = andThen(selecting, (selection) => elsewhere(core, to, selection, caller));
  if (settings.filterFn === undefined && (core.groups.isEmpty || !cacheControl)) return selecting;
  return andThen(selecting, (selection) => usable(core, to, selection));
}

/** Under the key of another URL that No-Vary-Search takes for this one. */
function elsewhere(
  core: Core,
  { request, settings }: Pick<Addressee, 'request' | 'settings'>,
  selection: Selection,
  caller: Caller,
): MaybePromise<Selection> {
  if (selection.selected !== undefined || selection.index !== undefined) return selection;
  const key = searchKey(core, request, settings);
  if (key === undefined) return selection;
  // What is found is as fresh as it is itself: the alias does not expire before it. Its index is not that of the URL.
  return andThen(select(core.entries, request, key, caller, undefined), ({ selected }) =>
    selected === undefined ? selection : { ...selection, selected },
  );
}

/** Unless the user's own filter no longer wants it, or a group that it belongs to was invalidated. */
function usable(core: Core, { settings }: Pick<Addressee, 'settings'>, selection: Selection): Selection {
  const { selected } = selection;
  if (selected === undefined) return selection;
  const isOutdated = settings.policy.cacheControl && isOutdatedByGroup(core, selected.record);
  const verdict = isOutdated ? 'outdated' : filterVerdict(core, settings, selected.record);
  if (verdict === 'passes') return selection;
  if (!settings.readOnly) {
    if (verdict === 'outdated') removeOutdated(core, selected.record);
    if (verdict === 'refused') core.entries.remove([selected.record.key]);
  }
  return { ...selection, selected: undefined };
}
