/** Keys that mean something to a file system, a database or a shell, in every store. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import axios from 'axios';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { Origin } from '../support/origin.js';
import { stores } from './stores.js';

const KEYS = [
  '../../../../tmp/axios-stash-escaped',
  '/etc/passwd',
  '..\\..\\windows',
  'C:\\x',
  'con',
  '.',
  '..',
  'a/b/c',
  'x'.repeat(5000),
  "z' OR '1'='1",
  "'; DROP TABLE axios_stash; --",
  '"; DELETE FROM axios_stash; --',
  '%',
  '_',
  '*',
  '?',
  '[a-z]*',
  '{"$gt":""}',
  '$where',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'a\nb',
  'a\r\nSET x 1',
  'a\0b',
  '\0',
  ' ',
  'a:b',
  'axios-stash:x',
  '{tag}',
  '\ud800',
  '\udc00',
  'é',
  'e\u0301',
  '🎉',
  'KEY',
  'key',
];

const strangers = () => readdirSync(tmpdir()).filter((name) => name.includes('escaped'));

for (const { name, open } of stores) {
  describe(`hostile keys: ${name}`, () => {
    it('of a keyFn each have an entry of their own, and lead nowhere else', async () => {
      const origin = await Origin.start((req, res) => void res.end(req.url));
      const { store, remove } = await open();
      try {
        const keyFn = ({ url }: { url: string }) => KEYS[Number(url.split('/').pop())] ?? '';
        const adapter = cacheAdapter({
          backend: store,
          keyFn,
          hotBytes: 0,
          storeTimeout: 20,
        } as CacheOptions);
        const http = axios.create({ adapter, baseURL: origin.url });
        for (const fromCache of [false, true]) {
          for (const at of KEYS.keys()) {
            const response = await http.get(`/${at}`);
            expect([response.data, response.fromCache], KEYS[at]).to.deep.equal([`/${at}`, fromCache]);
          }
          await adapter.cache.flush();
        }
        expect(await adapter.cache.count()).to.equal(KEYS.length);
        expect(strangers()).to.deep.equal([]);
      } finally {
        await remove();
        await origin.close();
      }
    });

    it('find, count and delete nothing when they are looked for', async () => {
      const origin = await Origin.start((_req, res) => void res.end('ok'));
      const { store, remove } = await open();
      try {
        const adapter = cacheAdapter({ backend: store, storeTimeout: 20 } as CacheOptions);
        await axios.get(origin.url, { adapter });
        for (const key of KEYS) {
          expect(await adapter.cache.get(key), key).to.equal(undefined);
          expect(await adapter.cache.has(key), key).to.equal(false);
        }
        expect(await adapter.cache.delete({ keys: KEYS })).to.equal(0);
        expect(await adapter.cache.delete({ urls: KEYS })).to.equal(0);
        expect(await adapter.cache.count()).to.equal(1);
        expect((await axios.get(origin.url, { adapter })).fromCache).to.equal(true);
      } finally {
        await remove();
        await origin.close();
      }
    });

    it('are kept exactly by the store itself', async () => {
      const { store, remove } = await open();
      try {
        const meta = { createdAt: 0, url: 'u' };
        for (const [at, key] of KEYS.entries()) await store.set(key, Buffer.from([at]), meta);
        for (const [at, key] of KEYS.entries()) expect((await store.get(key))?.[0], key).to.equal(at);
        expect(await store.delete(['*', '%', '.'])).to.equal(3);
        const left = KEYS.filter((key) => !['*', '%', '.'].includes(key));
        for (const key of left) expect((await store.get(key)) === undefined, key).to.equal(false);
        expect(strangers()).to.deep.equal([]);
      } finally {
        await remove();
      }
    });
  });
}
