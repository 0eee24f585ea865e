import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '../../lib/stores/memory.js';
import { allKeys, failure, meta, storeContract } from './contract.js';

storeContract('MemoryBackend', () => ({ store: new MemoryBackend() }));

describe('MemoryBackend', () => {
  it('answers at once', () => {
    const store = new MemoryBackend();
    store.set('key', Buffer.from('value'), meta());
    expect(store.get('key')).to.be.instanceOf(Uint8Array);
    expect(store.delete(['key'])).to.equal(1);
    expect(store.deleteExpired(0)).to.equal(0);
  });

  it('takes the place of a window onto a large buffer, and lets go of that buffer', () => {
    const store = new MemoryBackend();
    const value = new Uint8Array(new ArrayBuffer(1_000_000), 5, 100);
    store.set('key', value, meta());
    expect(store.get('key')?.buffer.byteLength).to.equal(100);
  });

  it('deletes 200,000 expired entries in slices, and leaves alone what is replaced meanwhile', async () => {
    const store = new MemoryBackend();
    for (let n = 0; n < 200_000; n++) store.set(String(n), Buffer.alloc(0), meta({ expiresAt: 1 }));
    const done = store.deleteExpired(1);
    store.set('199999', Buffer.from('new'), meta());
    const deleted = await done;
    expect(deleted).to.be.oneOf([199_999, 200_000]);
    expect(await allKeys(store)).to.deep.equal(['199999']);
    expect(store.count({ now: 1 })).to.equal(1);
  });

  it('refuses options that it does not have', async () => {
    const options: object = { path: 'x' };
    expect(String(await failure(() => new MemoryBackend(options)))).to.match(
      /path.*memory has no such option/,
    );
  });

  it('stays true to a plain model of itself', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key, size: fc.nat(9), index: fc.boolean() }),
      fc.record({ do: fc.constant('delete' as const), key }),
      fc.record({ do: fc.constant('touch' as const), key }),
      fc.record({ do: fc.constant('trim' as const), maxEntries: fc.nat(5) }),
      fc.record({ do: fc.constant('expire' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new MemoryBackend();
        let model: { key: string; size: number; index: boolean }[] = [];
        const responses = () => model.filter((entry) => !entry.index).length;
        for (const now of steps) {
          if (now.do === 'set') {
            store.set(now.key, Buffer.alloc(now.size), meta({ index: now.index, url: `u${now.size % 2}` }));
            model = [...model.filter((entry) => entry.key !== now.key), now];
          } else if (now.do === 'delete') {
            const before = model.length;
            model = model.filter((entry) => entry.key !== now.key);
            expect(store.delete([now.key])).to.equal(before - model.length);
          } else if (now.do === 'touch') {
            store.touch(now.key);
            model = [
              ...model.filter((entry) => entry.key !== now.key),
              ...model.filter((entry) => entry.key === now.key),
            ];
          } else if (now.do === 'trim') {
            const evicted: string[] = [];
            while (responses() > now.maxEntries) evicted.push(model.shift()?.key ?? '');
            expect(store.trim({ maxEntries: now.maxEntries })).to.deep.equal(evicted);
          } else {
            expect(store.deleteExpired(0)).to.equal(0);
          }
          expect(store.count({ now: 0 })).to.equal(responses());
          expect(store.size()).to.equal(model.reduce((sum, entry) => sum + entry.size, 0));
          expect(store.keysByUrl('u1').sort()).to.deep.equal(
            model
              .filter((entry) => entry.size % 2 === 1)
              .map((entry) => entry.key)
              .sort(),
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});
