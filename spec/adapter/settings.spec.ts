import { expect } from 'chai';
import { CacheOptionError, type CacheOptions, type CacheSettings } from '../../lib/index.js';
import { answer, Gate, RemoteStore, until, using } from './support.js';

const assign = (settings: CacheSettings, name: string, value: unknown) => () => {
  (settings as Record<string, unknown>)[name] = value;
};

describe('adapter.settings', () => {
  it(
    'shows every option, what was given and what is the default',
    using({ expireAfter: 60, oldDataOnError: 5, matchHeaders: ['a'] }, async ({ adapter }) => {
      const { settings } = adapter;
      expect(settings.expireAfter).to.equal(60);
      expect(settings.staleIfError).to.equal(5);
      expect(settings.oldDataOnError).to.equal(5);
      expect(settings.includeGetHeaders).to.deep.equal(['a']);
      expect(settings).to.include({
        cacheControl: false,
        coalesce: true,
        readOnly: false,
        storeTimeout: 2,
        maxEntryBytes: 67108864,
        serializer: 'binary',
        compression: false,
        frozen: false,
      });
      expect(settings.allowableMethods).to.deep.equal(['GET', 'HEAD']);
      expect(settings.allowableCodes).to.deep.equal([200]);
      settings.cacheControl = true; // then RFC 9111 decides, which no list can tell
      expect(settings.allowableCodes).to.equal(undefined);
      expect(settings.adapter).to.deep.equal(['xhr', 'http', 'fetch']);
      expect(Object.keys(settings)).to.include.members([
        'expireAfter',
        'backend',
        'cacheName',
        'urlsExpireAfter',
      ]);
      expect({ ...settings }.expireAfter).to.equal(60);
      expect('expireAfter' in settings).to.equal(true);
      expect('nope' in settings).to.equal(false);
    }),
  );

  it(
    'apply to what is stored from then on; what is stored stays as it is',
    using({ expireAfter: 10 }, async ({ http, adapter, clock }) => {
      await http.get('/before');
      adapter.settings.expireAfter = 100;
      await http.get('/after');
      clock.tick(11);
      expect((await http.get('/before')).fromCache).to.equal(false);
      expect((await http.get('/after')).fromCache).to.equal(true);
    }),
  );

  it(
    'let a request that is under way keep those it began with',
    using({ expireAfter: 10 }, async ({ http, adapter, origin }) => {
      const gate = new Gate();
      origin.on('/r', async (_req, res) => {
        await gate.opened;
        res.end('x');
      });
      const under = http.get('/r');
      await until(() => origin.count === 1);
      adapter.settings.expireAfter = 100;
      gate.open();
      expect((await under).cacheStatus?.ttl).to.equal(10);
    }),
  );

  const live: [string, unknown][] = [
    ['expireAfter', 5],
    ['expireAfter', -1],
    ['urlsExpireAfter', { 'a.com': 5 }],
    ['allowableMethods', ['POST']],
    ['allowableCodes', [404]],
    ['ignoredParameters', ['x']],
    ['redact', ['x']],
    ['matchHeaders', true],
    ['keyFn', () => 'x'],
    ['filterFn', () => true],
    ['cacheControl', true],
    ['shared', true],
    ['staleIfError', 60],
    ['staleWhileRevalidate', { hours: 1 }],
    ['alwaysRevalidate', true],
    ['onlyIfCached', true],
    ['readOnly', true],
    ['coalesce', false],
    ['maxEntries', 5],
    ['maxBytes', 5],
    ['maxEntryBytes', 5],
    ['frozen', true],
    ['adapter', 'fetch'],
    ['storeTimeout', 5],
    ['cacheStatusHeader', 'stash'],
  ];
  for (const [name, value] of live) {
    it(
      `${name} can be assigned, read back, and taken back`,
      using({}, async ({ adapter }) => {
        const settings = adapter.settings as Record<string, unknown>;
        const before = settings[name];
        settings[name] = value;
        expect(settings[name]).to.deep.equal(value);
        settings[name] = undefined;
        expect(settings[name]).to.deep.equal(before);
      }),
    );
  }

  it(
    'hands out no list that could be changed in vain, or for all caches',
    using({ ignoredParameters: ['a'], urlsExpireAfter: { 'a.com': { hours: 1 } } }, async ({ adapter }) => {
      const settings = adapter.settings as unknown as Record<string, unknown[]>;
      for (const name of ['allowableMethods', 'allowableCodes', 'ignoredParameters', 'redact', 'adapter'])
        expect(() => settings[name]?.push('x'), name).to.throw(TypeError);
      const patterns = adapter.settings.urlsExpireAfter as Record<string, { hours: number }>;
      expect(() => Object.assign(patterns, { 'b.com': 5 })).to.throw(TypeError);
      expect(() => Object.assign(patterns['a.com'] ?? {}, { hours: 'x' })).to.throw(TypeError);
    }),
  );

  it('keeps what it was given, whatever becomes of the lists and dates afterwards', async () => {
    const ignoredParameters = ['t'];
    const expireAfter = new Date(Date.now() + 100_000);
    await using({ ignoredParameters, expireAfter }, async ({ adapter, http }) => {
      ignoredParameters.push('x');
      expireAfter.setTime(Number.NaN);
      adapter.settings.allowableMethods = ['GET'];
      await http.get('/a?t=1&x=1');
      expect((await http.get('/a?t=2&x=1')).fromCache).to.equal(true);
      expect((await http.get('/a?t=1&x=2')).fromCache).to.equal(false);
    })();
  });

  it(
    'says nothing of what only the RFC can tell, and is no property to put another in',
    using({ cacheControl: true }, async ({ adapter, http }) => {
      const { settings } = adapter;
      expect([settings.expireAfter, settings.allowableCodes]).to.deep.equal([undefined, undefined]);
      settings.expireAfter = settings.expireAfter ?? undefined;
      expect((await http.get('/nothing-said')).cacheStatus?.stored).to.equal(false);
      settings.cacheControl = false;
      expect([settings.expireAfter, settings.allowableCodes]).to.deep.equal([-1, [200]]);
      expect(() => Object.assign(adapter, { settings: { expireAfter: 5 } })).to.throw(TypeError);
    }),
  );

  it(
    'makes the same cache again',
    using({ staleIfError: 5, matchHeaders: ['accept'] }, async ({ adapter, another }) => {
      const { backend: _, ...settings } = { ...adapter.settings };
      const { adapter: same } = another({ ...settings, backend: 'memory' } as CacheOptions);
      expect({ ...same.settings, backend: 0 }).to.deep.equal({ ...adapter.settings, backend: 0 });
    }),
  );

  for (const name of [
    'backend',
    'cacheName',
    'secretKey',
    'encryptionKey',
    'compression',
    'serializer',
    'hotBytes',
    'clock',
  ]) {
    it(
      `${name} is fixed when the cache is made`,
      using({}, async ({ adapter }) => {
        expect(assign(adapter.settings, name, 'x')).to.throw(
          CacheOptionError,
          /fixed when the cache is made/,
        );
      }),
    );
  }

  it(
    'refuse what is invalid, and stay as they were',
    using({ expireAfter: 10 }, async ({ http, adapter }) => {
      const bad: [string, unknown][] = [
        ['expireAfter', '5'],
        ['expireAfter', {}],
        ['staleIfError', -1],
        ['allowableCodes', [5]],
        ['matchHeaders', 'x'],
        ['keyFn', 5],
        ['maxEntries', 0],
        ['cacheControl', 'yes'],
        ['readOnly', null],
        ['urlsExpireAfter', { a: 'x' }],
      ];
      const before = { ...adapter.settings };
      for (const [name, value] of bad)
        expect(assign(adapter.settings, name, value), name).to.throw(CacheOptionError, name);
      expect({ ...adapter.settings }).to.deep.equal(before);
      expect((await http.get('/r')).cacheStatus?.ttl).to.equal(10);
    }),
  );

  it(
    'refuse a name that is none, with the one that was meant',
    using({}, async ({ adapter }) => {
      expect(assign(adapter.settings, 'expireafter', 5)).to.throw(
        CacheOptionError,
        /did you mean expireAfter\?/,
      );
      for (const name of ['toString', 'constructor', '__proto__', 'busyTimeout']) {
        expect(assign(adapter.settings, name, 5), name).to.throw(CacheOptionError);
      }
    }),
  );

  it(
    'treat an alias as the option itself',
    using({ oldDataOnError: true }, async ({ adapter }) => {
      adapter.settings.staleIfError = 5;
      expect(adapter.settings.oldDataOnError).to.equal(5);
      adapter.settings.oldDataOnError = 6;
      expect(adapter.settings.staleIfError).to.equal(6);
      adapter.settings.includeGetHeaders = true;
      expect(adapter.settings.matchHeaders).to.equal(true);
      adapter.settings.matchHeaders = undefined;
      expect(adapter.settings.includeGetHeaders).to.equal(false);
    }),
  );

  it(
    'refuse bounds that the store cannot keep',
    using({ backend: new RemoteStore() }, async ({ adapter }) => {
      expect(assign(adapter.settings, 'maxEntries', 5)).to.throw(CacheOptionError, /RemoteStore/);
      expect(adapter.settings.maxEntries).to.equal(undefined);
    }),
  );

  it(
    'take effect: allowed codes and methods, keys, bounds, the header, the inner adapter',
    using({}, async ({ http, adapter, origin }) => {
      const { settings } = adapter;
      origin.on('/404', answer('no', {}, 404));
      settings.allowableCodes = [200, 404];
      await http.get('/404', { validateStatus: null });
      expect((await http.get('/404', { validateStatus: null })).fromCache).to.equal(true);
      settings.allowableMethods = ['POST'];
      expect((await http.get('/404', { validateStatus: null })).fromCache).to.equal(false);
      settings.allowableMethods = undefined;
      settings.ignoredParameters = ['x'];
      await http.get('/r?x=1');
      expect((await http.get('/r?x=2')).fromCache).to.equal(true);
      settings.cacheStatusHeader = 'stash';
      expect((await http.get('/r?x=2')).headers['cache-status']).to.match(/^stash; hit/);
      settings.maxEntries = 1;
      await http.get('/a');
      await http.get('/b');
      expect(await adapter.cache.count()).to.equal(1);
      settings.adapter = async (config) =>
        ({ status: 200, statusText: 'OK', headers: {}, data: 'mine', config, request: {} }) as never;
      expect((await http.get('/c')).data).to.equal('mine');
    }),
  );

  it('are the cache’s own: a list changed after it was given changes nothing', async () => {
    const ignoredParameters = ['x'];
    await using({ ignoredParameters }, async ({ http }) => {
      ignoredParameters.push('y');
      await http.get('/r?y=1');
      expect((await http.get('/r?y=2')).fromCache).to.equal(false);
    })();
  });
});
