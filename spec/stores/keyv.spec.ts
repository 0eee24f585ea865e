import { join } from 'node:path';
import KeyvSqlite from '@keyv/sqlite';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { isCacheError } from '../../lib/errors.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { allKeys, expectStoreError, failure, meta, storeContract, text } from './contract.js';
import { temporaryDirectory } from './drivers.js';
import { FakeAdapter, FakeAdapter6 } from './keyv-support.js';

const minimal = { full: false };
const digest = 'a1'.repeat(32);

storeContract('KeyvBackend on a Map', () => ({ store: new KeyvBackend(new Map()) }), minimal);
storeContract('KeyvBackend on a Keyv over a Map', () => ({ store: new KeyvBackend(new Keyv()) }), minimal);
storeContract(
  'KeyvBackend on a Keyv whose namespace has colons',
  () => ({ store: new KeyvBackend(new Keyv({ namespace: 'my:own:space' })) }),
  minimal,
);
/** Fast: without the log each write waits for the disk. */
async function adapterAt(directory: string): Promise<KeyvSqlite> {
  const adapter = new KeyvSqlite(`sqlite://${join(directory, 'keyv.sqlite')}`);
  await adapter.query('PRAGMA journal_mode = WAL');
  await adapter.query('PRAGMA synchronous = OFF');
  return adapter;
}

storeContract(
  'KeyvBackend on a Keyv over @keyv/sqlite',
  async () => {
    const { path, remove } = temporaryDirectory();
    const open = async () => new KeyvBackend(new Keyv(await adapterAt(path)));
    return { store: await open(), reopen: open, dispose: remove };
  },
  { ...minimal, persistent: true },
);
storeContract(
  'KeyvBackend on the store adapter @keyv/sqlite',
  async () => {
    const { path, remove } = temporaryDirectory();
    const open = async () => new KeyvBackend(await adapterAt(path));
    return { store: await open(), reopen: open, dispose: remove };
  },
  { ...minimal, persistent: true },
);

describe('KeyvBackend', () => {
  for (const [what, make] of [
    ['a Map', () => new Map<string, unknown>()],
    ['a Keyv', () => new Keyv()],
    ['an adapter', () => new FakeAdapter6()],
  ] as const) {
    it(`leaves alone what others keep in ${what}`, async () => {
      const shared = make();
      await shared.set('theirs', 'value');
      await shared.set('axios-stashed', 'value');
      const store = new KeyvBackend(shared);
      await store.set('ours', Buffer.from('value'), meta());
      expect(await allKeys(store)).to.deep.equal(['ours']);
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
      expect(await shared.get('theirs')).to.equal('value');
      expect(await shared.get('axios-stashed')).to.equal('value');
    });
  }

  it('leaves alone other namespaces in a shared Map, even of names that begin alike', async () => {
    const map = new Map();
    const [a, b] = ['cache', 'cache2'].map(
      (namespace) => new KeyvBackend(new Keyv({ store: map, namespace })),
    );
    map.set('junk', 'not JSON');
    await a?.set('key', Buffer.from('a'), meta());
    await b?.set('key', Buffer.from('b'), meta());
    await b?.set('other', Buffer.from('b'), meta());
    expect(a && (await allKeys(a))).to.deep.equal(['key']);
    await a?.clear();
    expect(text(await b?.get('key'))).to.equal('b');
    expect(map.get('junk')).to.equal('not JSON');
  });

  it('leaves alone other namespaces in one SQLite table', async () => {
    const { path, remove } = temporaryDirectory();
    const [a, b] = ['a_b', 'axb'].map(
      (namespace) =>
        new KeyvBackend(new Keyv(new KeyvSqlite(`sqlite://${join(path, 'k.sqlite')}`), { namespace })),
    );
    await a?.set('key', Buffer.from('a'), meta());
    await b?.set('key', Buffer.from('b'), meta());
    await a?.clear();
    expect(await a?.get('key')).to.equal(undefined);
    expect(text(await b?.get('key'))).to.equal('b');
    await a?.close();
    await b?.close();
    remove();
  });

  it('rejects keys() of a store that can not be iterated, naming it, and clears it as a whole', async () => {
    for (const handed of [new FakeAdapter(), new Keyv({ store: new FakeAdapter() })]) {
      const store = new KeyvBackend(handed);
      await store.set('key', Buffer.from('value'), meta());
      expect(String(await failure(() => allKeys(store)))).to.match(/CacheStoreError.*FakeAdapter.*iterated/);
      await store.clear();
      expect(await store.get('key')).to.equal(undefined);
    }
  });

  it("does not take the empty list of Keyv 6's wrapper round such a store for an answer", async () => {
    const wrapper = Object.assign(new FakeAdapter6(), {
      store: new FakeAdapter(),
      capabilities: { expires: true, methods: { iterator: { exists: false } } },
    });
    await expectStoreError(() => allKeys(new KeyvBackend(wrapper)));
    const roundMap = Object.assign(wrapper, { store: new Map() });
    expect(await allKeys(new KeyvBackend(roundMap))).to.deep.equal([]);
  });

  const hour = 3600_000;
  const lifetimes: [what: string, expiresAt: number | undefined, check: (ttl: unknown) => boolean][] = [
    ['none for what never expires', undefined, (ttl) => ttl === undefined],
    ['an hour for what expired long ago', 1, (ttl) => ttl === hour],
    [
      'an hour over its expiry for what is fresh',
      Date.now() + 10 * hour,
      (ttl) => Number(ttl) > 10 * hour && Number(ttl) <= 11 * hour,
    ],
    ['none for what expires at the end of all days', Number.POSITIVE_INFINITY, (ttl) => ttl === undefined],
  ];
  for (const [what, expiresAt, check] of lifetimes) {
    it(`gives the store a lifetime: ${what}`, async () => {
      const adapter = new FakeAdapter();
      await new KeyvBackend(adapter).set(
        'key',
        Buffer.from('v'),
        meta(expiresAt === undefined ? {} : { expiresAt }),
      );
      expect(adapter.lifetimes.map(check), String(adapter.lifetimes)).to.deep.equal([true]);
    });
  }

  it('gives an adapter of Keyv 6 the moment of expiry instead', async () => {
    const adapter = new FakeAdapter6();
    const expiresAt = Date.now() + 10 * hour;
    await new KeyvBackend(adapter).set('key', Buffer.from('v'), meta({ expiresAt }));
    await new KeyvBackend(adapter).set('key', Buffer.from('v'), meta());
    expect(adapter.lifetimes).to.deep.equal([expiresAt + hour, undefined]);
  });

  const breakages: [what: string, answer: (adapter: FakeAdapter) => unknown][] = [
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'emits an error and answers as if nothing had happened',
      (adapter) => adapter.emit('error', new Error('broken')),
    ],
  ];
  for (const [what, answer] of breakages) {
    it(`fails with a CacheStoreError when an adapter ${what}`, async () => {
      const adapter = new FakeAdapter();
      const store = new KeyvBackend(adapter);
      adapter.answer = () => answer(adapter);
      for (const call of [
        () => store.get('key'),
        () => store.set('key', Buffer.from('v'), meta()),
        () => store.delete(['key']),
        () => store.clear(),
      ]) {
        const error = await failure(call);
        expect(isCacheError(error) && error.cause, String(error)).to.have.property('message', 'broken');
      }
    });

    it(`fails to write with a CacheStoreError when the adapter below a Keyv ${what}`, async () => {
      const adapter = new FakeAdapter();
      const store = new KeyvBackend(new Keyv({ store: adapter }));
      adapter.answer = () => answer(adapter);
      await expectStoreError(() => store.set('key', Buffer.from('v'), meta()));
      await expectStoreError(() => store.delete(['key']));
    });
  }

  it('fails to write when set() answers false', async () => {
    const adapter = new FakeAdapter();
    adapter.answer = () => false;
    await expectStoreError(() => new KeyvBackend(adapter).set('key', Buffer.from('v'), meta()));
  });

  const ownKey = `axios-stash:${digest}`;
  const foreign: [what: string, handed: unknown][] = [
    ['an object in a Map', new Map([[ownKey, { not: 'ours' }]])],
    ['other text in a Map', new Map([[ownKey, 'what is this?']])],
    ['no JSON in a Keyv', new Keyv({ store: new Map([[`keyv:${ownKey}`, 'no JSON']]) })],
    ['a number in a Keyv', new Keyv({ store: new Map([[`keyv:${ownKey}`, '{"value":5}']]) })],
  ];
  for (const [what, handed] of foreign) {
    it(`fails for one entry only to read what is not from a cache: ${what}`, async () => {
      const store = new KeyvBackend(handed);
      const error = await failure(() => store.get(digest));
      expect(isCacheError(error) && error).to.include({ code: 'ERR_CACHE_STORE', scope: 'entry' });
      expect(await store.get('other')).to.equal(undefined);
      await store.set(digest, Buffer.from('ours'), meta());
      expect(text(await store.get(digest))).to.equal('ours');
    });
  }

  it('tells its observers of errors that belong to no call, the first also of earlier ones', () => {
    const adapter = new FakeAdapter();
    const store = new KeyvBackend(adapter);
    const told: string[] = [];
    adapter.emit('error', new Error('early'));
    const stop = store.observe((error) => told.push(error.message));
    adapter.emit('error', new Error('late'));
    stop();
    adapter.emit('error', new Error('too late'));
    expect(told.length).to.equal(2);
    expect(told[0]).to.match(/early/);
    expect(told[1]).to.match(/late/);
  });

  for (const handed of [undefined, null, {}, 'sqlite', 5, { get: () => 1, set: () => 1 }]) {
    it(`refuses ${JSON.stringify(handed)}`, async () => {
      expect(String(await failure(() => new KeyvBackend(handed)))).to.match(
        /^CacheOptionError: Option backend.*Keyv/,
      );
    });
  }
});
