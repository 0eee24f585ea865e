/** How Keyv 5 and its adapters fail, and what a user of KeyvBackend must not meet. */
import { mock } from 'node:test';
import KeyvSqlite from '@keyv/sqlite';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { isCacheError } from '../../lib/errors.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { failure, meta, text } from './contract.js';
import { temporaryDirectory } from './drivers.js';
import { FakeAdapter, never, until } from './keyv-support.js';

const value = Buffer.from('value');
const broken = new Error('broken');

async function expectBroken(call: () => unknown): Promise<void> {
  const error = await failure(call);
  expect(isCacheError(error) && error.cause, String(error)).to.equal(broken);
}

/** A store of which some calls answer only when they are told to. */
class SlowAdapter extends FakeAdapter {
  readonly waiting: (() => void)[] = [];
  override answer = () => new Promise<void>((resolve) => this.waiting.push(resolve));
  answerAll(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

describe('KeyvBackend: errors', () => {
  it('fails to read when the store below a Keyv 5 rejects, which Keyv keeps to itself', async () => {
    const adapter = new FakeAdapter();
    adapter.answer = () => Promise.reject(broken);
    for (const options of [{}, { emitErrors: false }, { throwOnErrors: true }]) {
      await expectBroken(() => new KeyvBackend(new Keyv({ store: adapter, ...options })).get('key'));
    }
  });

  it('reads from a Keyv 5 that is too old to have getRaw()', async () => {
    const keyv = Object.defineProperty(new Keyv(), 'getRaw', { value: undefined });
    const store = new KeyvBackend(keyv);
    await store.set('key', value, meta());
    expect(text(await store.get('key'))).to.equal('value');
    expect(await store.get('other')).to.equal(undefined);
  });

  it('hears what the adapter emits below a Keyv that is told to emit no errors', async () => {
    const adapter = new FakeAdapter();
    const store = new KeyvBackend(new Keyv({ store: adapter, emitErrors: false }));
    adapter.answer = () => adapter.emit('error', broken);
    for (const call of [
      () => store.get('key'),
      () => store.set('key', value, meta()),
      () => store.delete(['key']),
      () => store.clear(),
    ]) {
      await expectBroken(call);
    }
  });

  for (const [what, make] of [
    ['an adapter', (adapter: FakeAdapter) => adapter],
    ['a Keyv', (adapter: FakeAdapter) => new Keyv({ store: adapter })],
  ] as const) {
    it(`loses no error that is emitted while several calls are under way: ${what}`, async () => {
      const adapter = new SlowAdapter();
      const store = new KeyvBackend(make(adapter));
      const calls = [store.get('a'), store.set('b', value, meta()), store.delete(['c'])];
      await until(() => adapter.waiting.length === 3);
      adapter.emit('error', broken);
      for (const call of calls) await expectBroken(() => call);
      adapter.answerAll();
      const next = store.get('a');
      await until(() => adapter.waiting.length === 1);
      adapter.answerAll();
      expect(await next).to.equal(undefined);
    });
  }
});

describe('KeyvBackend: a store that does not answer', () => {
  it('fails after 30 s', async () => {
    const adapter = new FakeAdapter();
    const store = new KeyvBackend(adapter);
    adapter.answer = never;
    const { setTimeout } = globalThis;
    const mocked = mock.method(globalThis, 'setTimeout', (callback: () => void, ms: number) =>
      setTimeout(callback, ms === 30_000 ? 1 : ms),
    );
    const error = String(await failure(() => store.get('key')));
    mocked.mock.restore();
    expect(error).to.match(/^CacheStoreError.*can't read: no answer within 30 s/);
  });

  it('gets no more calls when a hundred wait for nothing, until one of them is answered', async () => {
    const adapter = new SlowAdapter();
    const store = new KeyvBackend(adapter);
    const calls = Array.from({ length: 150 }, () => store.set('key', value, meta()));
    await until(() => adapter.waiting.length === 150);
    adapter.emit('error', broken);
    for (const call of calls) await expectBroken(() => call);
    for (let n = 0; n < 100; n++) {
      expect(String(await failure(() => store.get('key')))).to.match(
        /^CacheStoreError.*150 earlier calls have no answer/,
      );
    }
    expect(adapter.waiting.length).to.equal(150);
    adapter.answerAll();
    adapter.answer = async () => {};
    await until(() => store.get('key').then(text, () => undefined));
    expect(text(await store.get('key'))).to.equal('value');
  });

  it('goes on when some answers are lost, however many', async () => {
    const adapter = new FakeAdapter();
    const store = new KeyvBackend(adapter);
    for (let n = 0; n < 150; n++) {
      let lost: Promise<unknown> | undefined;
      await new Promise<void>((resolve) => {
        adapter.answer = () => {
          resolve();
          return never();
        };
        lost = store.get('lost');
      });
      adapter.emit('error', broken);
      await expectBroken(() => lost);
      adapter.answer = () => undefined;
      await store.get('key');
    }
  });

  it('is given up on when it does not disconnect', async () => {
    const adapter = new FakeAdapter();
    adapter.disconnect = never;
    const store = new KeyvBackend(adapter);
    const { setTimeout } = globalThis;
    const mocked = mock.method(globalThis, 'setTimeout', (callback: () => void) => setTimeout(callback, 1));
    const error = String(await failure(() => store.close()));
    mocked.mock.restore();
    expect(error).to.match(/^CacheStoreError.*can't close: no answer within 4 s/);
    await store.close();
  });
});

describe('KeyvBackend: listeners', () => {
  it('adds one to a Keyv or an adapter, however many caches are made of it, and takes it away with the last', async () => {
    const keyv = new Keyv({ store: new FakeAdapter() });
    const adapter = new FakeAdapter();
    for (const [handed, count] of [
      [keyv, () => keyv.listeners('error').length],
      [adapter, () => adapter.listenerCount('error')],
    ] as const) {
      const stores = Array.from({ length: 50 }, () => new KeyvBackend(handed));
      expect(count()).to.equal(1);
      await stores[0]?.close();
      await stores[0]?.close();
      expect(count()).to.equal(1);
      for (const store of stores) await store.close();
      expect(count()).to.equal(0);
      const again = new KeyvBackend(handed);
      expect(count()).to.equal(1);
      await again.close();
    }
  });

  it('listens on after it is closed while a call is still under way: its error would end the process', async () => {
    const adapter = new SlowAdapter();
    const store = new KeyvBackend(adapter);
    const call = store.get('key');
    await until(() => adapter.waiting.length === 1);
    await store.close();
    expect(adapter.listenerCount('error')).to.equal(1);
    adapter.emit('error', broken);
    await expectBroken(() => call);
    adapter.answerAll();
    await until(() => adapter.listenerCount('error') === 0);
  });
});

describe('KeyvBackend on an SQLite file that can not be opened', () => {
  it('fails each call, and does not end the process', async () => {
    const { path, remove } = temporaryDirectory();
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const store = new KeyvBackend(new Keyv(new KeyvSqlite(`sqlite://${path}`)));
    // Long enough after the failure that nobody waited for.
    await new Promise((resolve) => store.observe(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
    expect(String(await failure(() => store.get('key')))).to.match(/^CacheStoreError.*SQLITE_CANTOPEN/);
    expect(String(await failure(() => store.set('key', value, meta())))).to.match(
      /^CacheStoreError.*SQLITE_CANTOPEN/,
    );
    expect(String(await failure(() => store.close()))).to.match(/^CacheStoreError.*SQLITE_CANTOPEN/);
    remove();
  });
});
