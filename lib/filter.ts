/** What the user's own `filterFn` says of a response. */
import { CachedResponse } from './cached-response.js';
import type { Core } from './core.js';
import type { ResponseRecord } from './record/record.js';
import type { Settings } from './settings.js';

/** `failed`: it threw, or gave no answer in time; that was an `error` event, and what is stored is left as it is. */
export type FilterVerdict = 'passes' | 'refused' | 'failed';

export function filterVerdict(core: Core, { filterFn }: Settings, record: ResponseRecord): FilterVerdict {
  if (filterFn === undefined) return 'passes';
  try {
    const answer: unknown = filterFn(new CachedResponse(record, core.clock));
    // An async filter would always be truthy: what it means to say is never heard.
    if (answer instanceof Promise) {
      answer.catch(() => {});
      throw new TypeError('filterFn returned a promise; it has to answer at once');
    }
    return answer ? 'passes' : 'refused';
  } catch (error) {
    core.fail(error, 'filterFn', { key: record.key, url: record.request.url });
    return 'failed';
  }
}
