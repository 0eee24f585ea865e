import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import {
  CacheOptionError,
  cacheAdapter,
  DO_NOT_CACHE,
  EXPIRE_IMMEDIATELY,
  type ExpireAfter,
  MemoryBackend,
  NEVER_EXPIRE,
} from '../../lib/index.js';
import { collect, inMemory, onEachStore, redirect, rejection, type StoredRig, varying } from './support.js';

/** Seconds from now until each response expires, by path; `never`. */
async function left({ adapter }: StoredRig): Promise<Record<string, number | 'never'>> {
  const found: Record<string, number | 'never'> = {};
  for (const { url, expiresIn } of await collect(adapter.cache.values())) {
    found[new URL(url).pathname] = expiresIn ?? 'never';
  }
  return found;
}

/** 120 s old: one expired a minute ago, one with time, one without end. */
async function aged(on: StoredRig): Promise<void> {
  await on.http.get('/old', { expireAfter: 60 });
  await on.http.get('/fresh', { expireAfter: 600 });
  await on.http.get('/never');
  on.clock.tick(120);
}

onEachStore('removeExpiredResponses', (start) => {
  it('deletes what has expired and keeps what has not, for ever or yet', async () => {
    const on = await start();
    await aged(on);
    expect(await on.adapter.cache.removeExpiredResponses()).to.equal(1);
    expect(await left(on)).to.deep.equal({ '/fresh': 480, '/never': 'never' });
    expect(await on.adapter.removeExpiredResponses()).to.equal(0);
    expect((await on.http.get('/old')).fromCache).to.equal(false);
    expect((await on.http.get('/fresh')).fromCache).to.equal(true);
  });

  it('counts the moment of expiry itself as expired', async () => {
    const on = await start();
    await on.http.get('/a', { expireAfter: 60 });
    on.clock.tick(59.999);
    expect(await on.adapter.removeExpiredResponses({})).to.equal(0);
    on.clock.tick(0.001);
    expect(await on.adapter.removeExpiredResponses({})).to.equal(1);
  });

  it('deletes what can not be read, and counts it', async () => {
    const on = await start({ hotBytes: 0 });
    await aged(on);
    await on.damage((await on.http.get('/bad')).cacheKey ?? '');
    await on.store.set('foreign', new Uint8Array(3), { createdAt: 0, url: '' });
    expect(await on.adapter.removeExpiredResponses()).to.equal(3);
    expect(await collect(on.adapter.cache.filter({ invalid: true }))).to.have.length(2);
    expect(await on.adapter.removeExpiredResponses()).to.equal(0);
  });

  // requests-cache 0.6: expires = created_at + X for every entry, then what has expired goes.
  const forms: [what: string, expireAfter: (on: StoredRig) => ExpireAfter, gone: number, left: object][] = [
    ['seconds that revive', () => 300, 0, { '/old': 180, '/fresh': 180, '/never': 180 }],
    ['seconds that are over', () => 30, 3, {}],
    ['a duration', () => ({ days: 30 }), 0, { '/old': 2591880, '/fresh': 2591880, '/never': 2591880 }],
    ['a fraction', () => 120.5, 0, { '/old': 0.5, '/fresh': 0.5, '/never': 0.5 }],
    ['never', () => NEVER_EXPIRE, 0, { '/old': 'never', '/fresh': 'never', '/never': 'never' }],
    ['at once', () => EXPIRE_IMMEDIATELY, 3, {}],
    ['the past', () => -5, 3, {}],
    ['a Date', ({ clock }) => new Date(clock.now() + 5000), 0, { '/old': 5, '/fresh': 5, '/never': 5 }],
    [
      'a Temporal duration',
      () => ({ total: () => 300_000 }),
      0,
      { '/old': 180, '/fresh': 180, '/never': 180 },
    ],
    ['undefined: no new date', () => undefined, 1, { '/fresh': 480, '/never': 'never' }],
    ['null: no new date', () => null, 1, { '/fresh': 480, '/never': 'never' }],
  ];
  for (const [what, expireAfter, gone, remaining] of forms) {
    it(`dates every entry from its creation first, with expireAfter as ${what}`, async () => {
      const on = await start();
      await aged(on);
      expect(await on.adapter.removeExpiredResponses({ expireAfter: expireAfter(on) })).to.equal(gone);
      expect(await left(on)).to.deep.equal(remaining);
      expect(await on.adapter.cache.count()).to.equal(3 - gone);
    });
  }

  it('revives an expired entry until its new end', async () => {
    const on = await start();
    await aged(on);
    await on.adapter.removeExpiredResponses({ expireAfter: 300 });
    on.clock.tick(179);
    expect((await on.http.get('/old')).fromCache).to.equal(true);
    on.clock.tick(2);
    expect((await on.http.get('/old')).fromCache).to.equal(false);
  });

  it('keeps the variants that have time, and lets go of what leads nowhere', async () => {
    const { http, adapter, origin, clock, store } = await start();
    origin.on('/v', varying('Accept')).on('/hop', redirect('/target'));
    const accept = (Accept: string) => ({ headers: { Accept } });
    await http.get('/v', { ...accept('a/a'), expireAfter: 10 });
    await http.get('/v', { ...accept('b/b'), expireAfter: 100 });
    await http.get('/hop', { expireAfter: 10 });
    clock.tick(20);
    expect(await adapter.removeExpiredResponses()).to.equal(2);
    expect((await http.get('/v', accept('b/b'))).fromCache).to.equal(true);
    clock.tick(100);
    expect(await adapter.removeExpiredResponses()).to.equal(1);
    expect(await collect(store.keys())).to.deep.equal([]);
    expect((await http.get('/v', accept('a/a'))).fromCache).to.equal(false);
  });

  it('keeps a redirect whose target was revalidated through it', async () => {
    const { http, adapter, origin, clock } = await start();
    origin.on('/hop', redirect('/target')).on('/target', (req, res) => {
      res.setHeader('etag', '"1"');
      if (req.headers['if-none-match'] === '"1"') res.statusCode = 304;
      res.end('body');
    });
    await http.get('/hop', { expireAfter: 10 });
    clock.tick(20);
    expect((await http.get('/hop', { expireAfter: 100 })).revalidated).to.equal(true);
    expect(await adapter.removeExpiredResponses()).to.equal(0);
    expect((await http.get('/hop')).fromCache).to.equal(true);
    expect((await http.get('/hop')).revalidated).to.equal(false);
    clock.tick(101);
    expect(await adapter.removeExpiredResponses()).to.equal(1);
    expect(await adapter.cache.size()).to.equal(0);
  });
});

onEachStore('resetExpiration', (start) => {
  const forms: [what: string, expireAfter: (on: StoredRig) => ExpireAfter, expires: number | 'never'][] = [
    ['seconds', () => 300, 300],
    ['a fraction', () => 0.25, 0.25],
    ['a duration', () => ({ minutes: 1, milliseconds: 1 }), 60.001],
    ['never', () => NEVER_EXPIRE, 'never'],
    ['at once', () => EXPIRE_IMMEDIATELY, 0],
    ['the past', () => -7, -7],
    ['a Date', ({ clock }) => new Date(clock.now() + 5000), 5],
    ['a Temporal instant', ({ clock }) => ({ epochMilliseconds: clock.now() + 6000 }), 6],
  ];
  for (const [what, expireAfter, expires] of forms) {
    it(`dates all responses from now, with ${what}`, async () => {
      const on = await start();
      await aged(on);
      expect(await on.adapter.cache.resetExpiration(expireAfter(on))).to.equal(3);
      expect(await left(on)).to.deep.equal({ '/old': expires, '/fresh': expires, '/never': expires });
    });
  }

  it('dates the selected ones only', async () => {
    const on = await start();
    await aged(on);
    const { cache } = on.adapter;
    expect(await cache.resetExpiration(50, { expired: true })).to.equal(1);
    expect(await left(on)).to.deep.equal({ '/old': 50, '/fresh': 480, '/never': 'never' });
    expect(
      await cache.resetExpiration(70, { urls: [`${on.origin.url}/never`, `${on.origin.url}/old`] }),
    ).to.equal(2);
    expect(await left(on)).to.deep.equal({ '/old': 70, '/fresh': 480, '/never': 70 });
    expect(await cache.resetExpiration(90, {})).to.equal(0);
    expect(await cache.resetExpiration(90, { keys: ['none'] })).to.equal(0);
    expect(await left(on)).to.deep.equal({ '/old': 70, '/fresh': 480, '/never': 70 });
  });

  it('counts for hits from then on, hot ones too, and for what the store may drop', async () => {
    const { http, adapter, clock } = await start();
    await http.get('/a', { expireAfter: 10 });
    expect((await http.get('/a')).fromCache).to.equal(true);
    await adapter.cache.resetExpiration(100);
    clock.tick(50);
    expect(await adapter.removeExpiredResponses()).to.equal(0);
    const hit = await http.get('/a');
    expect(hit.fromCache).to.equal(true);
    expect(hit.expires?.getTime()).to.equal(clock.now() + 50_000);
    await adapter.cache.resetExpiration(-1);
    expect((await http.get('/a')).expires).to.equal(undefined);
    await adapter.cache.resetExpiration(0);
    expect((await http.get('/a')).fromCache).to.equal(false);
  });

  it('takes variants and redirects along', async () => {
    const { http, adapter, origin, clock } = await start();
    origin.on('/v', varying('Accept')).on('/hop', redirect('/target'));
    const accept = { headers: { Accept: 'a/a' } };
    await http.get('/v', { ...accept, expireAfter: 10 });
    await http.get('/hop', { expireAfter: 10 });
    expect(await adapter.cache.resetExpiration(100)).to.equal(2);
    clock.tick(50);
    expect(await adapter.removeExpiredResponses()).to.equal(0);
    expect((await http.get('/v', accept)).fromCache).to.equal(true);
    expect((await http.get('/hop')).fromCache).to.equal(true);
    expect(origin.count).to.equal(3);
  });

  it('leaves creation and bytes as they are', async () => {
    const { http, adapter, clock } = await start();
    const { cacheKey = '', createdAt, data } = await http.get('/a');
    clock.tick(50);
    await adapter.cache.resetExpiration(100);
    const found = await adapter.cache.get(cacheKey);
    expect(found?.createdAt).to.deep.equal(createdAt);
    expect(found?.json()).to.deep.equal(data);
  });
});

describe('an expiry for what is stored', () => {
  const start = inMemory();
  for (const refused of [
    '1 day',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    {},
    true,
    new Date(Number.NaN),
    DO_NOT_CACHE,
  ]) {
    it(`can not be ${String(refused)}`, async () => {
      const { adapter, http } = await start();
      await http.get('/a', { expireAfter: 50 });
      const expireAfter = refused as ExpireAfter;
      for (const call of [
        adapter.cache.resetExpiration(expireAfter),
        adapter.cache.removeExpiredResponses({ expireAfter }),
        adapter.removeExpiredResponses({ expireAfter }),
      ]) {
        expect(await rejection(call)).to.be.instanceOf(CacheOptionError);
      }
      expect((await collect(adapter.cache.values()))[0]?.expiresIn).to.equal(50);
    });
  }

  it('must be given to resetExpiration', async () => {
    const { adapter } = await start();
    for (const expireAfter of [undefined, null]) {
      expect(await rejection(adapter.cache.resetExpiration(expireAfter))).to.be.instanceOf(CacheOptionError);
    }
  });
});

describe('maintenance of very many', () => {
  it('dates and deletes what leads to responses, too', async () => {
    let now = Date.now();
    // As http.js does for a 302.
    const followed = ({ url, beforeRedirect }: InternalAxiosRequestConfig) => {
      if (url !== 'http://a.example/moved') return;
      beforeRedirect?.(
        { href: 'http://a.example/target', method: 'GET', headers: {} },
        { headers: { location: '/target' }, statusCode: 302 as never },
        { headers: {}, url, method: 'GET' },
      );
    };
    const store = new MemoryBackend();
    const adapter = cacheAdapter({
      backend: store,
      expireAfter: 60,
      clock: () => now,
      adapter: async (config) => {
        followed(config);
        return {
          data: 'x',
          status: 200,
          statusText: 'OK',
          headers: {},
          config,
          request: {},
        } as AxiosResponse;
      },
    });
    const http = axios.create({ adapter });
    await http.get('http://a.example/moved');
    // More than are kept in mind of what requests have changed.
    const many = 21_000;
    for (let n = 0; n < many; n++) await http.get(`http://a.example/${n}`);
    expect(await collect(store.keys())).to.have.length(many + 2);
    expect(await adapter.cache.resetExpiration(600)).to.equal(many + 1);
    now += 300_000;
    expect((await http.get('http://a.example/moved')).fromCache).to.equal(true);
    expect(await adapter.cache.delete({ pattern: 'a.example' })).to.equal(many + 1);
    expect(await collect(store.keys())).to.deep.equal([]);
  }).timeout(60_000);
});
