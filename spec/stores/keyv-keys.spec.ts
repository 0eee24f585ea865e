/** Which keys of a store are its own, and how long it is told to keep them. */
import { join } from 'node:path';
import KeyvSqlite from '@keyv/sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { Keyv } from 'keyv';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { allKeys, meta, text } from './contract.js';
import { temporaryDirectory } from './drivers.js';
import { FakeAdapter, until } from './keyv-support.js';

const value = Buffer.from('value');

describe('KeyvBackend: lifetimes', () => {
  const moment = fc.oneof(
    fc.constantFrom(undefined, 0, -1, Number.POSITIVE_INFINITY, Number.NaN, 8.64e15, 1e300, -1e300),
    fc.double(),
    fc.double({ min: Date.now() - 1e7, max: Date.now() + 1e7 }),
  );
  for (const [what, options, none] of [
    ['', {}, undefined],
    // Its own default would apply; of 0 it makes none at all.
    [' with a default of its own', { ttl: 1000 }, 0],
  ] as const) {
    it(`gives a Keyv${what} a whole number of ms above 0, or ${none} for what never expires`, async () => {
      const given: unknown[] = [];
      class Recorder extends Keyv {
        override async set(_key: string, _value: unknown, lifetime?: number): Promise<boolean> {
          given.push(lifetime);
          return true;
        }
      }
      const store = new KeyvBackend(new Recorder(options));
      await fc.assert(
        fc.asyncProperty(moment, async (expiresAt) => {
          await store.set('key', value, meta(expiresAt === undefined ? {} : { expiresAt }));
          const lifetime = given.pop();
          const isNever = expiresAt === undefined || !Number.isFinite(expiresAt) || expiresAt > 8.6e15;
          if (isNever) expect(lifetime).to.equal(none);
          else
            expect(Number.isSafeInteger(lifetime) && Number(lifetime) > 0, String(lifetime)).to.equal(true);
        }),
      );
    });
  }

  it('keeps what never expires over the default lifetime of a Keyv', async () => {
    const adapter = new FakeAdapter();
    const store = new KeyvBackend(new Keyv({ store: adapter, ttl: 1 }));
    await store.set('key', value, meta());
    const stored = performance.now();
    await until(() => performance.now() > stored + 5);
    expect(text(await store.get('key'))).to.equal('value');
    expect(adapter.lifetimes).to.deep.equal([undefined]);
  });
});

describe('KeyvBackend: keys', () => {
  it('is not confused by a namespace of the name that its own keys have', async () => {
    const map = new Map();
    const keyvs = ['axios-stash', 'axios-stash:x', 'x'].map(
      (namespace) => new Keyv({ store: map, namespace }),
    );
    const stores = keyvs.map((keyv) => new KeyvBackend(keyv));
    for (const [n, store] of stores.entries()) await store.set(`key ${n}`, value, meta());
    for (const [n, store] of stores.entries()) expect(await allKeys(store)).to.deep.equal([`key ${n}`]);
    await stores[0]?.clear();
    expect(map.size).to.equal(2);
  });

  it('lists and clears past values that Keyv can not read', async () => {
    const { path, remove } = temporaryDirectory();
    const adapter = new KeyvSqlite(`sqlite://${join(path, 'keyv.sqlite')}`);
    const store = new KeyvBackend(new Keyv(adapter));
    await adapter.set('keyv:theirs', 'no JSON');
    await store.set('key', value, meta());
    expect(await allKeys(store)).to.deep.equal(['key']);
    await store.clear();
    expect(await allKeys(store)).to.deep.equal([]);
    expect(await adapter.get('keyv:theirs')).to.equal('no JSON');
    await store.close();
    remove();
  });

  it('lists all that stays in an SQLite table while others delete, each once', async () => {
    const { path, remove } = temporaryDirectory();
    const open = () => new KeyvSqlite({ uri: `sqlite://${join(path, 'keyv.sqlite')}`, busyTimeout: 5000 });
    const [adapter, other] = [open(), open()];
    const store = new KeyvBackend(new Keyv(adapter));
    await adapter.query(`INSERT INTO keyv WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)
      SELECT 'keyv:axios-stash:' || printf('%06x', i) || '${'a'.repeat(58)}', '' FROM n`);
    const keys = await allKeys(store);
    const seen: string[] = [];
    for await (const key of store.keys()) {
      seen.push(key);
      if (seen.length === 10) await other.query(`DELETE FROM keyv WHERE rowid % 2 = 0`);
    }
    const left = await allKeys(store);
    expect([new Set(keys).size > 1000, left.length < keys.length]).to.deep.equal([true, true]);
    expect(left.filter((key) => !seen.includes(key))).to.deep.equal([]);
    expect(new Set(seen).size).to.equal(seen.length);
    await store.close();
    await other.disconnect();
    remove();
  });

  /** As the adapters for PostgreSQL and MySQL do: the rows after so many others. */
  class CountingAdapter extends FakeAdapter {
    readonly opts = { dialect: 'postgres', url: 'postgres://' };
    namespace: string | undefined;
    onRow = (_row: number): void => {};
    async *iterator(namespace?: string): AsyncGenerator<[string, unknown]> {
      for (let offset = 0; ; offset++) {
        const row = [...this.kept].filter(([key]) => key.startsWith(namespace ? `${namespace}:` : ''))[
          offset
        ];
        if (row === undefined) return;
        this.onRow(offset);
        yield [row[0], row[1]];
      }
    }
  }

  for (const [what, make] of [
    ['an adapter', (adapter: CountingAdapter) => adapter],
    ['a Keyv', (adapter: CountingAdapter) => new Keyv({ store: adapter })],
  ] as const) {
    it(`skips nothing where ${what} iterates by counting rows, which others delete meanwhile`, async () => {
      const adapter = new CountingAdapter();
      const store = new KeyvBackend(make(adapter));
      const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`);
      for (const key of keys) await store.set(key, value, meta());
      await adapter.set('keyv:axios-stashed', 'theirs');
      let deleted = 0;
      adapter.onRow = (row) => {
        if (row % 2 === 1 && deleted < 10) adapter.kept.delete([...adapter.kept.keys()][deleted++] ?? '');
      };
      const seen = await allKeys(store);
      adapter.onRow = () => {};
      const left = await allKeys(store);
      expect(left.length).to.equal(20);
      expect(left.filter((key) => !seen.includes(key))).to.deep.equal([]);
      await store.clear();
      expect([...adapter.kept.keys()]).to.deep.equal(['keyv:axios-stashed']);
    });
  }
});
