import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { type MaybePromise, MemoryBackend, type Store } from '../../lib/index.js';
import { rig } from '../support/harness.js';

/** What the memory store answers, as promises of another realm: `instanceof Promise` says no to them. */
function foreignStore(): Store {
  const memory = new MemoryBackend();
  const later: <T>(value: MaybePromise<T>) => Promise<T> = runInNewContext(
    '(value) => Promise.resolve(value)',
  );
  return {
    get: (key) => later(memory.get(key)),
    set: (key, value, meta) => later(memory.set(key, value, meta)),
    delete: (keys) => later(memory.delete(keys)),
    clear: () => later(memory.clear()),
    keys: () => memory.keys(),
    close: () => later(memory.close()),
    keysByUrl: (url) => later(memory.keysByUrl(url)),
  };
}

describe('a store that answers with promises of another realm', () => {
  it('is waited for as any other that answers with promises', async () => {
    const { http, adapter, origin, errors, close } = await rig({ backend: foreignStore() });
    try {
      await http.get('/a');
      await adapter.cache.flush();
      expect((await http.get('/a')).fromCache).to.equal(true);
      expect(await adapter.cache.count()).to.equal(1);
      await http.put('/a');
      await adapter.cache.flush();
      expect((await http.get('/a')).fromCache).to.equal(false);
      expect(origin.count).to.equal(3);
      expect(errors).to.deep.equal([]);
    } finally {
      await close();
    }
  });
});
