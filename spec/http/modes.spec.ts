/** Which mode decides what of a response: stored or not, until when, and what is made of it at once. */
import { type CacheOptions, DO_NOT_CACHE, type ExpireAfter } from '../../lib/index.js';
import { answering, at, type Fields, fateOf, inEachMode, type Outcomes, type Wishes } from './modes.js';

const ETAG = { etag: '"1"' };
const cc = (...lines: string[]): Fields => ({ 'cache-control': lines });
const NEVER_REUSABLE = 'not stored (never-reusable)';

function table(options: CacheOptions, rows: readonly (readonly [string, Fields, Outcomes])[]): void {
  for (const [what, headers, outcomes] of rows) {
    inEachMode(
      what,
      outcomes,
      (own) => {
        own.origin.on('/r', answering(headers));
        return fateOf(own);
      },
      options,
    );
  }
}

describe('modes: the headers of a response, where the adapter says 999 s', () => {
  describe('Cache-Control', () => {
    table({ expireAfter: 999 }, [
      ['nothing', {}, ['999 s, hit', '999 s, hit']],
      ['max-age=60', cc('max-age=60'), ['999 s, hit', '60 s, hit']],
      ['max-age=0', cc('max-age=0'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age=0 with an ETag', { ...cc('max-age=0'), ...ETAG }, ['999 s, hit', '0 s, revalidated']],
      ['s-maxage=30', cc('s-maxage=30'), ['999 s, hit', '999 s, hit', '30 s, hit']],
      ['s-maxage=30, max-age=60', cc('s-maxage=30, max-age=60'), ['999 s, hit', '60 s, hit', '30 s, hit']],
      ['s-maxage=0, max-age=60', cc('s-maxage=0, max-age=60'), ['999 s, hit', '60 s, hit', NEVER_REUSABLE]],
      ['no-store', cc('no-store'), ['999 s, hit', 'not stored (no-store)']],
      ['no-store, max-age=60', cc('no-store, max-age=60'), ['999 s, hit', 'not stored (no-store)']],
      [
        'no-store, must-understand, max-age=60, of a status that is understood',
        cc('no-store, must-understand, max-age=60'),
        ['999 s, hit', '60 s, hit'],
      ],
      ['private', cc('private'), ['999 s, hit', '999 s, hit', 'not stored (private)']],
      ['private, max-age=60', cc('private, max-age=60'), ['999 s, hit', '60 s, hit', 'not stored (private)']],
      ['private="x-user", max-age=60', cc('private="x-user", max-age=60'), ['999 s, hit', '60 s, hit']],
      ['public', cc('public'), ['999 s, hit', '999 s, hit']],
      ['no-cache', cc('no-cache'), ['999 s, hit', NEVER_REUSABLE]],
      ['no-cache with an ETag', { ...cc('no-cache'), ...ETAG }, ['999 s, hit', '999 s, revalidated']],
      [
        'no-cache with Last-Modified',
        { ...cc('no-cache'), 'last-modified': at(-5) },
        ['999 s, hit', '999 s, revalidated'],
      ],
      [
        'no-cache, max-age=60 with an ETag',
        { ...cc('no-cache, max-age=60'), ...ETAG },
        ['999 s, hit', '60 s, revalidated'],
      ],
      ['no-cache="set-cookie"', cc('no-cache="set-cookie"'), ['999 s, hit', '999 s, hit']],
      ['must-revalidate', cc('must-revalidate'), ['999 s, hit', '999 s, hit']],
      ['must-revalidate, max-age=60', cc('must-revalidate, max-age=60'), ['999 s, hit', '60 s, hit']],
      ['proxy-revalidate, max-age=60', cc('proxy-revalidate, max-age=60'), ['999 s, hit', '60 s, hit']],
      ['immutable', cc('immutable'), ['999 s, hit', '999 s, hit']],
      ['immutable, max-age=60', cc('immutable, max-age=60'), ['999 s, hit', '60 s, hit']],
      ['no-transform, only-this', cc('no-transform, only-this'), ['999 s, hit', '999 s, hit']],
      [
        'CDN-Cache-Control beside Cache-Control',
        { ...cc('max-age=60'), 'cdn-cache-control': 'max-age=30' },
        ['999 s, hit', '60 s, hit', '30 s, hit'],
      ],
    ]);
  });

  describe('Cache-Control that is oddly written, twice there or malformed', () => {
    table({ expireAfter: 999 }, [
      ['MAX-AGE=60', cc('MAX-AGE=60'), ['999 s, hit', '60 s, hit']],
      ['max-age="60"', cc('max-age="60"'), ['999 s, hit', '60 s, hit']],
      [', ,max-age=60,', cc(', ,max-age=60,'), ['999 s, hit', '60 s, hit']],
      ['max-age=60, max-age=5', cc('max-age=60, max-age=5'), ['999 s, hit', '60 s, hit']],
      ['max-age=60 and max-age=5 on two lines', cc('max-age=60', 'max-age=5'), ['999 s, hit', '60 s, hit']],
      [
        'max-age=60 and no-store on two lines',
        cc('max-age=60', 'no-store'),
        ['999 s, hit', 'not stored (no-store)'],
      ],
      ['a max-age beyond 2^31', cc('max-age=99999999999999'), ['999 s, hit', `${2 ** 31} s, hit`]],
      ['max-age=-5', cc('max-age=-5'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age=abc', cc('max-age=abc'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age=60.5', cc('max-age=60.5'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age=', cc('max-age='), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age', cc('max-age'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age = 60', cc('max-age = 60'), ['999 s, hit', NEVER_REUSABLE]],
      ['max-age=abc with an ETag', { ...cc('max-age=abc'), ...ETAG }, ['999 s, hit', '0 s, revalidated']],
      ['no-store=', cc('no-store='), ['999 s, hit', 'not stored (no-store)']],
      ['a directive in quotes of another', cc('x="a, no-store", max-age=60'), ['999 s, hit', '60 s, hit']],
      [
        'no-cache and no-cache="x-a" with an ETag',
        { ...cc('no-cache="x-a", no-cache'), ...ETAG },
        ['999 s, hit', '999 s, revalidated'],
      ],
      ['Pragma: no-cache', { pragma: 'no-cache' }, ['999 s, hit', '999 s, hit']],
    ]);
  });

  describe('Expires, Date, Age', () => {
    table({ expireAfter: 999 }, [
      ['Expires in 60 s', { expires: at(60) }, ['999 s, hit', '60 s, hit']],
      ['Expires in the past', { expires: at(-60) }, ['999 s, hit', NEVER_REUSABLE]],
      ['Expires in the past with an ETag', { expires: at(-60), ...ETAG }, ['999 s, hit', '0 s, revalidated']],
      ['Expires: 0', { expires: '0' }, ['999 s, hit', NEVER_REUSABLE]],
      ['Expires: -1 with an ETag', { expires: '-1', ...ETAG }, ['999 s, hit', '0 s, revalidated']],
      ['Expires in ISO 8601', { expires: '2027-01-01T00:00:00Z' }, ['999 s, hit', NEVER_REUSABLE]],
      ['Expires that says nothing', { expires: '' }, ['999 s, hit', NEVER_REUSABLE]],
      ['Expires beside max-age', { ...cc('max-age=60'), expires: at(5) }, ['999 s, hit', '60 s, hit']],
      ['Expires less Date', { date: at(-20), expires: at(60) }, ['999 s, hit', '60 s, hit']],
      ['max-age less Age', { ...cc('max-age=60'), age: '50' }, ['999 s, hit', '10 s, hit']],
      [
        'an Age beyond max-age',
        { ...cc('max-age=60'), age: '100', ...ETAG },
        ['999 s, hit', '-40 s, revalidated'],
      ],
      ['a malformed Age', { ...cc('max-age=60'), age: 'abc' }, ['999 s, hit', '60 s, hit']],
      ['max-age of an old Date', { ...cc('max-age=60'), date: at(-50) }, ['999 s, hit', '10 s, hit']],
      ['a Date in the future', { ...cc('max-age=60'), date: at(50) }, ['999 s, hit', '60 s, hit']],
      ['a malformed Date', { ...cc('max-age=60'), date: 'yesterday' }, ['999 s, hit', '60 s, hit']],
      ['Last-Modified alone', { 'last-modified': at(-1000) }, ['999 s, hit', '999 s, hit']],
    ]);
  });

  describe('Vary', () => {
    table({ expireAfter: 999 }, [
      ['Vary: Accept, of the same Accept', { vary: 'Accept' }, ['999 s, hit', '999 s, hit']],
      ['Vary: *', { vary: '*' }, ['not stored (vary-star)', 'not stored (vary-star)']],
      ['Vary: Accept, *', { vary: 'Accept, *' }, ['not stored (vary-star)', 'not stored (vary-star)']],
    ]);
  });
});

describe('modes: a response where nobody says how long', () => {
  table({}, [
    ['without a validator', {}, ['never, hit', NEVER_REUSABLE]],
    ['with an ETag', ETAG, ['never, hit', '0 s, revalidated']],
    ['a tenth since Last-Modified', { 'last-modified': at(-1000) }, ['never, hit', '100 s, hit']],
    ['the same less Age', { 'last-modified': at(-1000), age: '30' }, ['never, hit', '70 s, hit']],
    ['Last-Modified in the future', { 'last-modified': at(1000) }, ['never, hit', '0 s, revalidated']],
    ['a malformed Last-Modified', { 'last-modified': 'yesterday' }, ['never, hit', '0 s, revalidated']],
    ['max-age=60', cc('max-age=60'), ['never, hit', '60 s, hit']],
  ]);
});

describe('modes: the status of a response', () => {
  const FRESH = cc('max-age=60');
  const not = (reason: string): string => `not stored (${reason})`;
  const STATUS = not('status');
  type Row = readonly [status: number, headers: Fields, outcomes: Outcomes, allowableCodes?: number[]];
  const rows: readonly Row[] = [
    ...[203, 204, 301, 308, 404, 405, 410, 414, 501].flatMap((status): Row[] => [
      [status, FRESH, [STATUS, '60 s, hit']],
      [status, {}, [STATUS, '999 s, hit']],
    ]),
    ...[201, 302, 307, 400, 403, 500, 503].flatMap((status): Row[] => [
      [status, FRESH, [STATUS, '60 s, hit']],
      [status, {}, [STATUS, not('no-freshness')]],
      [status, cc('public'), [STATUS, '999 s, hit']],
    ]),
    [302, cc('private'), [STATUS, '999 s, hit', not('private')]],
    [206, FRESH, [STATUS, STATUS]],
    [206, FRESH, [STATUS, STATUS], [200, 206]],
    [299, FRESH, [STATUS, '60 s, hit']],
    [299, cc('max-age=60, must-understand'), [STATUS, not('must-understand')]],
    [404, FRESH, ['999 s, hit', '60 s, hit'], [200, 404]],
    [404, FRESH, [STATUS, STATUS], [200]],
    [500, {}, ['999 s, hit', '999 s, hit'], [200, 500]],
    [500, cc('no-store'), ['999 s, hit', not('no-store')], [200, 500]],
  ];
  for (const [status, headers, outcomes, allowableCodes] of rows) {
    const said = [
      headers['cache-control'] ?? 'no header',
      allowableCodes && `allowableCodes ${allowableCodes}`,
    ];
    inEachMode(
      `${status} with ${said.filter(Boolean).join(', ')}`,
      outcomes,
      (own) => {
        own.origin.on('/r', answering(headers, status));
        return fateOf(own);
      },
      { expireAfter: 999, ...(allowableCodes && { allowableCodes }) },
    );
  }
});

describe('modes: expireAfter at each level against what the response says', () => {
  interface Levels {
    request?: ExpireAfter;
    url?: ExpireAfter;
    adapter?: ExpireAfter;
  }
  const bypassed = 'not stored (DO_NOT_CACHE)';
  const rows: readonly (readonly [levels: Levels, headers: Fields, outcomes: Outcomes])[] = [
    [{ request: 5 }, {}, ['5 s, hit', '5 s, hit']],
    [{ request: 5, url: 7, adapter: 9 }, cc('max-age=60'), ['5 s, hit', '5 s, hit']],
    [{ url: 7, adapter: 9 }, cc('max-age=60'), ['7 s, hit', '60 s, hit']],
    [{ url: 7, adapter: 9 }, { expires: at(60) }, ['7 s, hit', '60 s, hit']],
    [{ url: 7, adapter: 9 }, { 'last-modified': at(-1000) }, ['7 s, hit', '7 s, hit']],
    [{ url: 7, adapter: 9 }, {}, ['7 s, hit', '7 s, hit']],
    [{ url: null, adapter: 9 }, {}, ['9 s, hit', '9 s, hit']],
    [{ adapter: 9 }, cc('max-age=60'), ['9 s, hit', '60 s, hit']],
    [{ adapter: 9 }, { 'last-modified': at(-1000) }, ['9 s, hit', '9 s, hit']],
    [{ adapter: -1 }, { 'last-modified': at(-1000) }, ['never, hit', 'never, hit']],
    [{ adapter: -1 }, cc('max-age=60'), ['never, hit', '60 s, hit']],
    [{ request: null }, cc('max-age=60'), ['never, hit', '60 s, hit']],
    [{ request: -1 }, cc('max-age=60'), ['never, hit', 'never, hit']],
    [{ request: -1 }, { ...cc('max-age=0'), age: '50' }, ['never, hit', 'never, hit']],
    [{ request: 5 }, { ...cc('max-age=60'), age: '50' }, ['5 s, hit', '5 s, hit']],
    [{ request: 5 }, cc('no-store'), ['5 s, hit', 'not stored (no-store)']],
    [{ request: 5 }, { ...cc('no-cache'), ...ETAG }, ['5 s, hit', '5 s, revalidated']],
    [{ request: 0 }, cc('max-age=60'), [NEVER_REUSABLE, NEVER_REUSABLE]],
    [{ request: 0 }, { ...cc('max-age=60'), ...ETAG }, ['0 s, revalidated', '0 s, revalidated']],
    [{ adapter: 0 }, cc('max-age=60'), [NEVER_REUSABLE, '60 s, hit']],
    [{ adapter: 0 }, ETAG, ['0 s, revalidated', '0 s, revalidated']],
    [{ request: DO_NOT_CACHE }, cc('max-age=60'), [bypassed, bypassed]],
    [{ url: DO_NOT_CACHE }, cc('max-age=60'), [bypassed, bypassed]],
    [{ adapter: DO_NOT_CACHE }, cc('max-age=60'), [bypassed, bypassed]],
    [{ request: 5, url: DO_NOT_CACHE }, cc('max-age=60'), ['5 s, hit', '5 s, hit']],
  ];
  for (const [levels, headers, outcomes] of rows) {
    const said = Object.entries(levels).map(([level, value]) => `${level} ${String(value)}`);
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const { request, url, adapter } = levels;
    const wishes: Wishes = request === undefined ? {} : { expireAfter: request };
    inEachMode(
      `${said.join(', ')} over ${fields.join(', ') || 'nothing'}`,
      outcomes,
      (own) => {
        own.origin.on('/r', answering(headers));
        return fateOf(own, wishes);
      },
      {
        ...(adapter !== undefined && { expireAfter: adapter }),
        ...(url !== undefined && { urlsExpireAfter: { '*': url } }),
      },
    );
  }
});
