import { expect } from 'chai';
import type { CacheEventName } from '../../lib/index.js';
import { answer, Resource, recordEvents, using } from './support.js';

const ALL: CacheEventName[] = [
  'hit',
  'miss',
  'stale',
  'revalidated',
  'stored',
  'bypass',
  'evicted',
  'invalidated',
  'error',
];

describe('events', () => {
  it(
    'tell of each miss that is counted, one without the origin too',
    using({}, async (own) => {
      const events = recordEvents(own, ['miss']);
      const url = `${own.origin.url}/r`;
      await own.http.get('/r', { onlyIfCached: true, validateStatus: null });
      await own.http.get('/r', { onlyIfCached: true, cache: false, validateStatus: null });
      const key = own.adapter.cache.createKey({ url });
      expect(events).to.deep.equal([
        ['miss', { key, url, reason: 'only-if-cached' }],
        ['miss', { url, reason: 'cache: false' }],
      ]);
      expect(own.adapter.cache.stats().misses).to.equal(2);
    }),
  );

  it(
    'tell what happened, in order, with key and redacted URL',
    using({ expireAfter: 10, staleIfError: true, maxEntries: 1 }, async (own) => {
      const { http, origin, clock } = own;
      const events = recordEvents(own, ALL);
      const resource = new Resource();
      origin.on('/r', resource.handler);
      const { cacheKey: key } = await http.get('/r?api_key=hush');
      await http.get('/r?api_key=hush');
      clock.tick(11);
      await http.get('/r?api_key=hush');
      clock.tick(11);
      origin.on('/r', answer('x', {}, 500));
      await http.get('/r?api_key=hush');
      await http.get('/other', { cache: false });
      await http.get('/other');
      await http.put('/other', 'x');
      expect(events.map(([name]) => name)).to.deep.equal([
        'stored',
        'miss',
        'hit',
        'revalidated',
        'stale',
        'bypass',
        'evicted',
        'stored',
        'miss',
        'bypass',
        'invalidated',
      ]);
      const url = `${origin.url}/r?api_key=REDACTED`;
      const told = events.map(([, event]) => event);
      expect(told[0]).to.deep.equal({ key, url, bytes: 2 });
      expect(told[1]).to.deep.equal({ key, url, reason: 'uri-miss' });
      expect(told[2]).to.deep.equal({ key, url, bytes: 2 });
      expect(told[3]).to.deep.equal({ key, url });
      expect(told[4]).to.deep.equal({ key, url, bytes: 2, reason: 'stale-if-error' });
      expect(told[5]).to.deep.equal({ reason: 'cache: false', url: `${origin.url}/other` });
      expect(told[6]).to.include({ key });
      expect(told[9]).to.deep.equal({ reason: 'method', url: `${origin.url}/other` });
      expect(told[10]).to.include({ url: `${origin.url}/other`, reason: 'unsafe method' });
      expect(JSON.stringify(events)).not.to.include('hush');
    }),
  );

  it(
    'let no listener harm anybody: one that throws, one that rejects, one that changes what it gets',
    using({}, async (own) => {
      const { http, adapter } = own;
      for (const name of ALL) {
        adapter.cache.on(name, () => {
          throw new Error('listener');
        });
        adapter.cache.on(name, (async () => {
          throw new Error('listener');
        }) as never);
        adapter.cache.on(name, (event) => {
          for (const field of Object.keys(event)) delete (event as Record<string, unknown>)[field];
        });
      }
      const events = recordEvents(own, ['hit']);
      await http.get('/r');
      expect((await http.get('/r')).fromCache).to.equal(true);
      expect(events[0]?.[1].key).to.match(/^[0-9a-f]{64}$/);
    }),
  );

  it(
    'reach a listener until it is taken off, also while others are told',
    using({}, async ({ http, adapter }) => {
      const told: string[] = [];
      const second = () => {
        told.push('second');
      };
      const first = () => {
        told.push('first');
        adapter.cache.off('miss', first);
        adapter.cache.off('miss', second);
      };
      adapter.cache.on('miss', first);
      adapter.cache.on('miss', second);
      await http.get('/a');
      await http.get('/b');
      expect(told).to.deep.equal(['first', 'second']);
    }),
  );

  it(
    'that go unheard do no harm: an error without a listener ends nothing',
    using(
      {
        filterFn: () => {
          throw new Error('x');
        },
      },
      async ({ another }) => {
        const { http } = another({
          filterFn: () => {
            throw new Error('x');
          },
        });
        expect((await http.get('/r')).status).to.equal(200);
      },
    ),
  );

  it(
    'come from the background too, and are counted in stats',
    using({ expireAfter: 10 }, async ({ http, adapter, clock, origin }) => {
      origin.on('/r', new Resource().handler);
      await http.get('/r');
      await http.get('/r');
      clock.tick(11);
      await http.get('/r');
      await http.get('/r', { cache: false });
      await Promise.all([http.get('/s'), http.get('/s')]);
      const stats = adapter.cache.stats();
      expect(stats).to.include({
        hits: 1,
        misses: 3,
        stale: 0,
        revalidated: 1,
        stored: 2,
        coalesced: 1,
        bypassed: 1,
        errors: 0,
      });
      expect(stats.bytesStored).to.be.greaterThan(2);
      expect(stats.bytesServed).to.equal(4);
      stats.hits = 99;
      expect(adapter.cache.stats().hits).to.equal(1);
    }),
  );
});
