/** Whatever is done to a stored record, in any store: a miss and an event, never a wrong answer, a throw or a crash. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axios, { type AxiosInstance } from 'axios';
import { expect } from 'chai';
import fc from 'fast-check';
import { type CacheAdapter, type CacheOptions, cacheAdapter, type Store } from '../../lib/index.js';
import { drivers, temporaryDirectory } from '../stores/drivers.js';
import { Origin } from '../support/origin.js';
import { filesIn, stores } from './stores.js';

const SEALS: [string, Partial<CacheOptions>][] = [
  ['checksum', {}],
  ['secretKey', { secretKey: 'a secret that signs' }],
  ['encryptionKey', { encryptionKey: Buffer.alloc(32, 7) }],
];

/** What the origin answers to a path, with every kind of byte. */
const bodyOf = (path: string) =>
  Buffer.concat([Buffer.from(path), createHash('sha256').update(path).digest()]);

const startOrigin = () =>
  Origin.start((req, res) => {
    res.setHeader('etag', '"constant"');
    if (req.url.startsWith('/vary')) res.setHeader('vary', 'accept');
    res.end(bodyOf(req.url + (req.headers.accept?.length === 1 ? req.headers.accept : '')));
  });

interface Bench {
  http: AxiosInstance;
  adapter: CacheAdapter;
  store: Store;
  origin: Origin;
  /** Reasons of error events since last asked. */
  events(): string[];
}

async function onBench(
  store: Store,
  options: Partial<CacheOptions>,
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const origin = await startOrigin();
  // Without hot records: they would answer for what was damaged behind their back.
  const adapter = cacheAdapter({ backend: store, hotBytes: 0, storeTimeout: 20, ...options } as CacheOptions);
  let reasons: string[] = [];
  adapter.cache.on('error', ({ reason, error }) => reasons.push(`${reason}: ${error?.name}`));
  const http = axios.create({ adapter, baseURL: origin.url, responseType: 'arraybuffer' });
  const events = () => {
    const told = reasons;
    reasons = [];
    return told;
  };
  try {
    await work({ http, adapter, store, origin, events });
  } finally {
    await adapter.close();
    await origin.close();
  }
}

/** Asks for a path; the answer must be right. Answers whether it came from the cache. */
async function ask({ http, adapter }: Bench, path: string, accept?: string): Promise<boolean> {
  const { data, fromCache } = await http.get(path, accept === undefined ? {} : { headers: { accept } });
  expect(Buffer.compare(data, bodyOf(path + (accept ?? ''))), path).to.equal(0);
  await adapter.cache.flush();
  return fromCache === true;
}

/** Puts other bytes under a key, and checks that this is a miss and an event, after which all is well again. */
async function damaged(
  bench: Bench,
  path: string,
  key: string,
  value: Uint8Array,
  what: string,
): Promise<void> {
  await bench.store.set(key, value, { createdAt: Date.now(), url: path });
  bench.events();
  expect(await ask(bench, path), what).to.equal(false);
  expect(bench.events(), what).to.deep.equal(['unreadable record: CacheRecordError']);
}

async function stored(bench: Bench, path: string): Promise<{ key: string; value: Buffer }> {
  await ask(bench, path);
  const key = bench.adapter.cache.createKey({ url: bench.origin.url + path });
  return { key, value: Buffer.from((await bench.store.get(key)) ?? []) };
}

for (const { name, open } of stores) {
  describe(`integrity: ${name}`, () => {
    for (const [seal, options] of SEALS) {
      it(`misses what was changed, cut, swapped or replayed (${seal})`, async () => {
        const { store, remove } = await open();
        await onBench(store, options, async (bench) => {
          const { key, value } = await stored(bench, '/a');
          const other = await stored(bench, '/b');
          expect(await ask(bench, '/a')).to.equal(true);
          const positions = name === 'memory' ? [...value.keys()] : fc.sample(fc.nat(value.length - 1), 25);
          for (const at of positions) {
            const changed = Buffer.from(value);
            changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
            await damaged(bench, '/a', key, changed, `bit ${at % 8} of byte ${at}`);
          }
          for (const length of [0, 1, 15, 16, 17, value.length >> 1, value.length - 1]) {
            await damaged(bench, '/a', key, value.subarray(0, length), `the first ${length} bytes`);
          }
          await damaged(bench, '/a', key, Buffer.concat([value, Buffer.of(0)]), 'one byte more');
          await damaged(bench, '/a', key, other.value, "another key's record");
          await damaged(bench, '/b', other.key, value, "another key's record, the other way round");
          expect(await ask(bench, '/a')).to.equal(true);
        });
        await remove();
      });
    }

    it('misses what one variant was given in the place of another', async () => {
      const { store, remove } = await open();
      await onBench(store, {}, async (bench) => {
        for (const accept of ['x', 'y']) await ask(bench, '/vary', accept);
        const keys: string[] = [];
        for await (const { key } of bench.adapter.cache.values()) keys.push(key);
        const [first = '', second = ''] = keys;
        const [one, two] = [await store.get(first), await store.get(second)];
        await store.set(first, two ?? Buffer.alloc(0), { createdAt: 0, url: '' });
        await store.set(second, one ?? Buffer.alloc(0), { createdAt: 0, url: '' });
        for (const accept of ['x', 'y']) expect(await ask(bench, '/vary', accept)).to.equal(false);
        expect(bench.events()).to.have.length(2);
        for (const accept of ['x', 'y']) expect(await ask(bench, '/vary', accept)).to.equal(true);
      });
      await remove();
    });
  });
}

describe('integrity of sealed records', () => {
  it('misses what is unsealed, sealed with another key, or sealed in the other way', async () => {
    const ways: Partial<CacheOptions>[] = [
      {},
      { secretKey: 'one' },
      { secretKey: 'two' },
      { encryptionKey: Buffer.alloc(32, 1) },
      { encryptionKey: Buffer.alloc(32, 2) },
      { secretKey: 'one', encryptionKey: Buffer.alloc(32, 1) },
    ];
    for (const writer of ways) {
      for (const reader of ways) {
        const store = await stores[0]?.open();
        if (store === undefined) throw new TypeError('there is no store in memory');
        await onBench(
          store.store,
          writer,
          async (bench) => void expect(await ask(bench, '/a')).to.equal(false),
        );
        await onBench(store.store, reader, async (bench) => {
          // The origins differ in nothing but their port, so the key has to be carried over.
          for await (const key of store.store.keys()) {
            const loaded = await bench.adapter.cache.get(key);
            expect(loaded !== undefined).to.equal(writer === reader);
          }
        });
      }
    }
  });

  it('covers the expiry, the times, the key and the URL: nothing of a signed record can be edited', async () => {
    const { store } = (await stores[0]?.open()) ?? {};
    if (store === undefined) throw new TypeError('there is no store in memory');
    await onBench(store, { secretKey: 'a', serializer: 'json' }, async (bench) => {
      const { key, value } = await stored(bench, '/a');
      const text = value.toString('latin1');
      for (const field of ['createdAt', 'responseTime', 'status', '"url"', '"key"', 'constant']) {
        const at = text.indexOf(field) + field.length + 3;
        const changed = Buffer.from(value);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await damaged(bench, '/a', key, changed, field);
      }
    });
  });
});

/** Bytes of the files themselves, the parts that belong to the store included. */
describe('integrity of files', () => {
  const PATHS = ['/1', '/2', '/3', '/vary'];
  const ways: [string, (path: string) => object][] = [
    ...drivers.map((driver): [string, (path: string) => object] => [
      `sqlite (${driver})`,
      (path) => ({ backend: 'sqlite', cacheName: join(path, 'cache.sqlite'), driver }),
    ]),
    ['filesystem', (path) => ({ backend: 'filesystem', cacheName: join(path, 'cache') })],
  ];
  for (const [name, optionsAt] of ways) {
    it(`answers right whatever byte of a file is changed: ${name}`, async () => {
      const origin = await startOrigin();
      const directory = temporaryDirectory();
      try {
        const run = async (): Promise<number> => {
          const adapter = cacheAdapter(optionsAt(directory.path) as CacheOptions);
          const http = axios.create({ adapter, baseURL: origin.url, responseType: 'arraybuffer' });
          for (const path of PATHS) await ask({ http, adapter } as Bench, path);
          await adapter.close();
          return adapter.cache.stats().hits;
        };
        await run();
        expect(await run()).to.equal(PATHS.length);
        const files = filesIn(directory.path).filter((file) => statSync(file).size > 0);
        for (const file of files) copyFileSync(file, `${file}.sound`);
        const places = fc.sample(
          fc.tuple(fc.nat(files.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 })),
          40,
        );
        for (const [which, offset, mask] of places) {
          for (const file of files) copyFileSync(`${file}.sound`, file);
          const file = files[which] ?? '';
          const bytes = readFileSync(file);
          const at = offset % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ mask;
          writeFileSync(file, bytes);
          await run();
        }
      } finally {
        directory.remove();
        await origin.close();
      }
    });
  }
});
