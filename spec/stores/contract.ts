import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { isCacheError } from '../../lib/errors.js';
import type { Store, StoreMeta } from '../../lib/stores/store.js';

/** A store under test and what goes with it. */
export interface StoreFixture {
  store: Store;
  /** Another store object on the same data. */
  reopen?: () => Store | Promise<Store>;
  /** Afterwards, when all stores are closed. */
  dispose?: () => void | Promise<void>;
}

export interface ContractOptions {
  /** Which methods that are optional in `Store` it offers: all of them (but `observe`), none, or these. @default true */
  full?: boolean | readonly OptionalMethod[];
  /** Whether `reopen` finds the data again. @default false */
  persistent?: boolean;
  /** The largest value to try, bytes. @default 20 MB */
  largest?: number;
  /** How many keys are many: more than any page, slice or batch of the store. @default 2000 */
  many?: number;
}

const OPTIONAL = ['count', 'size', 'deleteExpired', 'touch', 'trim', 'keysByUrl', 'version'] as const;
export type OptionalMethod = (typeof OPTIONAL)[number];
type Offering<Name extends OptionalMethod> = Store & Required<Pick<Store, Name>>;

function offers<Name extends OptionalMethod>(store: Store, names: readonly Name[]): store is Offering<Name> {
  return names.every((name) => typeof store[name] === 'function');
}

/** The store as one that offers these methods; throws when it does not. */
function offering<Name extends OptionalMethod>(store: Store, ...names: Name[]): Offering<Name> {
  if (!offers(store, names)) throw new Error(`the store lacks one of ${names.join(', ')}`);
  return store;
}

const START = Date.UTC(2026, 0, 15, 12);

export function meta(more: Partial<StoreMeta> = {}): StoreMeta {
  return { createdAt: START, url: 'http://example.org/', ...more };
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

export async function allKeys(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys;
}

/** What a call throws or rejects with. */
export async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

export async function expectStoreError(call: () => unknown): Promise<void> {
  const error = await failure(call);
  expect(isCacheError(error) && error.code, String(error)).to.equal('ERR_CACHE_STORE');
}

const hostileKeys: [what: string, key: string][] = [
  ['a digest', 'a1'.repeat(32)],
  ['a digest in capitals', 'A1'.repeat(32)],
  ['quotes', `'"\`'; DROP TABLE axios_stash; --`],
  ['newlines and control characters', 'a\nb\r\n\tc\u0001'],
  ['a NUL, before which another key ends', 'nul\0a'],
  ['the part before that NUL', 'nul'],
  ['percent and underscore', '%_%'],
  ['what percent would match', 'a_a'],
  ['glob characters', '*?[a-z]{a,b}\\'],
  ['a colon first', ':key'],
  ['a path', '../../etc/passwd'],
  ['non-Latin text', 'ключ-キー-🔑'],
  ['NFC', 'é'],
  ['NFD', 'e\u0301'],
  ['__proto__', '__proto__'],
  ['10 KB', 'k'.repeat(10_240)],
  ['32 characters', 'z'.repeat(32)],
];

const expired = { expiresAt: START - 1 };
const fresh = { expiresAt: START + 1 };

/** The behaviour that every store shares: run it on a new kind with `storeContract('mine', () => ({ store: new Mine() }))`. */
export function storeContract(
  name: string,
  makeStore: () => StoreFixture | Promise<StoreFixture>,
  { full = true, persistent = false, largest = 20 * 1024 * 1024, many = 2000 }: ContractOptions = {},
): void {
  const offered: readonly OptionalMethod[] = typeof full === 'boolean' ? (full ? OPTIONAL : []) : full;

  /** A test of a store that offers all of these methods. */
  function itOffering<Name extends OptionalMethod>(
    names: readonly Name[],
    title: string,
    test: (store: Offering<Name>) => Promise<void>,
  ): void {
    if (names.some((name) => !offered.includes(name))) return;
    it(title, () => test(offering(fixture.store, ...names)));
  }

  let fixture: StoreFixture;

  describe(`${name}: the contract of a store`, () => {
    let store: Store;

    beforeEach(async () => {
      fixture = await makeStore();
      store = fixture.store;
    });

    afterEach(async () => {
      await store.close();
      await fixture.dispose?.();
    });

    it('answers undefined for a key that is not there', async () => {
      expect(await store.get('nothing')).to.equal(undefined);
    });

    for (const size of [0, 1, 255, 4096, 65_537, 1024 * 1024, largest]) {
      it(`gives ${size} bytes back exactly`, async () => {
        const value = randomBytes(size);
        await store.set('key', value, meta());
        const back = await store.get('key');
        expect(back).to.be.instanceOf(Uint8Array);
        expect(value.equals(back ?? randomBytes(1))).to.equal(true);
      });
    }

    it('gives every byte value back exactly, from a plain Uint8Array that is part of a larger buffer', async () => {
      const large = Uint8Array.from({ length: 300_000 }, (_, at) => at & 255);
      const value = large.subarray(7, 7 + 512);
      await store.set('key', value, meta());
      expect(Buffer.from((await store.get('key')) ?? []).equals(value)).to.equal(true);
    });

    it('replaces what is under a key', async () => {
      await store.set('key', Buffer.from('a longer value'), meta());
      await store.set('key', Buffer.from('new'), meta({ url: 'http://example.org/new' }));
      expect(text(await store.get('key'))).to.equal('new');
      expect(await allKeys(store)).to.deep.equal(['key']);
    });

    it('keeps expired entries readable', async () => {
      await store.set('key', Buffer.from('old'), meta(expired));
      expect(text(await store.get('key'))).to.equal('old');
    });

    it('keeps entries apart whose keys only look alike', async () => {
      for (const [, key] of hostileKeys) await store.set(key, Buffer.from(key), meta());
      for (const [what, key] of hostileKeys) expect(text(await store.get(key)), what).to.equal(key);
      expect((await allKeys(store)).sort()).to.deep.equal(hostileKeys.map(([, key]) => key).sort());
      for (const [what, key] of hostileKeys) {
        expect(await store.delete([key]), what).to.equal(1);
        expect(await store.get(key), what).to.equal(undefined);
      }
      expect(await allKeys(store)).to.deep.equal([]);
    });

    it('deletes what is there, counts it, and takes no harm from missing and repeated keys', async () => {
      await store.set('a', Buffer.from('1'), meta());
      await store.set('b', Buffer.from('2'), meta());
      expect(await store.delete(['a', 'missing', 'a'])).to.equal(1);
      expect(await store.delete([])).to.equal(0);
      expect(await store.get('a')).to.equal(undefined);
      expect(text(await store.get('b'))).to.equal('2');
    });

    it(`lists and deletes ${many} keys`, async () => {
      const keys = Array.from({ length: many }, (_, n) => `key ${n}`);
      await Promise.all(keys.map((key) => store.set(key, Buffer.from(key), meta())));
      expect((await allKeys(store)).sort()).to.deep.equal([...keys].sort());
      expect(await store.delete(keys)).to.equal(many);
      expect(await allKeys(store)).to.deep.equal([]);
    });

    it('lists each key once while entries come, go and change', async () => {
      const keys = Array.from({ length: many * 0.75 }, (_, n) => `key ${n}`);
      for (const key of keys) await store.set(key, Buffer.from(key), meta());
      const seen: string[] = [];
      for await (const key of store.keys()) {
        seen.push(key);
        await store.delete([key]);
        if (seen.length % 100 === 0) await store.set('key 0', Buffer.from('again'), meta());
        if (seen.length > 2 * many) break;
      }
      expect(keys.filter((key) => !seen.includes(key))).to.deep.equal([]);
      expect(seen.length).to.be.lessThan(many * 0.8);
    });

    it('clears everything, and goes on', async () => {
      for (let n = 0; n < 300; n++)
        await store.set(`key ${n}`, Buffer.alloc(2000, n), meta({ index: n % 2 === 0 }));
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
      expect(await store.get('key 1')).to.equal(undefined);
      await store.set('key', Buffer.from('new'), meta());
      expect(text(await store.get('key'))).to.equal('new');
    });

    if (persistent) {
      it('keeps entries for whoever opens the same data later', async () => {
        const value = randomBytes(100_000);
        await store.set('key', value, meta(fresh));
        await store.close();
        const again = await fixture.reopen?.();
        expect(value.equals((await again?.get('key')) ?? randomBytes(1))).to.equal(true);
        await again?.close();
      });
    }

    it('fails with a CacheStoreError once it is closed, and may be closed again', async () => {
      await store.set('key', Buffer.from('value'), meta());
      await store.close();
      await store.close();
      await expectStoreError(() => store.get('key'));
      await expectStoreError(() => store.set('key', Buffer.from('value'), meta()));
      await expectStoreError(() => store.delete(['key']));
      await expectStoreError(() => store.clear());
      await expectStoreError(() => allKeys(store));
    });

    const onceClosed: [OptionalMethod, (store: Store) => unknown][] = [
      ['count', (store) => store.count?.({ now: START })],
      ['size', (store) => store.size?.()],
      ['trim', (store) => store.trim?.({ maxEntries: 0 })],
      ['deleteExpired', (store) => store.deleteExpired?.(START)],
      ['keysByUrl', (store) => store.keysByUrl?.('u')],
    ];
    for (const [method, call] of onceClosed) {
      itOffering([method], `fails with a CacheStoreError on ${method} once it is closed`, async (store) => {
        await store.set('key', Buffer.from('value'), meta());
        await store.close();
        await expectStoreError(() => call(store));
      });
    }

    itOffering(['touch'], 'takes no harm from touch once it is closed', async (store) => {
      await store.close();
      store.touch('key');
    });

    it('offers of what is optional exactly what it is said to', () => {
      expect(OPTIONAL.filter((name) => store[name] !== undefined)).to.have.members([...offered]);
    });

    itOffering(['count'], 'counts responses, all or by expiry, and no index rows', async (store) => {
      await store.set('expired', Buffer.from('1'), meta(expired));
      await store.set('expires now', Buffer.from('1'), meta({ expiresAt: START }));
      await store.set('fresh', Buffer.from('2'), meta(fresh));
      await store.set('never', Buffer.from('3'), meta());
      await store.set('index', Buffer.from('4'), meta({ ...expired, index: true }));
      expect(await store.count({ now: START })).to.equal(4);
      expect(await store.count({ expired: true, now: START })).to.equal(2);
      expect(await store.count({ expired: false, now: START })).to.equal(2);
      await store.set('fresh', Buffer.from('now an index'), meta({ index: true }));
      await store.set('index', Buffer.from('now a response'), meta());
      expect(await store.count({ now: START })).to.equal(4);
      await store.delete(['never', 'index']);
      expect(await store.count({ now: START })).to.equal(2);
      await store.clear();
      expect(await store.count({ now: START })).to.equal(0);
    });

    itOffering(['size'], 'knows the sum of the bytes it keeps', async (store) => {
      expect(await store.size()).to.equal(0);
      await store.set('a', Buffer.alloc(100), meta());
      await store.set('b', Buffer.alloc(50), meta({ index: true }));
      await store.set('a', Buffer.alloc(30), meta());
      expect(await store.size()).to.equal(80);
      await store.delete(['b']);
      expect(await store.size()).to.equal(30);
      await store.clear();
      expect(await store.size()).to.equal(0);
    });

    itOffering(
      ['deleteExpired'],
      'deletes what is expired and keeps what is fresh or never expires',
      async (store) => {
        for (let n = 0; n < 400; n++) await store.set(`expired ${n}`, Buffer.from('1'), meta(expired));
        await store.set('expires now', Buffer.from('1'), meta({ expiresAt: START }));
        await store.set('expired index', Buffer.from('1'), meta({ ...expired, index: true }));
        await store.set('fresh', Buffer.from('2'), meta(fresh));
        await store.set('never', Buffer.from('3'), meta());
        expect(await store.deleteExpired(START)).to.equal(401);
        expect((await allKeys(store)).sort()).to.deep.equal(['fresh', 'never']);
        expect(await store.deleteExpired(START)).to.equal(0);
      },
    );

    itOffering(['keysByUrl'], 'finds the keys of a URL', async (store) => {
      const url = "http://example.org/?q='%_*";
      await store.set('a', Buffer.from('1'), meta({ url }));
      await store.set('b', Buffer.from('2'), meta({ url, index: true }));
      await store.set('c', Buffer.from('3'), meta({ url: `${url}x` }));
      expect([...(await store.keysByUrl(url))].sort()).to.deep.equal(['a', 'b']);
      await store.set('a', Buffer.from('1'), meta({ url: `${url}x` }));
      await store.delete(['b']);
      expect(await store.keysByUrl(url)).to.deep.equal([]);
      expect([...(await store.keysByUrl(`${url}x`))].sort()).to.deep.equal(['a', 'c']);
      await store.clear();
      expect(await store.keysByUrl(`${url}x`)).to.deep.equal([]);
    });

    itOffering(['touch', 'trim'], 'evicts the least recently used, to the very entry', async (store) => {
      for (const key of ['a', 'b', 'c', 'd', 'e']) await store.set(key, Buffer.alloc(10), meta());
      store.touch('a');
      await store.set('b', Buffer.alloc(10), meta());
      store.touch('missing');
      expect(await store.trim({ maxEntries: 5 })).to.deep.equal([]);
      expect(await store.trim({ maxEntries: 4 })).to.deep.equal(['c']);
      store.touch('d');
      expect(await store.trim({ maxEntries: 2 })).to.deep.equal(['e', 'a']);
      expect((await allKeys(store)).sort()).to.deep.equal(['b', 'd']);
      expect(await store.trim({ maxEntries: 0 })).to.deep.equal(['b', 'd']);
      expect(await store.trim({ maxEntries: 0, maxBytes: 0 })).to.deep.equal([]);
    });

    itOffering(['trim'], 'evicts until within the bytes', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, Buffer.alloc(100), meta());
      expect(await store.trim({ maxBytes: 300 })).to.deep.equal([]);
      expect(await store.trim({ maxBytes: 299 })).to.deep.equal(['a']);
      await store.set('b', Buffer.alloc(250), meta());
      expect(await store.trim({ maxBytes: 300, maxEntries: 10 })).to.deep.equal(['c']);
    });

    itOffering(
      ['trim'],
      'does not count index rows as entries, but lets them go with the entries of their age',
      async (store) => {
        await store.set('index a', Buffer.alloc(1), meta({ index: true }));
        await store.set('a', Buffer.alloc(1), meta());
        await store.set('index b', Buffer.alloc(1), meta({ index: true }));
        await store.set('b', Buffer.alloc(1), meta());
        expect(await store.trim({ maxEntries: 2 })).to.deep.equal([]);
        expect(await store.trim({ maxEntries: 1 })).to.deep.equal(['index a', 'a']);
        expect((await allKeys(store)).sort()).to.deep.equal(['b', 'index b']);
      },
    );

    itOffering(['count', 'touch', 'trim'], 'evicts more than one slice at once', async (store) => {
      const keys = Array.from({ length: 1200 }, (_, n) => `key ${n}`);
      for (const key of keys) await store.set(key, Buffer.alloc(1), meta());
      for (const key of keys.slice(0, 600)) store.touch(key);
      expect(await store.trim({ maxEntries: 500 })).to.deep.equal([
        ...keys.slice(600),
        ...keys.slice(0, 100),
      ]);
      expect(await store.count({ now: START })).to.equal(500);
    });

    itOffering(['touch', 'version'], 'keeps its version over its own writes', async (store) => {
      await store.set('a', Buffer.from('1'), meta());
      const version = store.version();
      await store.set('a', Buffer.from('2'), meta());
      await store.delete(['a']);
      store.touch('a');
      expect(store.version()).to.equal(version);
    });
  });
}
