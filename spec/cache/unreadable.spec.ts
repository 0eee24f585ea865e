/** Under one key there is something that no cache wrote: that entry alone is concerned. */
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import Keyv from 'keyv';
import { type CacheOptions, FileBackend, SQLiteBackend, type Store } from '../../lib/index.js';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { nativeDrivers, temporaryDirectory } from '../stores/drivers.js';
import { type Rig, rig } from '../support/harness.js';

interface Way {
  options: CacheOptions;
  /** The file store learns keys from the files themselves: one that is cut short has none. */
  isListed?: boolean;
  /** Puts what is not from this cache in the place of an entry. */
  spoil(key: string): unknown;
}

const directory = temporaryDirectory();
after(() => directory.remove());

function mapWay(): Way {
  const map = new Map<string, unknown>();
  return {
    options: { backend: map as never },
    spoil: (key) => map.set([...map.keys()].find((name) => name.endsWith(key)) ?? '', 'garbage'),
  };
}

function keyvWay(): Way {
  const map = new Map<string, unknown>();
  const keyv = new Keyv({ store: map });
  return {
    options: { backend: keyv as never },
    spoil: (key) => map.set([...map.keys()].find((name) => name.endsWith(key)) ?? '', 'garbage'),
  };
}

function sqliteWay(): Way {
  const cacheName = join(directory.path, `${Math.random()}.db`);
  const store: Store = new SQLiteBackend({ cacheName });
  return {
    options: { backend: store, hotBytes: 0 },
    spoil: (key) => {
      const connection = findDriver().open(cacheName);
      connection.exec(`UPDATE axios_stash SET value = 'garbage' WHERE key = x'${key}'`);
      connection.close();
    },
  };
}

function fileWay(): Way {
  const backend = new FileBackend({ cacheName: join(directory.path, String(Math.random())) });
  return {
    options: { backend },
    isListed: false,
    spoil: (key) => {
      const [file = ''] = readdirSync(backend.path, { recursive: true }).filter((name) => {
        const path = join(backend.path, String(name));
        return statSync(path).isFile() && readFileSync(path).includes(Buffer.from(key, 'hex'));
      });
      const path = join(backend.path, String(file));
      truncateSync(path, statSync(path).size - 10);
    },
  };
}

const ways: [string, () => Way][] = [
  ['filesystem, cut short', fileWay],
  ['Map', mapWay],
  ['Keyv', keyvWay],
  ...(nativeDrivers.length > 0 ? [['sqlite', sqliteWay] as [string, () => Way]] : []),
];

for (const [name, make] of ways) {
  describe(`an entry that is not from this cache: ${name}`, () => {
    let here: Rig;
    let key: string;
    let listed: number;
    beforeEach(async () => {
      const way = make();
      listed = way.isListed === false ? 0 : 1;
      here = await rig(way.options);
      for (const path of ['/a', '/b', '/c']) await here.http.get(path);
      await here.adapter.cache.flush();
      key = here.adapter.cache.createKey({ url: `${here.origin.url}/b` });
      await way.spoil(key);
    });
    afterEach(() => here.close());

    const urls = () => ['/a', '/c'].map((path) => here.origin.url + path);

    it('is a miss, and an event', async () => {
      expect((await here.http.get('/b')).fromCache).to.equal(false);
      expect(here.errors).to.have.length(1);
    });

    it('is passed over by what looks, and found by who asks for what is invalid', async () => {
      const { cache } = here.adapter;
      expect(await cache.urls()).to.deep.equal(urls());
      const found = [];
      for await (const one of cache.values()) found.push(one.url);
      expect(found.sort()).to.deep.equal(urls());
      expect(await cache.get({ url: `${here.origin.url}/b` })).to.equal(undefined);
      expect(await cache.size()).to.be.greaterThan(0);
      const invalid = [];
      for await (const one of cache.filter({ valid: false, expired: false, invalid: true }))
        invalid.push(one);
      expect(invalid).to.have.length(listed);
      for (const one of invalid) expect(one).to.include({ key, invalid: true });
    });

    it('is removed with what has expired, and by delete({ invalid: true })', async () => {
      const { cache } = here.adapter;
      expect(await cache.delete({ invalid: true })).to.equal(listed);
      expect(await cache.delete({ invalid: true })).to.equal(0);
      expect(await cache.urls()).to.deep.equal(urls());
    });

    it('is removed by removeExpiredResponses()', async () => {
      const { cache } = here.adapter;
      await cache.removeExpiredResponses();
      expect(await cache.delete({ invalid: true })).to.equal(0);
      expect(await cache.urls()).to.deep.equal(urls());
    });
  });
}
