/** Which mode decides what of a request: when what is stored serves, and what makes it unusable. */
import { expect } from 'chai';
import {
  answering,
  type Fields,
  inEachMode,
  type Outcomes,
  outcomeOf,
  storeFor100Seconds,
  type Wishes,
} from './modes.js';

const ETAG = { etag: '"1"' };
const fresh = (more = ''): Fields => ({ 'cache-control': `max-age=100${more}` });
const cc = (value: string): Wishes => ({ headers: { 'Cache-Control': value } });

describe('modes: what a request says, of a response that is fresh for 100 s', () => {
  type Row = readonly [what: string, stored: Fields, age: number, wishes: Wishes, outcomes: Outcomes];
  const rows: readonly Row[] = [
    ['nothing', fresh(), 99, {}, ['hit', 'hit']],
    ['nothing, at the moment it expires', fresh(), 100, {}, ['fetched', 'fetched']],
    ['nothing, expired with an ETag', { ...fresh(), ...ETAG }, 100, {}, ['revalidated', 'revalidated']],
    ['no-store', { ...fresh(), ...ETAG }, 5, cc('no-store'), ['fetched', 'fetched']],
    ['no-cache', fresh(), 5, cc('no-cache'), ['fetched', 'fetched']],
    ['no-cache of an ETag', { ...fresh(), ...ETAG }, 5, cc('no-cache'), ['revalidated', 'revalidated']],
    ['Pragma: no-cache', fresh(), 5, { headers: { Pragma: 'no-cache' } }, ['fetched', 'fetched']],
    [
      'Pragma: no-cache beside Cache-Control',
      fresh(),
      5,
      { headers: { Pragma: 'no-cache', 'Cache-Control': 'max-age=10' } },
      ['hit', 'hit'],
    ],
    ['only-if-cached, fresh', fresh(), 5, cc('only-if-cached'), ['hit', 'hit']],
    ['only-if-cached, expired', { ...fresh(), ...ETAG }, 101, cc('only-if-cached'), ['504', '504']],
    ['only-if-cached, no-cache', fresh(), 5, cc('only-if-cached, no-cache'), ['504', '504']],
    [
      'only-if-cached, max-stale, expired',
      fresh(),
      101,
      cc('only-if-cached, max-stale'),
      ['504', 'stale (max-stale)'],
    ],
    ['max-age=10, as old', fresh(), 10, cc('max-age=10'), ['hit', 'hit']],
    ['max-age=10, older', fresh(), 11, cc('max-age=10'), ['fetched', 'fetched']],
    ['max-age=10, max-age=0', fresh(), 5, cc('max-age=10, max-age=0'), ['hit', 'hit']],
    ['max-age=abc', fresh(), 5, cc('max-age=abc'), ['fetched', 'fetched']],
    ['max-age=0 of an ETag', { ...fresh(), ...ETAG }, 0, cc('max-age=0'), ['revalidated', 'revalidated']],
    [
      'max-age=0 of immutable',
      { ...fresh(', immutable'), ...ETAG },
      0,
      cc('max-age=0'),
      ['revalidated', 'hit'],
    ],
    [
      'refresh of immutable',
      { ...fresh(', immutable'), ...ETAG },
      0,
      { refresh: true },
      ['revalidated', 'revalidated'],
    ],
    ['min-fresh=10, fresh enough', fresh(), 90, cc('min-fresh=10'), ['hit', 'hit']],
    ['min-fresh=10, not fresh enough', fresh(), 91, cc('min-fresh=10'), ['hit', 'fetched']],
    ['min-fresh=abc', fresh(), 91, cc('min-fresh=abc'), ['hit', 'hit']],
    ['max-stale', fresh(), 9999, cc('max-stale'), ['fetched', 'stale (max-stale)']],
    ['max-stale=15, within', fresh(), 115, cc('max-stale=15'), ['fetched', 'stale (max-stale)']],
    ['max-stale=15, beyond', fresh(), 116, cc('max-stale=15'), ['fetched', 'fetched']],
    ['max-stale=abc', fresh(), 101, cc('max-stale=abc'), ['fetched', 'fetched']],
    ['max-stale=60, max-age=10', fresh(), 110, cc('max-stale=60, max-age=10'), ['fetched', 'fetched']],
    ['max-stale=60, min-fresh=1', fresh(), 110, cc('max-stale=60, min-fresh=1'), ['fetched', 'fetched']],
    [
      'max-stale of must-revalidate',
      fresh(', must-revalidate'),
      101,
      cc('max-stale'),
      ['fetched', 'fetched'],
    ],
    [
      'max-stale of proxy-revalidate',
      fresh(', proxy-revalidate'),
      101,
      cc('max-stale'),
      ['fetched', 'stale (max-stale)', 'fetched'],
    ],
    ['NO-CACHE', fresh(), 5, cc('NO-CACHE'), ['fetched', 'fetched']],
    ['what no cache knows', fresh(), 5, cc('only-this="no-cache"'), ['hit', 'hit']],
  ];
  for (const [what, headers, age, wishes, outcomes] of rows) {
    inEachMode(
      what,
      outcomes,
      async (own) => {
        await storeFor100Seconds(own, headers, age);
        return outcomeOf(own, wishes);
      },
      { expireAfter: 100 },
    );
  }

  inEachMode(
    'max-age=10 counts what Age brought only where the origin’s headers count',
    ['hit', 'fetched'],
    async (own) => {
      own.origin.on('/r', answering({ 'cache-control': 'max-age=100', age: '20' }));
      await own.http.get('/r');
      return outcomeOf(own, cc('max-age=10'));
    },
    { expireAfter: 100 },
  );

  inEachMode(
    'no-store leaves what is stored as it is',
    ['fetched, then hit', 'fetched, then hit'],
    async (own) => {
      await storeFor100Seconds(own, fresh(), 5);
      return `${await outcomeOf(own, cc('no-store'))}, then ${await outcomeOf(own)}`;
    },
    { expireAfter: 100 },
  );

  inEachMode('only-if-cached where nothing is stored', ['504', '504'], (own) =>
    outcomeOf(own, cc('only-if-cached')),
  );
});

describe('modes: a 304', () => {
  const rows: readonly (readonly [what: string, update: Fields, outcomes: Outcomes])[] = [
    ['that says nothing', {}, ['100 s, hit', '100 s, hit']],
    ['with max-age=500', { 'cache-control': 'max-age=500' }, ['100 s, hit', '500 s, hit']],
    ['with no-cache', { 'cache-control': 'no-cache' }, ['100 s, hit', '100 s, revalidated']],
    [
      'with no-store, which leaves what is stored as it was',
      { 'cache-control': 'no-store' },
      ['100 s, hit', 'not stored (no-store), revalidated'],
    ],
    [
      'with private',
      { 'cache-control': 'private' },
      ['100 s, hit', '100 s, hit', 'not stored (private), revalidated'],
    ],
    [
      'with Vary: *',
      { vary: '*' },
      ['not stored (Vary changed), fetched', 'not stored (Vary changed), fetched'],
    ],
    ['with another ETag, so that the origin is asked again', { etag: '"2"' }, ['100 s, hit', '100 s, hit']],
  ];
  for (const [what, update, outcomes] of rows) {
    inEachMode(
      what,
      outcomes,
      async (own) => {
        await storeFor100Seconds(own, { ...fresh(), ...ETAG }, 101);
        own.origin.on('/r', answering({ ...ETAG, ...update }));
        const { cacheStatus = { hit: true } } = await own.http.get('/r');
        const { stored, ttl, detail } = cacheStatus;
        const next = await outcomeOf(own);
        return `${stored === true ? `${ttl} s` : `not stored (${detail})`}, ${next}`;
      },
      { expireAfter: 100 },
    );
  }
});

describe('modes: methods', () => {
  type Row = readonly [method: string, status: number, outcomes: Outcomes];
  const rows: readonly Row[] = [
    ['POST', 200, ['fetched', 'fetched']],
    ['POST', 303, ['fetched', 'fetched']],
    ['PUT', 204, ['fetched', 'fetched']],
    ['PATCH', 200, ['fetched', 'fetched']],
    ['DELETE', 200, ['fetched', 'fetched']],
    ['PURGE', 200, ['fetched', 'fetched']],
    ['POST', 400, ['hit', 'hit']],
    ['POST', 500, ['hit', 'hit']],
    ['HEAD', 200, ['hit', 'hit']],
    ['OPTIONS', 200, ['hit', 'hit']],
  ];
  for (const [method, status, outcomes] of rows) {
    inEachMode(
      `a GET after ${method} that was answered ${status}`,
      outcomes,
      async (own) => {
        await storeFor100Seconds(own, fresh(), 0);
        own.origin.on('/r', answering(fresh(), status));
        await own.http.request({ method, url: '/r' });
        own.origin.on('/r', answering(fresh()));
        return outcomeOf(own);
      },
      { expireAfter: 100 },
    );
  }

  for (const name of ['location', 'content-location']) {
    inEachMode(
      `a GET of what ${name} of a POST names, here and at another origin`,
      ['fetched, hit', 'fetched, hit'],
      async (own) => {
        await storeFor100Seconds(own, fresh(), 0);
        own.origin.on('/here', answering({ [name]: '/r' }, 201));
        own.origin.on('/there', answering({ [name]: 'http://other.example/r' }, 201));
        await own.http.post('/here');
        const after = await outcomeOf(own);
        await own.http.post('/there');
        return `${after}, ${await outcomeOf(own)}`;
      },
      { expireAfter: 100 },
    );
  }

  inEachMode(
    'HEAD has an entry of its own: HEAD, HEAD, GET, GET, HEAD',
    ['fetched, hit, fetched, hit, hit', 'fetched, hit, fetched, hit, hit'],
    async (own) => {
      own.origin.on('/r', answering(fresh()));
      const told: string[] = [];
      for (const method of ['HEAD', 'HEAD', 'GET', 'GET', 'HEAD'])
        told.push(await outcomeOf(own, {}, method));
      return told.join(', ');
    },
    { expireAfter: 100 },
  );

  inEachMode(
    'a Range request goes past what is stored',
    ['fetched, then hit', 'fetched, then hit'],
    async (own) => {
      await storeFor100Seconds(own, fresh(), 0);
      const part = await outcomeOf(own, { headers: { Range: 'bytes=0-1' } });
      return `${part}, then ${await outcomeOf(own)}`;
    },
    { expireAfter: 100 },
  );
});

describe('modes: Authorization', () => {
  const header: Wishes = { headers: { Authorization: 'Bearer a' } };
  const option: Wishes = { auth: { username: 'a', password: 'b' } };
  const refused = 'fetched, fetched';
  const kept = 'fetched, hit';
  const rows: readonly (readonly [string, string, Wishes, Outcomes])[] = [
    ['max-age=100', 'the header', header, [kept, kept, refused]],
    ['max-age=100', 'auth', option, [kept, kept, refused]],
    ['max-age=100, public', 'the header', header, [kept, kept]],
    ['max-age=100, must-revalidate', 'the header', header, [kept, kept]],
    ['s-maxage=100', 'the header', header, [kept, kept]],
    ['max-age=100, private', 'the header', header, [kept, kept, refused]],
  ];
  for (const [cacheControl, by, wishes, outcomes] of rows) {
    inEachMode(
      `${cacheControl}, sent by ${by}, then another user, then nobody`,
      outcomes.map((own) => `${own}, fetched, fetched`) as unknown as Outcomes,
      async (own) => {
        own.origin.on('/r', answering({ 'cache-control': cacheControl }));
        const told: string[] = [];
        const other = { headers: { Authorization: 'Bearer b' } };
        for (const each of [wishes, wishes, other, {}]) told.push(await outcomeOf(own, each));
        return told.join(', ');
      },
      { expireAfter: 100 },
    );
  }
});

describe('modes: the headers of a hit', () => {
  const rows: readonly (readonly [what: string, stored: Fields, name: string, outcomes: Outcomes])[] = [
    ['Age', fresh(), 'age', ['undefined', '7']],
    ['Age that the origin sent', { ...fresh(), age: '5' }, 'age', ['5', '12']],
    [
      'a field that Connection names',
      { ...fresh(), connection: 'x-hop', 'x-hop': 'a' },
      'x-hop',
      ['a', 'undefined'],
    ],
    ['a field that no-cache names', { ...fresh(', no-cache="x-a"'), 'x-a': 'a' }, 'x-a', ['a', 'undefined']],
    [
      'a field that private names',
      { ...fresh(', private="x-a"'), 'x-a': 'a' },
      'x-a',
      ['a', 'a', 'undefined'],
    ],
    ['Set-Cookie', { ...fresh(), 'set-cookie': 'a=1' }, 'set-cookie', ['a=1', 'a=1']],
    ['Pragma', { ...fresh(), pragma: 'no-cache' }, 'pragma', ['no-cache', 'no-cache']],
  ];
  for (const [what, headers, name, outcomes] of rows) {
    inEachMode(
      what,
      outcomes,
      async (own) => {
        own.origin.on('/r', answering(headers));
        await own.http.get('/r');
        own.clock.tick(7);
        const hit = await own.http.get('/r');
        expect(hit.fromCache).to.equal(true);
        return String(hit.headers[name]);
      },
      { expireAfter: 100 },
    );
  }
});
