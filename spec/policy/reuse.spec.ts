import { expect } from 'chai';
import { decideReuse, type ForwardReason, forwardParameter, type Reuse } from '../../lib/policy/reuse.js';
import type { PolicySettings, RequestView, StoredView } from '../../lib/policy/types.js';
import { asking, at, httpDate, plain, request, rfc, stored } from './views.js';

const ETAG = { ETag: '"a"' };
const cc = (value: string) => ({ 'Cache-Control': value, ...ETAG });

/** One line for a decision: `fresh`, `stale:<reason>`, `stale+refresh:<reason>`, `<action>:<reason>`, `504`. */
function told(reuse: Reuse): string {
  switch (reuse.action) {
    case 'serve':
      if (reuse.fresh) return 'fresh';
      return `stale${reuse.revalidateInBackground ? '+refresh' : ''}:${reuse.reason}`;
    case 'gateway-timeout':
      return '504';
    default:
      return `${reuse.action}:${reuse.reason}`;
  }
}

type Row = [
  name: string,
  entry: StoredView | undefined,
  asked: RequestView,
  seconds: number,
  expected: string,
  settings?: Partial<PolicySettings>,
];

function specify(mode: string, base: PolicySettings, rows: Row[]) {
  for (const [name, entry, asked, seconds, expected, settings] of rows) {
    it(`${mode}: ${name} -> ${expected}.`, () => {
      expect(told(decideReuse(entry, asked, { ...base, ...settings }, at(seconds)))).to.equal(expected);
    });
  }
}

const fresh = stored(60, ETAG);
const bare = stored(60);

describe('A stored response', () => {
  const always: Row[] = [
    ['nothing is stored', undefined, request(), 0, 'fetch:miss'],
    ['fresh', fresh, request(), 0, 'fresh'],
    ['never expiring', stored(undefined), request(), 1e9, 'fresh'],
    ['a millisecond before it expires', fresh, request(), 59.999, 'fresh'],
    ['the moment it expires', fresh, request(), 60, 'revalidate:expired'],
    ['expired without a validator', bare, request(), 60, 'fetch:expired'],
    [
      'expired with Last-Modified',
      stored(60, { 'Last-Modified': httpDate(-9) }),
      request(),
      60,
      'revalidate:expired',
    ],

    ['forceRefresh', fresh, request({ forceRefresh: true }), 0, 'fetch:force-refresh'],
    [
      'forceRefresh beats refresh',
      fresh,
      request({ forceRefresh: true, refresh: true }),
      0,
      'fetch:force-refresh',
    ],
    ['forceRefresh: false', fresh, request({ forceRefresh: false, refresh: false }), 0, 'fresh'],
    ['refresh', fresh, request({ refresh: true }), 0, 'revalidate:refresh'],
    ['refresh without a validator', bare, request({ refresh: true }), 0, 'fetch:refresh'],
    ['alwaysRevalidate', fresh, request(), 0, 'revalidate:always-revalidate', { alwaysRevalidate: true }],
    ['alwaysRevalidate without a validator', bare, request(), 0, 'fresh', { alwaysRevalidate: true }],
    [
      'alwaysRevalidate over stale-while-revalidate',
      fresh,
      request(),
      61,
      'revalidate:expired',
      { alwaysRevalidate: true, staleWhileRevalidate: true },
    ],

    ['request no-store', fresh, asking('no-store'), 0, 'fetch:request-no-store'],
    ['request no-cache', fresh, asking('no-cache'), 0, 'revalidate:request-no-cache'],
    ['request no-cache without a validator', bare, asking('no-cache'), 0, 'fetch:request-no-cache'],
    [
      'Pragma: no-cache',
      fresh,
      request({ headers: { pragma: 'no-cache' } }),
      0,
      'revalidate:request-no-cache',
    ],
    ['request max-age, young enough', fresh, asking('max-age=10'), 10, 'fresh'],
    ['request max-age, too old', fresh, asking('max-age=10'), 10.001, 'revalidate:request-max-age'],
    ['request max-age, too old, no validator', bare, asking('max-age=10'), 11, 'fetch:request-max-age'],
    ['request max-age=0', fresh, asking('max-age=0'), 0, 'revalidate:request-max-age'],
    ['request max-age malformed', fresh, asking('max-age=x'), 0, 'revalidate:request-max-age'],
    ['request max-age, expired', fresh, asking('max-age=100'), 61, 'revalidate:expired'],

    ['onlyIfCached and nothing stored', undefined, request({ onlyIfCached: true }), 0, '504'],
    ['onlyIfCached by the adapter', undefined, request(), 0, '504', { onlyIfCached: true }],
    [
      'onlyIfCached taken back by the request',
      undefined,
      request({ onlyIfCached: false }),
      0,
      'fetch:miss',
      { onlyIfCached: true },
    ],
    ['only-if-cached and nothing stored', undefined, asking('only-if-cached'), 0, '504'],
    ['only-if-cached, fresh', fresh, asking('only-if-cached'), 0, 'fresh'],
    ['only-if-cached, expired', fresh, asking('only-if-cached'), 60, '504'],
    ['only-if-cached, forceRefresh', fresh, asking('only-if-cached', { forceRefresh: true }), 0, '504'],
    ['only-if-cached, no-cache', fresh, asking('only-if-cached, no-cache'), 0, '504'],
    ['only-if-cached, refresh', fresh, asking('only-if-cached', { refresh: true }), 0, 'fresh'],
    ['only-if-cached, refresh, expired', fresh, asking('only-if-cached', { refresh: true }), 60, '504'],
    ['only-if-cached, no-store', fresh, asking('only-if-cached, no-store'), 0, 'fresh'],
    ['only-if-cached, no-store, too old', fresh, asking('only-if-cached, no-store, max-age=5'), 6, '504'],
    ['only-if-cached, too old', fresh, asking('only-if-cached, max-age=5'), 6, '504'],
    [
      'only-if-cached, alwaysRevalidate',
      fresh,
      asking('only-if-cached'),
      0,
      'fresh',
      { alwaysRevalidate: true },
    ],
    [
      'only-if-cached, stale while it would revalidate',
      fresh,
      asking('only-if-cached'),
      60,
      'stale:stale-while-revalidate',
      { staleWhileRevalidate: 10 },
    ],
    [
      'only-if-cached, stale as on an error',
      fresh,
      asking('only-if-cached'),
      70,
      'stale:stale-if-error',
      { staleIfError: 10 },
    ],
    [
      'only-if-cached, too stale',
      fresh,
      asking('only-if-cached'),
      70.001,
      '504',
      { staleIfError: 10, staleWhileRevalidate: 10 },
    ],
    [
      'only-if-cached, max-age, stale as on an error',
      fresh,
      asking('only-if-cached, max-age=5'),
      61,
      '504',
      { staleIfError: true },
    ],

    [
      'stale-while-revalidate',
      fresh,
      request(),
      60,
      'stale+refresh:stale-while-revalidate',
      { staleWhileRevalidate: true },
    ],
    [
      'stale-while-revalidate without a validator',
      bare,
      request(),
      60,
      'stale+refresh:stale-while-revalidate',
      { staleWhileRevalidate: true },
    ],
    [
      'stale-while-revalidate within its bound',
      fresh,
      request(),
      70,
      'stale+refresh:stale-while-revalidate',
      { staleWhileRevalidate: 10 },
    ],
    [
      'stale-while-revalidate past its bound',
      fresh,
      request(),
      70.001,
      'revalidate:expired',
      { staleWhileRevalidate: { seconds: 10 } },
    ],
    ['stale-while-revalidate of 0', fresh, request(), 60, 'revalidate:expired', { staleWhileRevalidate: 0 }],
    [
      'stale-while-revalidate of the request',
      fresh,
      request({ staleWhileRevalidate: 10 }),
      65,
      'stale+refresh:stale-while-revalidate',
    ],
    [
      'stale-while-revalidate taken back by the request',
      fresh,
      request({ staleWhileRevalidate: false }),
      65,
      'revalidate:expired',
      { staleWhileRevalidate: true },
    ],
    [
      'stale-while-revalidate and no-cache',
      fresh,
      asking('no-cache'),
      60,
      'revalidate:request-no-cache',
      { staleWhileRevalidate: true },
    ],
    [
      'stale-while-revalidate and refresh',
      fresh,
      request({ refresh: true }),
      60,
      'revalidate:refresh',
      { staleWhileRevalidate: true },
    ],
    [
      'stale-while-revalidate and max-age',
      fresh,
      asking('max-age=1000'),
      60,
      'revalidate:expired',
      { staleWhileRevalidate: true },
    ],
    ['stale-while-revalidate while fresh', fresh, request(), 0, 'fresh', { staleWhileRevalidate: true }],
  ];
  specify('by the user', plain(), always);
  specify('by RFC 9111', rfc(), always);

  specify('by the user', plain(), [
    ['no-cache of the response does not count', stored(60, cc('no-cache')), request(), 0, 'fresh'],
    [
      'must-revalidate neither',
      stored(60, cc('must-revalidate')),
      request(),
      61,
      'stale+refresh:stale-while-revalidate',
      { staleWhileRevalidate: true },
    ],
    ['nor immutable', stored(60, cc('immutable')), asking('max-age=0'), 0, 'revalidate:request-max-age'],
    [
      'nor stale-while-revalidate',
      stored(60, cc('stale-while-revalidate=60')),
      request(),
      61,
      'revalidate:expired',
    ],
    ['nor stale-if-error', stored(60, cc('stale-if-error=60')), asking('only-if-cached'), 61, '504'],
    [
      'nor Age and Date for max-age',
      stored(60, { Age: '50', Date: httpDate(-50) }),
      asking('max-age=10'),
      5,
      'fresh',
    ],
    ['nor max-stale', fresh, asking('max-stale'), 61, 'revalidate:expired'],
    ['nor min-fresh', fresh, asking('min-fresh=100'), 0, 'fresh'],
    [
      'nor min-fresh for stale-while-revalidate',
      fresh,
      asking('min-fresh=1'),
      61,
      'stale+refresh:stale-while-revalidate',
      { staleWhileRevalidate: true },
    ],
  ]);

  const shared = { shared: true };
  specify('by RFC 9111', rfc(), [
    ['no-cache', stored(60, cc('no-cache')), request(), 0, 'revalidate:response-no-cache'],
    [
      'no-cache without a validator',
      stored(60, { 'Cache-Control': 'no-cache' }),
      request(),
      0,
      'fetch:response-no-cache',
    ],
    [
      'no-cache beside stale-while-revalidate',
      stored(60, cc('no-cache')),
      request(),
      61,
      'revalidate:response-no-cache',
      { staleWhileRevalidate: true },
    ],
    [
      'no-cache beside max-stale',
      stored(60, cc('no-cache')),
      asking('max-stale'),
      61,
      'revalidate:response-no-cache',
    ],
    ['no-cache, only-if-cached', stored(60, cc('no-cache')), asking('only-if-cached'), 0, '504'],
    ['qualified no-cache', stored(60, cc('no-cache="a"')), request(), 0, 'fresh'],
    ['must-revalidate, fresh', stored(60, cc('must-revalidate')), request(), 59, 'fresh'],
    [
      'must-revalidate, stale',
      stored(60, cc('must-revalidate')),
      request(),
      60,
      'revalidate:expired',
      { staleWhileRevalidate: true },
    ],
    [
      'must-revalidate, max-stale',
      stored(60, cc('must-revalidate')),
      asking('max-stale'),
      60,
      'revalidate:expired',
    ],
    [
      'must-revalidate, only-if-cached',
      stored(60, cc('must-revalidate')),
      asking('only-if-cached'),
      60,
      '504',
      { staleIfError: true },
    ],
    ['proxy-revalidate', stored(60, cc('proxy-revalidate')), asking('max-stale'), 60, 'stale:max-stale'],
    [
      'proxy-revalidate, shared',
      stored(60, cc('proxy-revalidate')),
      asking('max-stale'),
      60,
      'revalidate:expired',
      shared,
    ],
    ['s-maxage', stored(60, cc('s-maxage=60')), asking('max-stale'), 60, 'stale:max-stale'],
    [
      's-maxage, shared',
      stored(60, cc('s-maxage=60')),
      asking('max-stale'),
      60,
      'revalidate:expired',
      shared,
    ],
    [
      'proxy-revalidate, shared, stale-while-revalidate',
      stored(60, cc('proxy-revalidate')),
      request(),
      60,
      'revalidate:expired',
      { ...shared, staleWhileRevalidate: true },
    ],

    [
      'Age counts for max-age',
      stored(60, { ...ETAG, Age: '10' }),
      asking('max-age=10'),
      0.001,
      'revalidate:request-max-age',
    ],
    ['Age just within max-age', stored(60, { ...ETAG, Age: '10' }), asking('max-age=10'), 0, 'fresh'],
    ['immutable and a reload', stored(60, cc('immutable')), asking('max-age=0'), 1, 'fresh'],
    [
      'immutable and a forced reload',
      stored(60, cc('immutable')),
      asking('no-cache'),
      1,
      'revalidate:request-no-cache',
    ],
    [
      'immutable and max-age',
      stored(60, cc('immutable')),
      asking('max-age=1'),
      2,
      'revalidate:request-max-age',
    ],
    ['immutable and stale', stored(60, cc('immutable')), asking('max-age=0'), 60, 'revalidate:expired'],
    ['min-fresh, fresh enough', fresh, asking('min-fresh=60'), 0, 'fresh'],
    ['min-fresh, not fresh enough', fresh, asking('min-fresh=60'), 0.001, 'revalidate:request-min-fresh'],
    ['min-fresh, never expiring', stored(undefined), asking('min-fresh=60'), 0, 'fresh'],
    ['min-fresh, only-if-cached', fresh, asking('min-fresh=60, only-if-cached'), 1, '504'],
    [
      'min-fresh and stale-while-revalidate',
      fresh,
      asking('min-fresh=1'),
      61,
      'revalidate:expired',
      { staleWhileRevalidate: true },
    ],
    ['max-stale without bound', fresh, asking('max-stale'), 1e6, 'stale:max-stale'],
    ['max-stale within its bound', fresh, asking('max-stale=10'), 70, 'stale:max-stale'],
    ['max-stale past its bound', fresh, asking('max-stale=10'), 70.001, 'revalidate:expired'],
    ['max-stale, while fresh', fresh, asking('max-stale=10'), 1, 'fresh'],
    [
      'max-stale beside a max-age that is met',
      fresh,
      asking('max-stale=10, max-age=65'),
      65,
      'stale:max-stale',
    ],
    [
      'max-stale beside a max-age that is not',
      fresh,
      asking('max-stale=10, max-age=65'),
      65.001,
      'revalidate:expired',
    ],
    ['max-stale beside min-fresh', fresh, asking('max-stale=10, min-fresh=1'), 61, 'revalidate:expired'],
    ['max-stale, only-if-cached', fresh, asking('max-stale, only-if-cached'), 61, 'stale:max-stale'],
    [
      'stale-while-revalidate of the response',
      stored(60, cc('stale-while-revalidate=10')),
      request(),
      70,
      'stale+refresh:stale-while-revalidate',
    ],
    ['past it', stored(60, cc('stale-while-revalidate=10')), request(), 70.001, 'revalidate:expired'],
    [
      'it taken back by the request',
      stored(60, cc('stale-while-revalidate=10')),
      request({ staleWhileRevalidate: false }),
      61,
      'revalidate:expired',
    ],
    [
      'it bounded by the user',
      stored(60, cc('stale-while-revalidate=10')),
      request(),
      66,
      'revalidate:expired',
      { staleWhileRevalidate: 5 },
    ],
    [
      'stale-if-error of the response, only-if-cached',
      stored(60, cc('stale-if-error=10')),
      asking('only-if-cached'),
      70,
      'stale:stale-if-error',
    ],
  ]);

  it('that is fresh costs no object: the answer is always the same one.', () => {
    expect(decideReuse(fresh, request(), plain(), at(0))).to.equal(
      decideReuse(bare, request(), rfc(), at(1)),
    );
  });

  it('is told of in the words of RFC 9211.', () => {
    const words: Record<ForwardReason, string> = {
      miss: 'miss',
      expired: 'stale',
      'response-no-cache': 'stale',
      'force-refresh': 'request',
      refresh: 'request',
      'always-revalidate': 'request',
      'request-no-store': 'request',
      'request-no-cache': 'request',
      'request-max-age': 'request',
      'request-min-fresh': 'request',
    };
    const reasons = Object.keys(words) as ForwardReason[];
    expect(Object.fromEntries(reasons.map((reason) => [reason, forwardParameter(reason)]))).to.deep.equal(
      words,
    );
  });
});
