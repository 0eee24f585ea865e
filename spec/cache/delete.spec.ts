import { expect } from 'chai';
import { CacheOptionError, type Selector } from '../../lib/index.js';
import type { Rig } from '../support/harness.js';
import { collect, inMemory, onEachStore, redirect, rejection, varying } from './support.js';

/** Four responses, stored ten seconds apart: /old expired, /fresh and /json not yet, /never never. */
async function four({ http, clock }: Rig): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const [path, expireAfter] of [
    ['/old', 5],
    ['/fresh', 1000],
    ['/never', -1],
    ['/json/a', 1000],
  ] as const) {
    keys[path] = (await http.get(path, { expireAfter })).cacheKey ?? '';
    clock.tick(10);
  }
  return keys;
}

async function paths({ adapter }: Rig): Promise<string[]> {
  const urls = await adapter.cache.urls();
  return urls.map((url) => new URL(url).pathname);
}

onEachStore('delete', (start) => {
  it('deletes nothing without conditions', async () => {
    const on = await start();
    await four(on);
    for (const selector of [{}, { keys: undefined, expired: undefined }]) {
      expect(await on.adapter.cache.delete(selector)).to.equal(0);
    }
    expect(await on.adapter.cache.count()).to.equal(4);
  });

  const conditions: [
    what: string,
    selector: (on: Rig, keys: Record<string, string>) => Selector,
    left: string[],
  ][] = [
    ['one key', (_, keys) => ({ keys: [keys['/old'] ?? ''] }), ['/fresh', '/json/a', '/never']],
    [
      'several keys',
      (_, keys) => ({ keys: [keys['/old'] ?? '', keys['/never'] ?? ''] }),
      ['/fresh', '/json/a'],
    ],
    ['no keys', () => ({ keys: [] }), ['/fresh', '/json/a', '/never', '/old']],
    ['a URL', ({ origin }) => ({ urls: [`${origin.url}/fresh`] }), ['/json/a', '/never', '/old']],
    ['no URLs', () => ({ urls: [] }), ['/fresh', '/json/a', '/never', '/old']],
    [
      'a request',
      ({ origin }) => ({ requests: [{ baseURL: origin.url, url: '/fresh' }] }),
      ['/json/a', '/never', '/old'],
    ],
    ['no requests', () => ({ requests: [] }), ['/fresh', '/json/a', '/never', '/old']],
    ['a pattern', () => ({ pattern: '127.0.0.1/json/' }), ['/fresh', '/never', '/old']],
    ['a pattern for everything', () => ({ pattern: '*' }), []],
    ['a RegExp on the whole URL', () => ({ pattern: /^http:.*\/(old|never)$/ }), ['/fresh', '/json/a']],
    ['expired', () => ({ expired: true }), ['/fresh', '/json/a', '/never']],
    ['not expired', () => ({ expired: false }), ['/old']],
    ['readable', () => ({ invalid: false }), []],
    ['unreadable', () => ({ invalid: true }), ['/fresh', '/json/a', '/never', '/old']],
    ['older than seconds', () => ({ olderThan: 20 }), ['/json/a', '/never']],
    ['older than a duration', () => ({ olderThan: { seconds: 19, milliseconds: 999 } }), ['/json/a']],
    [
      'older than a moment',
      ({ clock }) => ({ olderThan: new Date(clock.now() - 30_000) }),
      ['/fresh', '/json/a', '/never'],
    ],
    ['a filter', () => ({ filter: ({ expires }) => expires === undefined }), ['/fresh', '/json/a', '/old']],
    [
      'fresh ones by pattern',
      () => ({ pattern: '127.0.0.1/json', expired: false }),
      ['/fresh', '/never', '/old'],
    ],
    [
      'expired ones by pattern',
      () => ({ pattern: '127.0.0.1/json', expired: true }),
      ['/fresh', '/json/a', '/never', '/old'],
    ],
    [
      'all conditions at once',
      ({ origin }, keys) => ({
        keys: Object.values(keys),
        requests: [{ url: `${origin.url}/old` }, { url: `${origin.url}/fresh` }],
        urls: [`${origin.url}/old`, `${origin.url}/never`],
        pattern: /./,
        expired: true,
        invalid: false,
        olderThan: 1,
        filter: () => true,
      }),
      ['/fresh', '/json/a', '/never'],
    ],
    [
      'keys and requests that have nothing in common',
      ({ origin }, keys) => ({ keys: [keys['/old'] ?? ''], requests: [{ url: `${origin.url}/fresh` }] }),
      ['/fresh', '/json/a', '/never', '/old'],
    ],
  ];
  for (const [what, selector, left] of conditions) {
    it(`selects by ${what}`, async () => {
      const on = await start();
      const keys = await four(on);
      expect(await on.adapter.cache.delete(selector(on, keys))).to.equal(4 - left.length);
      expect(await paths(on)).to.deep.equal(left);
      expect(await on.adapter.cache.count()).to.equal(left.length);
    });
  }

  it('does not mind what is not there', async () => {
    const { adapter, http, origin } = await start();
    const { cacheKey = '' } = await http.get('/a');
    expect(await adapter.cache.delete({ keys: ['no', 'such', cacheKey, cacheKey] })).to.equal(1);
    expect(await adapter.cache.delete({ keys: [cacheKey] })).to.equal(0);
    expect(await adapter.cache.delete({ urls: ['not a url', `${origin.url}/b`] })).to.equal(0);
    expect(await adapter.cache.delete({ requests: [{ url: '/relative' }, { url: 'data:,x' }] })).to.equal(0);
    expect(await adapter.cache.delete({ pattern: 'elsewhere.org' })).to.equal(0);
  });

  it('lets the next request go to the network', async () => {
    const { adapter, http, origin } = await start();
    await http.get('/a');
    await http.get('/a');
    await adapter.cache.delete({ urls: [`${origin.url}/a`] });
    expect((await http.get('/a')).fromCache).to.equal(false);
    expect(origin.count).to.equal(2);
  });

  it('knows a URL in whatever spelling, and by its final URL or any that redirected', async () => {
    const { adapter, http, origin } = await start({ ignoredParameters: ['page'] });
    origin.on('/hop', redirect('/target?b=2&a=1'));
    const { host } = new URL(origin.url);
    const target = `${origin.url}/target`;
    for (const url of [
      `${target}?b=2&a=1`,
      `${target}?a=1&b=2`,
      `${target}?a=1&&b=2&`,
      `${target}?%61=%31&b=2#part`,
      `http://me:secret@${host}/x/../target?a=1&b=2`,
      `HTTP://${host}/%74arget?a=1&b=2&page=7`,
      `${origin.url}/hop`,
    ]) {
      await http.get('/hop');
      expect(await adapter.cache.delete({ urls: [url] }), url).to.equal(1);
      expect(await adapter.cache.size(), url).to.equal(0);
    }
    await http.get('/target?b=2&a=1');
    for (const url of [
      target,
      `${target}?a=1`,
      `${target}?a=1&b=2&c=3`,
      `${target}/?a=1&b=2`,
      `${target}?a=2&b=1`,
    ]) {
      expect(await adapter.cache.delete({ urls: [url] }), url).to.equal(0);
    }
  });

  it('takes a URL for all its methods, users and variants', async () => {
    const { adapter, http, origin } = await start();
    origin.on('/v', varying('Accept'));
    await http.get('/v', { headers: { Accept: 'a/a' } });
    await http.get('/v', { headers: { Accept: 'b/b' } });
    await http.get('/v', { headers: { Accept: 'b/b' }, auth: { username: 'me', password: 'x' } });
    await http.head('/v');
    await http.get('/v/below');
    expect(await adapter.cache.delete({ urls: [`${origin.url}/v`] })).to.equal(4);
    expect(await adapter.cache.urls()).to.deep.equal([`${origin.url}/v/below`]);
  });

  it('takes URLs that differ in a redacted value only for one, since the value is not kept', async () => {
    const { adapter, http, origin } = await start();
    await http.get('/a?token=one');
    await http.get('/a?token=two');
    await http.get('/a');
    expect(await adapter.cache.count()).to.equal(3);
    expect(await adapter.cache.delete({ urls: [`${origin.url}/a?token=three`] })).to.equal(2);
    expect(await adapter.cache.urls()).to.deep.equal([`${origin.url}/a`]);
  });

  it('deletes the variants that a key or request leads to, or one alone by its own key', async () => {
    const { adapter, http, origin } = await start();
    origin.on('/v', varying('Accept'));
    const url = `${origin.url}/v`;
    const keys: string[] = [];
    const fill = async () => {
      for (const accept of ['a/a', 'b/b', 'c/c']) {
        keys.push((await http.get('/v', { headers: { Accept: accept } })).cacheKey ?? '');
      }
    };
    await fill();
    expect(await adapter.cache.delete({ keys: [keys[1] ?? ''] })).to.equal(1);
    expect(await adapter.cache.has({ url, headers: { Accept: 'b/b' } })).to.equal(false);
    expect(await adapter.cache.has({ url, headers: { Accept: 'c/c' } })).to.equal(true);
    expect(await adapter.cache.delete({ keys: [adapter.cache.createKey({ url })] })).to.equal(2);
    expect(await adapter.cache.count()).to.equal(0);
    expect(await adapter.cache.size()).to.equal(0);
    await fill();
    expect(await adapter.cache.delete({ requests: [{ url, headers: { Accept: 'a/a' } }] })).to.equal(1);
    expect(await adapter.cache.count()).to.equal(2);
  });

  it('deletes the target of a redirect with what led to it', async () => {
    const { adapter, http, origin } = await start();
    origin.on('/first', redirect('/second')).on('/second', redirect('/target'));
    for (const selector of [
      { requests: [{ url: `${origin.url}/first` }] },
      { requests: [{ url: `${origin.url}/target` }] },
      { pattern: '127.0.0.1/second' },
      { filter: () => true },
    ]) {
      await http.get('/first');
      expect(await adapter.cache.delete(selector)).to.equal(1);
      for (const path of ['/first', '/second', '/target']) {
        expect(await adapter.cache.has({ url: origin.url + path })).to.equal(false);
      }
    }
  });

  it('deletes what can not be read by key, by request and by invalid: true alone', async () => {
    const { adapter, http, origin, damage: spoil } = await start({ hotBytes: 0 });
    const { cache } = adapter;
    const damage = async (path: string) => {
      const { cacheKey = '' } = await http.get(path);
      await spoil(cacheKey);
      return cacheKey;
    };
    const key = await damage('/a');
    await http.get('/b');
    for (const selector of [
      { keys: [key], invalid: false },
      { keys: [key], expired: true },
      { urls: [`${origin.url}/a`] },
      { invalid: true, olderThan: 0 },
      { invalid: true, filter: () => true },
    ]) {
      expect(await cache.delete(selector), Object.keys(selector).join()).to.equal(0);
    }
    expect(await cache.delete({ keys: [key] })).to.equal(1);
    await damage('/a');
    expect(await cache.delete({ requests: [{ url: `${origin.url}/a` }] })).to.equal(1);
    await damage('/a');
    await damage('/c');
    expect(await cache.delete({ invalid: true })).to.equal(2);
    expect(await cache.count()).to.equal(1);
    expect(await collect(cache.filter({ invalid: true }))).to.have.length(1);
  });
});

describe('a selector', () => {
  const start = inMemory();

  for (const [what, selector] of Object.entries({
    'an unknown name': { key: ['x'] },
    'a name of the wrong case': { Keys: [] },
    'no object': 5,
    null: null,
    undefined: undefined,
    'an array': ['x'],
    'a key that is no list': { keys: 'x' },
    'keys that are no text': { keys: [1] },
    'a URL that is no list': { urls: 'http://a.org' },
    'URLs that are no text': { urls: [new URL('http://a.org')] },
    'requests that are no configs': { requests: ['http://a.org'] },
    'a request that is no list': { requests: { url: 'http://a.org' } },
    'a pattern of the wrong type': { pattern: 5 },
    'expired of the wrong type': { expired: 1 },
    'invalid of the wrong type': { invalid: 'yes' },
    'a negative age': { olderThan: -1 },
    'an age in words': { olderThan: '1 day' },
    'an age that is no number': { olderThan: Number.NaN },
    'an invalid Date': { olderThan: new Date(Number.NaN) },
    'an empty duration': { olderThan: {} },
    'a duration of unknown units': { olderThan: { fortnights: 1 } },
    'no age': { olderThan: null },
    'a filter that is no function': { filter: /x/ },
  })) {
    it(`is refused with ${what}, and nothing is deleted`, async () => {
      const { adapter, http } = await start();
      await http.get('/a');
      for (const refused of [
        adapter.cache.delete(selector as Selector),
        ...(selector === undefined ? [] : [adapter.cache.resetExpiration(5, selector as Selector)]),
      ]) {
        expect(await rejection(refused)).to.be.instanceOf(CacheOptionError);
      }
      expect(await adapter.cache.count()).to.equal(1);
      expect((await http.get('/a')).expires).to.equal(undefined);
    });
  }

  it('hands the failure of its filter on', async () => {
    const { adapter, http } = await start();
    await http.get('/a');
    const failure = new Error('mine');
    const filter = () => {
      throw failure;
    };
    expect(await rejection(adapter.cache.delete({ filter }))).to.equal(failure);
    expect(await adapter.cache.count()).to.equal(1);
  });
});
