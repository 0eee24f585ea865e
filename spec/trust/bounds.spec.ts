/** maxEntries, maxBytes and maxEntryBytes: exact to one entry, the least recently used first, whoever writes. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import axios, { type AxiosAdapter, AxiosHeaders, type AxiosResponse } from 'axios';
import { expect } from 'chai';
import { type AnyCacheOptions, type CacheAdapter, type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { nativeDrivers, temporaryDirectory } from '../stores/drivers.js';
import { collectGarbage } from '../support/garbage.js';
import { isFull } from './full.js';

const BODY = 1000;
const network: AxiosAdapter = async (config) =>
  ({
    data: String(config.url).padEnd(BODY, '.'),
    status: 200,
    statusText: 'OK',
    headers: new AxiosHeaders(),
    config,
  }) as AxiosResponse;

interface Bounded {
  /** Another cache on the same data, where there can be one. */
  open(options: AnyCacheOptions): CacheAdapter;
  fileSize(): number;
  remove(): void;
}

const ways: [string, () => Bounded][] = [
  [
    'memory',
    () => ({
      open: (options) => cacheAdapter({ backend: 'memory', adapter: network, ...options } as CacheOptions),
      fileSize: () => 0,
      remove: () => {},
    }),
  ],
  ...nativeDrivers.map((driver): [string, () => Bounded] => [
    `sqlite (${driver})`,
    () => {
      const directory = temporaryDirectory();
      const cacheName = join(directory.path, 'cache.sqlite');
      return {
        open: (options) => cacheAdapter({ cacheName, driver, adapter: network, ...options } as CacheOptions),
        fileSize: () =>
          existsSync(directory.path)
            ? readdirSync(directory.path).reduce(
                (sum, name) => sum + statSync(join(directory.path, name)).size,
                0,
              )
            : 0,
        remove: () => directory.remove(),
      };
    },
  ]),
];

async function settled(adapter: CacheAdapter): Promise<{ count: number; size: number }> {
  await adapter.cache.flush();
  return { count: await adapter.cache.count(), size: await adapter.cache.size() };
}

for (const [name, make] of ways) {
  describe(`bounds: ${name}`, () => {
    let way: Bounded;
    beforeEach(() => {
      way = make();
    });
    afterEach(() => way.remove());

    it('maxEntries is exact after any number of requests at once, and each eviction is an event', async () => {
      const adapter = way.open({ maxEntries: 10 });
      const evicted: unknown[] = [];
      adapter.cache.on('evicted', ({ key }) => evicted.push(key));
      await Promise.all(Array.from({ length: 200 }, (_, n) => axios.get(`http://h/${n}`, { adapter })));
      expect((await settled(adapter)).count).to.equal(10);
      expect(evicted).to.have.length(190);
      expect(new Set(evicted).size).to.equal(190);
      await adapter.close();
    });

    it('maxBytes is exact: one entry less would have been too many to evict', async () => {
      const adapter = way.open({});
      await axios.get('http://h/1000', { adapter });
      const one = (await settled(adapter)).size;
      await adapter.close();
      way.remove();
      way = make();
      for (const [maxBytes, wanted] of [
        [10 * one, 10],
        [10 * one + one - 1, 10],
        [11 * one, 11],
      ] as const) {
        const bounded = way.open({ maxBytes });
        await Promise.all(
          Array.from({ length: 50 }, (_, n) => axios.get(`http://h/${1000 + n}`, { adapter: bounded })),
        );
        const { count, size } = await settled(bounded);
        expect([count, size]).to.deep.equal([wanted, wanted * one]);
        await bounded.cache.clear();
        await bounded.close();
      }
    });

    it('the least recently used goes first, hits counted as uses', async () => {
      const adapter = way.open({ maxEntries: 3 });
      for (const path of ['a', 'b', 'c', 'a', 'b', 'd']) await axios.get(`http://h/${path}`, { adapter });
      await adapter.cache.flush();
      expect(await adapter.cache.urls()).to.deep.equal(['http://h/a', 'http://h/b', 'http://h/d']);
      await adapter.close();
    });

    for (const hotBytes of [0, 1]) {
      it(`hits that are read from the store are uses too (hotBytes: ${hotBytes})`, async () => {
        const adapter = way.open({ maxEntries: 3, hotBytes });
        for (const path of ['a', 'b', 'c', 'a', 'b', 'd']) await axios.get(`http://h/${path}`, { adapter });
        await adapter.cache.flush();
        expect(await adapter.cache.urls()).to.deep.equal(['http://h/a', 'http://h/b', 'http://h/d']);
        await adapter.close();
      });
    }

    it('maxEntryBytes is exact: so many bytes are stored, one more passes through', async () => {
      const adapter = way.open({ maxEntryBytes: BODY });
      const longer: AxiosAdapter = async (config) => ({
        ...(await network(config)),
        data: '.'.repeat(BODY + 1),
      });
      await axios.get('http://h/a', { adapter });
      expect((await axios.get('http://h/a', { adapter })).fromCache).to.equal(true);
      const other = way.open({ maxEntryBytes: BODY, adapter: longer });
      const { cacheStatus } = await axios.get('http://h/b', { adapter: other });
      expect(cacheStatus).to.include({ stored: false, detail: 'over maxEntryBytes' });
      expect(await other.cache.has({ url: 'http://h/b' })).to.equal(false);
      await Promise.all([adapter.close(), other.close()]);
    });

    it('a clock that jumped, forth or back, does not make the newest the first to go', async () => {
      const { now } = Date;
      try {
        for (const jump of [10, -20, 5]) {
          const before = Date.now;
          Date.now = () => before() + jump * 365 * 86_400_000;
          const adapter = way.open({ maxEntries: 3 });
          for (const path of ['x', 'y', 'z', 'a', 'b', 'c'])
            await axios.get(`http://h/${jump}${path}`, { adapter });
          await adapter.cache.flush();
          expect(await adapter.cache.urls()).to.deep.equal(
            ['a', 'b', 'c'].map((path) => `http://h/${jump}${path}`),
          );
          await adapter.close();
        }
      } finally {
        Date.now = now;
      }
    });

    it(`${isFull ? 'a million' : 'two thousand'} distinct requests leave heap and file bounded`, async function () {
      this.timeout(isFull ? 3_600_000 : 60_000);
      const total = isFull ? 1_000_000 : 2000;
      const large: AxiosAdapter = async (config) => ({
        ...(await network(config)),
        data: 'x'.repeat(isFull ? 2000 : 20_000), // of a million, as much as fills everything all the same
      });
      const adapter = way.open({ maxEntries: 500, hotBytes: 1_000_000, adapter: large });
      const run = async (from: number, to: number) => {
        for (let n = from; n < to; n += 20) {
          await Promise.all(
            Array.from({ length: 20 }, (_, at) => axios.get(`http://h/${n + at}`, { adapter })),
          );
        }
        await adapter.cache.flush();
        collectGarbage();
        return { heap: process.memoryUsage().heapUsed, file: way.fileSize() };
      };
      // What is bounded by number or bytes (keys in mind, recent changes) fills up first.
      const first = await run(0, total / 2);
      const second = await run(total / 2, total);
      expect(await adapter.cache.count()).to.equal(500);
      expect(second.heap - first.heap).to.be.lessThan(12_000_000);
      // The log is copied back at 4,000 pages.
      expect(second.file).to.be.lessThan(80_000_000);
      await adapter.close();
      expect(way.fileSize()).to.be.lessThan(25_000_000);
    });
  });
}

for (const driver of nativeDrivers) {
  describe(`bounds of one file that several write: sqlite (${driver})`, () => {
    it('are exact for them together', async () => {
      const directory = temporaryDirectory();
      const open = () =>
        cacheAdapter({
          cacheName: join(directory.path, 'c.sqlite'),
          driver,
          adapter: network,
          maxEntries: 10,
        });
      const [one, two] = [open(), open()];
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => axios.get(`http://h/${n}`, { adapter: n % 2 ? one : two })),
      );
      expect((await settled(one)).count).to.equal(10);
      expect((await settled(two)).count).to.equal(10);
      await Promise.all([one.close(), two.close()]);
      directory.remove();
    });
  });
}
