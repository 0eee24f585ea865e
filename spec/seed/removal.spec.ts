/** Rows A43-A46: expired responses go when they are asked for again, or when they are told to. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Duration, MemoryBackend } from '../../lib/index.js';
import { rig } from '../support/harness.js';
import { answer, inDirectory, secondsLeft, using } from './support.js';

describe('The seed: removal of expired responses', () => {
  it(
    'A43 an expired response stays until it is next asked for, and is replaced then',
    using({ expireAfter: 60 }, async ({ http, clock, adapter }) => {
      const { cacheKey = '' } = await http.get('/a');
      clock.tick(61);
      expect(await adapter.cache.count()).to.equal(1);
      expect(await adapter.cache.get(cacheKey)).to.include({ isExpired: true });
      await http.get('/other');
      expect(await adapter.cache.count()).to.equal(2);
      expect((await http.get('/a')).fromCache).to.equal(false);
      expect(await adapter.cache.count()).to.equal(2);
      expect((await adapter.cache.get(cacheKey))?.json()).to.include({ n: 3 });
    }),
  );

  it(
    'A43 an expired response with a validator is confirmed by the origin and fresh again',
    using({ expireAfter: 60 }, async ({ http, clock, origin }) => {
      origin.on('/a', (req, res) => {
        res.writeHead(req.headers['if-none-match'] === '"1"' ? 304 : 200, { etag: '"1"' });
        res.end(req.headers['if-none-match'] === '"1"' ? undefined : 'body');
      });
      await http.get('/a');
      clock.tick(61);
      const confirmed = await http.get('/a');
      expect(confirmed).to.include({ data: 'body', fromCache: true, revalidated: true, isExpired: false });
      expect(secondsLeft(confirmed, clock.now())).to.equal(60);
    }),
  );

  it(
    'A44 removeExpiredResponses: expired ones go; fresh and never-expiring ones stay',
    using({}, async ({ http, clock, origin, adapter }) => {
      await http.get('/expired', { expireAfter: 60 });
      await http.get('/fresh', { expireAfter: 600 });
      await http.get('/never');
      clock.tick(61);
      expect(await adapter.removeExpiredResponses()).to.equal(1);
      expect(await adapter.cache.count()).to.equal(2);
      expect(await adapter.cache.urls()).to.deep.equal([`${origin.url}/fresh`, `${origin.url}/never`]);
      expect(await adapter.removeExpiredResponses()).to.equal(0);
    }),
  );

  it('A44 removeExpiredResponses: what cannot be read goes too', async () => {
    const backend = new MemoryBackend();
    await using({ backend }, async ({ http, adapter }) => {
      const { cacheKey = '' } = await http.get('/a');
      await http.get('/b');
      backend.set(cacheKey, Buffer.from('garbage'), { createdAt: 0, url: '' });
      expect(await adapter.removeExpiredResponses()).to.equal(1);
      expect(await adapter.cache.count()).to.equal(1);
    })();
  });

  it(
    'A44 removeExpiredResponses: an SQLite file gets smaller',
    inDirectory(async (directory) => {
      const cacheName = join(directory, 'c.sqlite');
      const body = 'x'.repeat(500_000);
      const own = await rig({ backend: 'sqlite', cacheName }, {}, answer(body));
      try {
        for (let n = 0; n < 8; n++) await own.http.get(`/${n}`, { expireAfter: 60 });
        await own.http.get('/kept');
        await own.adapter.cache.flush();
        own.clock.tick(61);
        expect(await own.adapter.removeExpiredResponses()).to.equal(8);
      } finally {
        await own.close();
      }
      expect(statSync(cacheName).size).to.be.within(body.length, 3 * body.length);
    }),
  );

  /** An entry 120 s old, given `expireAfter` when it was stored; then `removeExpiredResponses({ expireAfter: next })`. */
  const redated: [stored: number, next: number | Duration, lives: number | 'never' | 'deleted'][] = [
    [60, 300, 300],
    [-1, 30, 'deleted'],
    [60, -1, 'never'],
    [60, { days: 30 }, 30 * 86_400],
    [600, 0, 'deleted'],
    [-1, 0, 'deleted'],
    [600, 120, 'deleted'],
    [600, 121, 121],
    [600, -2, 'deleted'],
  ];
  for (const [stored, next, lives] of redated) {
    const then = typeof lives === 'number' ? `it lives ${lives} s from its creation` : lives;
    it(
      `A46 with expireAfter ${JSON.stringify(next)}: of an entry stored 120 s ago for ${stored}: ${then}`,
      using({}, async ({ http, clock, adapter }) => {
        const created = clock.now();
        await http.get('/a', { expireAfter: stored });
        clock.tick(120);
        const gone = await adapter.removeExpiredResponses({ expireAfter: next });
        expect(gone).to.equal(lives === 'deleted' ? 1 : 0);
        expect(await adapter.cache.count()).to.equal(1 - gone);
        const response = await http.get('/a');
        expect(response.fromCache).to.equal(lives !== 'deleted');
        if (lives !== 'deleted') expect(secondsLeft(response, created)).to.equal(lives);
      }),
    );
  }

  it(
    'A46 with expireAfter: a revived entry is a hit until its new moment, and no longer',
    using({}, async ({ http, clock, adapter }) => {
      await http.get('/a', { expireAfter: 60 });
      clock.tick(120);
      await adapter.removeExpiredResponses({ expireAfter: 300 });
      clock.tick(179);
      expect((await http.get('/a')).fromCache).to.equal(true);
      clock.tick(1);
      expect((await http.get('/a')).fromCache).to.equal(false);
    }),
  );

  it(
    'A46 with expireAfter: what is stored later is not concerned',
    using({ expireAfter: 60 }, async ({ http, clock, adapter }) => {
      await adapter.removeExpiredResponses({ expireAfter: 300 });
      expect(secondsLeft(await http.get('/a'), clock.now())).to.equal(60);
    }),
  );

  it(
    'A46 resetExpiration counts from now instead, and deletes nothing',
    using({}, async ({ http, clock, adapter }) => {
      await http.get('/a', { expireAfter: 60 });
      clock.tick(120);
      expect(await adapter.cache.resetExpiration(300)).to.equal(1);
      expect(secondsLeft(await http.get('/a'), clock.now())).to.equal(300);
      expect(await adapter.cache.resetExpiration(0)).to.equal(1);
      expect(await adapter.cache.count({ expired: true })).to.equal(1);
    }),
  );
});
