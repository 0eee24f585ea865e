/** What earlier versions stored is used; what later ones store is left where it is, and missed. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axios, { type AxiosAdapter } from 'axios';
import { expect } from 'chai';
import { type CacheEvent, type CacheOptions, cacheAdapter, MemoryBackend } from '../../lib/index.js';
import { FORMAT_VERSION } from '../../lib/record/version.js';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { drivers, temporaryDirectory } from '../stores/drivers.js';
import { stores } from './stores.js';
import { FIXTURE_REQUESTS, fixtureOrigin } from './write-fixtures.js';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const versions = readdirSync(fixtures).filter((name) => /^v\d+$/.test(name));

const unreachable: AxiosAdapter = (config) => Promise.reject(new Error(`${config.url} was asked for`));

describe('caches of earlier versions', () => {
  it('have a fixture of the present formats', () => expect(versions).to.include(`v${FORMAT_VERSION}`));

  for (const version of versions) {
    const ways: [string, (path: string) => object][] = [
      ...drivers.map((driver): [string, (path: string) => object] => [
        `sqlite (${driver})`,
        (path) => ({ driver, cacheName: join(path, driver === 'keyv' ? 'keyv.db' : 'cache.db') }),
      ]),
      ['filesystem', (path) => ({ backend: 'filesystem', cacheName: join(path, 'files') })],
    ];
    for (const [name, options] of ways) {
      it(`of ${version} answer, and go on: ${name}`, async () => {
        const directory = temporaryDirectory();
        cpSync(join(fixtures, version), directory.path, { recursive: true });
        const errors: CacheEvent[] = [];
        const adapter = cacheAdapter({ ...options(directory.path), adapter: unreachable } as CacheOptions);
        adapter.cache.on('error', (event) => errors.push(event));
        try {
          for (const request of FIXTURE_REQUESTS) {
            const hit = await axios.request({ ...request, adapter });
            expect([hit.data, hit.fromCache]).to.deep.equal([
              (await fixtureOrigin(request as never)).data,
              true,
            ]);
          }
          expect(await adapter.cache.count()).to.equal(FIXTURE_REQUESTS.length);
          const more = cacheAdapter({ ...options(directory.path), adapter: fixtureOrigin } as CacheOptions);
          await axios.get('http://fixture.test/new', { adapter: more });
          await more.close();
          expect(await adapter.cache.count()).to.equal(FIXTURE_REQUESTS.length + 1);
          expect(await adapter.cache.delete({ requests: [FIXTURE_REQUESTS[0] ?? {}] })).to.equal(1);
          expect(errors).to.deep.equal([]);
        } finally {
          await adapter.close();
          directory.remove();
        }
      });
    }
  }
});

/** A record as a version to come might write it: ours, with another number. */
function newer(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  if (copy[0] === 0x7b)
    return Buffer.from(copy.toString('latin1').replace('"axios-stash":1,', '"axios-stash":2,'), 'latin1');
  copy[3] = FORMAT_VERSION + 1;
  return copy;
}

describe('a record of a later version is left alone and missed', () => {
  for (const { name, open } of stores) {
    for (const serializer of ['binary', 'json'] as const) {
      it(`${name}, ${serializer}`, async () => {
        const { store, remove } = await open();
        const adapter = cacheAdapter({
          backend: store,
          adapter: fixtureOrigin,
          hotBytes: 0,
          storeTimeout: 20,
          serializer,
        } as CacheOptions);
        const reasons: string[] = [];
        adapter.cache.on('error', ({ error }) => reasons.push(String(error)));
        const url = 'http://fixture.test/a';
        const get = async () => {
          const { data, fromCache } = await axios.get(url, { adapter });
          expect(data).to.equal('GET http://fixture.test/a');
          await adapter.cache.flush();
          return fromCache;
        };
        try {
          await get();
          const key = adapter.cache.createKey({ url });
          const theirs = newer((await store.get(key)) ?? Buffer.alloc(0));
          await store.set(key, theirs, { createdAt: Date.now(), url });
          for (let n = 0; n < 3; n++) expect(await get()).to.equal(false);
          expect(reasons).to.have.length(3);
          for (const reason of reasons) expect(reason).to.match(/newer than this version/);
          await adapter.cache.removeExpiredResponses();
          await adapter.cache.delete({ invalid: true });
          expect(Buffer.compare((await store.get(key)) ?? Buffer.alloc(0), theirs)).to.equal(0);
          // Who names it, or clears the cache, means it.
          expect(await adapter.cache.delete({ keys: [key] })).to.equal(1);
          expect(await get()).to.equal(false);
          expect(await get()).to.equal(true);
        } finally {
          await remove();
        }
      });
    }
  }
});

describe('a record of a later version', () => {
  it('that is gone again no longer stands in the way', async () => {
    const store = new MemoryBackend();
    const adapter = cacheAdapter({ backend: store, adapter: fixtureOrigin, hotBytes: 0 });
    const url = 'http://fixture.test/a';
    await axios.get(url, { adapter });
    const key = adapter.cache.createKey({ url });
    store.set(key, newer(store.get(key) ?? Buffer.alloc(0)), { createdAt: 0, url });
    await axios.get(url, { adapter });
    store.delete([key]);
    await axios.get(url, { adapter });
    expect((await axios.get(url, { adapter })).fromCache).to.equal(true);
  });
});

describe('forceRefresh', () => {
  it('reads nothing, and so stores over a record of a later version', async () => {
    const store = new MemoryBackend();
    const adapter = cacheAdapter({ backend: store, adapter: fixtureOrigin, hotBytes: 0 });
    const url = 'http://fixture.test/a';
    await axios.get(url, { adapter });
    const key = adapter.cache.createKey({ url });
    store.set(key, newer(store.get(key) ?? Buffer.alloc(0)), { createdAt: 0, url });
    await axios.get(url, { adapter, forceRefresh: true });
    expect((await axios.get(url, { adapter })).fromCache).to.equal(true);
  });
});

describe('update() of another cache', () => {
  it('leaves a record of a later version alone, and does not count it', async () => {
    const [here, there] = [new MemoryBackend(), new MemoryBackend()];
    const [own, other] = [here, there].map((backend) => cacheAdapter({ backend, adapter: fixtureOrigin }));
    if (own === undefined || other === undefined) throw new Error('two');
    const urls = ['http://fixture.test/a', 'http://fixture.test/b'];
    for (const adapter of [own, other]) for (const url of urls) await axios.get(url, { adapter });
    const key = own.cache.createKey({ url: 'http://fixture.test/a' });
    const theirs = newer(here.get(key) ?? Buffer.alloc(0));
    here.set(key, theirs, { createdAt: 0, url: 'http://fixture.test/a' });
    expect(await own.cache.update(other.cache)).to.equal(1);
    expect(Buffer.compare(here.get(key) ?? Buffer.alloc(0), theirs)).to.equal(0);
  });
});

describe('a schema of a later version', () => {
  it('is left alone by every operation; requests are answered', async () => {
    const directory = temporaryDirectory();
    const cacheName = join(directory.path, 'cache.db');
    cpSync(join(fixtures, 'v1', 'cache.db'), cacheName);
    const other = findDriver().open(cacheName);
    other.exec('UPDATE axios_stash_meta SET version = 2; PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    const before = readFileSync(cacheName);
    const adapter = cacheAdapter({ cacheName, adapter: fixtureOrigin });
    try {
      for (const request of FIXTURE_REQUESTS) {
        for (let n = 0; n < 2; n++)
          expect((await axios.request({ ...request, adapter })).fromCache).to.equal(false);
      }
      await adapter.cache.removeExpiredResponses();
      await adapter.close();
      expect(Buffer.compare(readFileSync(cacheName), before)).to.equal(0);
    } finally {
      directory.remove();
    }
  });
});
