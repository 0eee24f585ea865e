/** A store object that several adapters share: what one changes, the others see. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { FileBackend, KeyvBackend, MemoryBackend, SQLiteBackend, type Store } from '../../lib/index.js';
import { temporaryDirectory } from '../stores/drivers.js';
import { type Rig, rig } from '../support/harness.js';

/** Its writes and deletes take their time. */
class LateStore extends MemoryBackend {
  override set(...args: Parameters<MemoryBackend['set']>): never {
    return delay(30).then(() => super.set(...args)) as never;
  }
  override delete(keys: string[]): never {
    return Promise.resolve().then(() => super.delete(keys)) as never;
  }
}

const directory = temporaryDirectory();
after(() => directory.remove());

const kinds: [string, () => Store][] = [
  ['MemoryBackend', () => new MemoryBackend()],
  ['SQLiteBackend', () => new SQLiteBackend({ cacheName: ':memory:' })],
  ['SQLiteBackend on keyv', () => new SQLiteBackend({ cacheName: ':memory:', driver: 'keyv' })],
  ['FileBackend', () => new FileBackend({ cacheName: `${directory.path}/${Math.random()}` })],
  ['KeyvBackend', () => new KeyvBackend(new Map())],
  ['a store that answers late', () => new LateStore()],
];

for (const [name, make] of kinds) {
  describe(`two adapters on one store object: ${name}`, () => {
    let store: Store;
    let one: Rig;
    let two: ReturnType<Rig['another']>;
    let answer = 0;
    beforeEach(async () => {
      store = make();
      one = await rig({ backend: store });
      two = one.another({ backend: store });
      one.origin.on('/x', (_, res) => {
        res.end(String(++answer));
      });
      await one.http.get('/x');
      expect((await one.http.get('/x')).fromCache).to.equal(true);
      answer = 100;
    });
    afterEach(async () => {
      await one.close();
      await store.close();
    });

    it('one sees what the other refreshed', async () => {
      await two.http.get('/x', { forceRefresh: true });
      expect((await one.http.get('/x')).data).to.equal(101);
    });

    for (const [what, change] of [
      ['cleared', () => two.adapter.cache.clear()],
      ['deleted', () => two.adapter.cache.delete({ urls: [`${one.origin.url}/x`] })],
      ['made expire', () => two.adapter.cache.resetExpiration(new Date(0))],
      ['changed at the origin', () => two.http.put('/x')],
    ] as const) {
      it(`one has no more what the other ${what}`, async () => {
        await change();
        expect((await one.http.get('/x')).fromCache).to.equal(false);
      });
    }

    it('one sees at once what the other has just stored', async () => {
      await two.http.get('/y');
      expect((await one.http.get('/y')).fromCache).to.equal(true);
    });

    it('what one deletes while the other still writes it is gone', async () => {
      await two.http.get('/y');
      await one.adapter.cache.delete({ urls: [`${one.origin.url}/y`] });
      await two.adapter.cache.flush();
      expect((await one.http.get('/y')).fromCache).to.equal(false);
    });

    it('one reads nothing of what the other signs, written or on its way', async () => {
      const signed = one.another({ backend: store, secretKey: 'a secret of its own' });
      await signed.http.get('/y');
      expect((await one.http.get('/y')).fromCache).to.equal(false);
      const other = one.another({ backend: store, secretKey: 'another one' });
      await signed.http.get('/z');
      expect((await other.http.get('/z')).fromCache).to.equal(false);
    });
  });
}
