/** Rows A01-A05, A50: installing, requests as ever, switching off, clearing. */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cacheAdapter } from '../../lib/index.js';
import { Origin } from '../support/origin.js';
import type { Outcome } from './bare.js';
import type { Got } from './getter.js';
import { answer, inDirectory, inProcess, programPath, reaching, rejection, using } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A project with this package's code and only what it can't do without. */
function installBare(directory: string): string {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  cpSync(join(root, 'lib'), join(directory, 'lib'), { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(directory, 'node_modules'));
  // Under scripts/with-axios.mjs `axios` is another package, in child processes too.
  const axios = ['axios', process.env.AXIOS_ALIAS ?? 'axios'];
  for (const name of new Set([...axios, ...Object.keys(dependencies)])) {
    const link = join(directory, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'junction');
  }
  const program = join(directory, 'spec', 'seed', 'bare.ts');
  cpSync(programPath('bare.ts'), program);
  return program;
}

describe('The seed: requests', () => {
  it(
    'A01 installation: the import needs no driver; a missing one is named when its backend is made',
    inDirectory(async (directory) => {
      const program = installBare(directory);
      const options = [
        { backend: 'memory' },
        { backend: 'sqlite', driver: 'keyv' },
        { driver: 'better-sqlite3' },
        {},
        { backend: 'filesystem' },
      ];
      const outcomes = await inProcess<Outcome[]>(program, [JSON.stringify(options)], { cwd: directory });
      const [memory, keyv, better, byDefault, filesystem] = outcomes;
      expect(memory).to.deep.equal({ ok: true });
      expect(filesystem).to.deep.equal({ ok: true });
      for (const [outcome, driver] of [
        [keyv, '@keyv/sqlite'],
        [better, 'better-sqlite3'],
      ] as const) {
        expect(outcome).to.include({ name: 'CacheDriverMissingError', code: 'ERR_CACHE_DRIVER' });
        expect(outcome?.message).to.contain(`npm install ${driver}`);
      }
      // The seed falls back to memory; the contract rather says what is missing than silently forgets.
      const hasBuiltIn = process.getBuiltinModule('node:sqlite') !== undefined;
      expect(byDefault).to.include(hasBuiltIn ? { ok: true } : { code: 'ERR_CACHE_DRIVER' });
    }),
  );

  it(
    'A02 drop-in: without any option responses are kept in ./http_cache.sqlite, for the next process too',
    inDirectory(async (directory) => {
      const origin = await Origin.start(answer('{"a":1}', { 'content-type': 'application/json' }));
      try {
        const url = `${origin.url}/get`;
        const once = () => inProcess<Got[]>(programPath('getter.ts'), [url], { cwd: directory });
        const [first] = await once();
        expect(existsSync(join(directory, 'http_cache.sqlite'))).to.equal(true);
        const [second] = await once();
        expect(origin.count).to.equal(1);
        expect(first?.fromCache).to.equal(false);
        expect(second).to.deep.equal({ ...first, fromCache: true });
      } finally {
        await origin.close();
      }
    }),
  );

  it(
    'A02 drop-in: the second response is the first one, but from the cache',
    using({}, async ({ http, origin }) => {
      const first = await http.get('/get', { params: { a: 1 } });
      const second = await http.get('/get', { params: { a: 1 } });
      expect(origin.count).to.equal(1);
      expect([first.fromCache, second.fromCache]).to.deep.equal([false, true]);
      for (const name of ['status', 'statusText', 'data'] as const) {
        expect(second[name]).to.deep.equal(first[name]);
      }
      expect({ ...second.headers }).to.deep.equal({ ...first.headers });
      expect(second.config.url).to.equal('/get');
      expect(second.config.params).to.deep.equal({ a: 1 });
    }),
  );

  it('A02 drop-in: every option has a default', async () => {
    const adapter = cacheAdapter({ cacheName: ':memory:' });
    expect(adapter.settings).to.include({ backend: 'sqlite', expireAfter: -1, matchHeaders: false });
    expect(adapter.settings.allowableMethods).to.deep.equal(['GET', 'HEAD']);
    expect(adapter.settings.ignoredParameters).to.deep.equal([]);
    await adapter.close();
  });

  it(
    'A03 any method of an instance goes through the cache, and HEAD has entries of its own',
    using({}, async ({ http, origin }) => {
      await http.request({ method: 'get', url: '/get' });
      expect((await http.get('/get')).fromCache).to.equal(true);
      expect((await http('/get')).fromCache).to.equal(true);
      expect(origin.count).to.equal(1);
      expect((await http.head('/get')).fromCache).to.equal(false);
      expect((await http.head('/get')).fromCache).to.equal(true);
      expect(origin.requests.map(({ method }) => method)).to.deep.equal(['GET', 'HEAD']);
    }),
  );

  it(
    'A04 cacheDisabled: neither read nor written inside, however nested, and restored behind it',
    using({}, async ({ http, origin, adapter }) => {
      await http.get('/a');
      await adapter.cacheDisabled(async () => {
        await http.get('/a');
        await adapter.cacheDisabled(() => http.get('/a'));
        await http.get('/a');
        await http.get('/new');
      });
      expect(origin.count).to.equal(5);
      expect((await http.get('/a')).fromCache).to.equal(true);
      expect((await http.get('/new')).fromCache).to.equal(false);
    }),
  );

  it(
    'A04 cacheDisabled: a throw inside restores the cache and comes out',
    using({}, async ({ http, adapter }) => {
      await http.get('/a');
      const boom = new Error('boom');
      const late = adapter.cacheDisabled(async () => {
        await http.get('/a');
        throw boom;
      });
      expect(await rejection(late)).to.equal(boom);
      expect(() =>
        adapter.cacheDisabled(() => {
          throw boom;
        }),
      ).to.throw(boom);
      expect((await http.get('/a')).fromCache).to.equal(true);
    }),
  );

  it(
    'A04 cacheDisabled: requests outside go on being cached meanwhile',
    using({}, async ({ http, adapter }) => {
      await http.get('/a');
      const inside = adapter.cacheDisabled(async () => {
        const before = await http.get('/a');
        const after = await http.get('/a');
        return [before.fromCache, after.fromCache];
      });
      const outside = await Promise.all([http.get('/a'), http.get('/a')]);
      expect(outside.map(({ fromCache }) => fromCache)).to.deep.equal([true, true]);
      expect(await inside).to.deep.equal([false, false]);
    }),
  );

  it(
    'A05 clear: every response and redirect goes',
    using({}, async ({ http, origin, adapter }) => {
      origin.on('/r', answer('', { location: '/t' }, 302));
      await http.get('/a');
      await http.get('/r');
      expect(await adapter.cache.count()).to.equal(2);
      await adapter.cache.clear();
      expect(await adapter.cache.count()).to.equal(0);
      expect(await adapter.cache.size()).to.equal(0);
      expect((await http.get('/a')).fromCache).to.equal(false);
      expect((await http.get('/r')).fromCache).to.equal(false);
      expect(origin.count).to.equal(6);
    }),
  );

  it(
    'A50 attributes: fromCache, createdAt, expires and isExpired',
    using({ expireAfter: 360 }, async ({ http, origin, adapter, clock }) => {
      const uncached = await http.get('/a', { cache: false });
      expect(uncached).to.include({ fromCache: false, isExpired: false, revalidated: false });
      expect(uncached).to.not.have.any.keys('createdAt', 'expires', 'cacheKey');

      const stored = clock.now();
      const first = await http.get('/a');
      clock.tick(100);
      const second = await http.get('/a');
      // The seed gives a response that has just been stored no dates; the contract does.
      for (const response of [first, second]) {
        expect(response.createdAt).to.deep.equal(new Date(stored));
        expect(response.expires).to.deep.equal(new Date(stored + 360_000));
        expect(response.isExpired).to.equal(false);
      }
      expect([first.fromCache, second.fromCache]).to.deep.equal([false, true]);

      clock.tick(300);
      await origin.close();
      adapter.settings.staleIfError = true;
      expect(await http.get('/a')).to.include({ fromCache: true, isExpired: true });
    }),
  );

  it(
    'A54 verify: requests that do not verify TLS have entries of their own',
    using({}, async ({ another, origin }) => {
      const { http } = another({}, reaching(origin));
      const insecure = reaching(origin, { rejectUnauthorized: false });
      await http.get('https://site.com/a');
      expect((await http.get('https://site.com/a', { httpsAgent: insecure.httpsAgent })).fromCache).to.equal(
        false,
      );
      expect((await http.get('https://site.com/a', { httpsAgent: insecure.httpsAgent })).fromCache).to.equal(
        true,
      );
      expect((await http.get('https://site.com/a')).fromCache).to.equal(true);
      expect(origin.count).to.equal(2);
    }),
  );
});
