import { expect } from 'chai';
import type { CacheOptions, StaleLimit } from '../../lib/index.js';
import type { Handler } from '../support/origin.js';
import { answer, Gate, Resource, rejection, until, using } from './support.js';

const modes: [string, CacheOptions][] = [
  ['cacheControl: false', { expireAfter: 10 }],
  ['cacheControl: true', { expireAfter: 10, cacheControl: true }],
];
const breakOff: Handler = (_req, _res, raw) => {
  raw.socket.destroy();
};

for (const [mode, options] of modes) {
  describe(`staleIfError, ${mode}`, () => {
    const limits: [StaleLimit, number, boolean][] = [
      [true, 1e9, true],
      [false, 1, false],
      [60, 60, true],
      [60, 60.001, false],
      [0, 1, false],
      [{ minutes: 1 }, 60, true],
      [{ minutes: 1 }, 61, false],
      [{ hours: 1, seconds: 30 }, 3630, true],
    ];
    for (const [limit, staleness, isServed] of limits) {
      for (const where of ['adapter', 'alias', 'request'] as const) {
        const named = { adapter: { staleIfError: limit }, alias: { oldDataOnError: limit }, request: {} }[
          where
        ];
        it(
          `${JSON.stringify(limit)} by ${where}: ${isServed ? 'serves' : 'refuses'} what expired ${staleness} s ago`,
          using({ ...options, ...named } as CacheOptions, async ({ http, origin, clock }) => {
            origin.on('/r', answer('old'));
            await http.get('/r');
            origin.on('/r', breakOff);
            clock.tick(10 + staleness);
            const asked = http.get('/r', where === 'request' ? { staleIfError: limit } : {});
            if (!isServed) {
              expect(await rejection(asked)).to.include({ code: 'ECONNRESET' });
              return;
            }
            const response = await asked;
            expect(response).to.include({
              fromCache: true,
              isExpired: true,
              revalidated: false,
              data: 'old',
              status: 200,
            });
            expect(response.cacheStatus).to.include({ hit: true, detail: 'stale-if-error' });
            expect(origin.count).to.equal(2);
          }),
        );
      }
    }

    for (const status of [400, 403, 429, 500, 502, 503]) {
      it(
        `stands in for a ${status}`,
        using({ ...options, staleIfError: true }, async ({ http, origin, clock }) => {
          origin.on('/r', answer('old'));
          await http.get('/r');
          origin.on('/r', answer('bad', {}, status));
          clock.tick(11);
          expect(await http.get('/r')).to.include({ isExpired: true, data: 'old', status: 200 });
        }),
      );
    }

    it(
      'does not stand in for a status that is allowed',
      using(
        { ...options, staleIfError: true, allowableCodes: [200, 404] },
        async ({ http, origin, clock }) => {
          origin.on('/r', answer('old'));
          await http.get('/r');
          origin.on('/r', answer('gone', {}, 404));
          clock.tick(11);
          expect((await rejection(http.get('/r'))).response).to.include({ status: 404, data: 'gone' });
          expect(await http.get('/r', { validateStatus: null })).to.include({
            fromCache: true,
            status: 404,
            data: 'gone',
          });
        },
      ),
    );

    it(
      'hands on the real error unchanged where nothing is stored',
      using({ ...options, staleIfError: true }, async ({ http, origin }) => {
        origin.on('/r', answer('bad', {}, 503));
        const error = await rejection(http.get('/r'));
        expect(error).to.include({
          code: 'ERR_BAD_RESPONSE',
          message: 'Request failed with status code 503',
        });
        expect(error.response).to.include({ status: 503, data: 'bad', fromCache: false });
      }),
    );

    it(
      'does not touch the entry, and serves it again and again',
      using({ ...options, staleIfError: true }, async ({ http, origin, clock }) => {
        const resource = new Resource();
        origin.on('/r', resource.handler);
        const first = await http.get('/r');
        origin.on('/r', answer('bad', {}, 500));
        clock.tick(11);
        for (let i = 0; i < 3; i++)
          expect(await http.get('/r')).to.deep.include({ isExpired: true, expires: first.expires });
        origin.on('/r', resource.handler);
        expect(await http.get('/r')).to.include({ revalidated: true, isExpired: false });
      }),
    );

    it(
      'covers the timeout of the caller, not its abort',
      using({ ...options, staleIfError: true }, async ({ http, origin, clock }) => {
        origin.on('/r', answer('old'));
        await http.get('/r');
        origin.on('/r', () => {});
        clock.tick(11);
        expect(await http.get('/r', { timeout: 30 })).to.include({ isExpired: true, data: 'old' });
        const controller = new AbortController();
        const aborted = rejection(http.get('/r', { signal: controller.signal }));
        await until(() => origin.count === 3);
        controller.abort();
        expect(await aborted).to.include({ code: 'ERR_CANCELED' });
      }),
    );

    it(
      'is no way round forceRefresh and no-cache',
      using({ ...options, staleIfError: true }, async ({ http, origin }) => {
        origin.on('/r', answer('old'));
        await http.get('/r');
        origin.on('/r', answer('bad', {}, 500));
        expect((await rejection(http.get('/r', { forceRefresh: true }))).response?.status).to.equal(500);
        expect(
          (await rejection(http.get('/r', { headers: { 'Cache-Control': 'no-cache' } }))).response?.status,
        ).to.equal(500);
      }),
    );

    it(
      'can be refused by one request',
      using({ ...options, staleIfError: true }, async ({ http, origin, clock }) => {
        origin.on('/r', answer('old'));
        await http.get('/r');
        origin.on('/r', answer('bad', {}, 500));
        clock.tick(11);
        expect((await rejection(http.get('/r', { staleIfError: false }))).response?.status).to.equal(500);
      }),
    );

    const failures: [string, Handler][] = [
      ['a 500', answer('bad', {}, 500)],
      ['a broken connection', breakOff],
    ];
    for (const [name, fails] of failures) {
      it(
        `gives each of many callers its own stale response, after ${name} that they shared`,
        using({ ...options, staleIfError: true }, async ({ http, origin, clock, adapter }) => {
          origin.on('/r', answer('{"a":1}'));
          await http.get('/r');
          clock.tick(11);
          const gate = new Gate();
          origin.on('/r', async (...args) => {
            await gate.opened;
            return fails(...args);
          });
          const all = Array.from({ length: 20 }, () => http.get('/r'));
          await until(() => origin.count === 2);
          gate.open();
          const responses = await Promise.all(all);
          expect(responses.every(({ isExpired }) => isExpired)).to.equal(true);
          expect(new Set(responses.map(({ data }) => data)).size).to.equal(20);
          expect(responses.filter(({ cacheStatus }) => cacheStatus?.collapsed === true)).to.have.length(19);
          expect(adapter.cache.stats()).to.include({ coalesced: 19, stale: 20 });
          expect(origin.count).to.equal(2);
        }),
      );
    }
  });

  describe(`staleWhileRevalidate, ${mode}`, () => {
    const limits: [StaleLimit, number, boolean][] = [
      [true, 1e9, true],
      [false, 1, false],
      [60, 60, true],
      [60, 61, false],
      [{ minutes: 1 }, 60, true],
      [{ minutes: 1 }, 61, false],
    ];
    for (const [limit, staleness, isServed] of limits) {
      for (const where of ['adapter', 'request'] as const) {
        it(
          `${JSON.stringify(limit)} by ${where}: ${isServed ? 'serves at once' : 'waits for'} what expired ${staleness} s ago`,
          using(
            { ...options, ...(where === 'adapter' && { staleWhileRevalidate: limit }) },
            async ({ http, origin, clock }) => {
              await http.get('/r');
              clock.tick(10 + staleness);
              const response = await http.get(
                '/r',
                where === 'request' ? { staleWhileRevalidate: limit } : {},
              );
              expect(response).to.include({ fromCache: isServed, isExpired: isServed });
              expect(response.data.n).to.equal(isServed ? 1 : 2);
              await until(() => origin.count === 2);
            },
          ),
        );
      }
    }

    it(
      'serves 50 at once and refreshes once, then what is new',
      using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, adapter }) => {
        const resource = new Resource();
        const gate = new Gate();
        origin.on('/r', resource.handler);
        await http.get('/r');
        clock.tick(11);
        resource.body = 'v2';
        resource.etag = '"2"';
        origin.on('/r', async (req, res, raw) => {
          await gate.opened;
          await resource.handler(req, res, raw);
        });
        // The origin answers nobody yet: whoever waited for it would hang.
        const stale = await Promise.all(Array.from({ length: 50 }, () => http.get('/r')));
        for (const response of stale) {
          expect(response).to.include({ fromCache: true, isExpired: true, data: 'v1' });
          expect(response.cacheStatus).to.include({ hit: true, detail: 'stale-while-revalidate' });
        }
        const stored = new Promise((resolve) => adapter.cache.on('stored', resolve));
        gate.open();
        await stored;
        expect(await http.get('/r')).to.include({ fromCache: true, isExpired: false, data: 'v2' });
        expect(origin.count).to.equal(2);
        expect(adapter.cache.stats()).to.include({ stale: 50, hits: 1 });
      }),
    );

    it(
      'confirms by 304 behind the callers',
      using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, adapter }) => {
        origin.on('/r', new Resource().handler);
        await http.get('/r');
        clock.tick(11);
        const revalidated = new Promise((resolve) => adapter.cache.on('revalidated', resolve));
        await http.get('/r');
        await revalidated;
        expect(await http.get('/r')).to.include({ fromCache: true, isExpired: false, data: 'v1' });
        expect(origin.last?.headers['if-none-match']).to.equal('"1"');
      }),
    );

    const failures: [string, Handler][] = [
      ['a broken connection', breakOff],
      ['a 500', answer('bad', {}, 500)],
    ];
    for (const [name, fail] of failures) {
      it(
        `tells of ${name} by an event, and serves on`,
        using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, errors }) => {
          origin.on('/r', answer('old'));
          await http.get('/r');
          clock.tick(11);
          origin.on('/r', fail);
          expect(await http.get('/r')).to.include({ isExpired: true, data: 'old' });
          await until(() => errors.length === 1);
          expect(errors[0]).to.include({ reason: 'background refresh', url: `${origin.url}/r` });
          expect(await http.get('/r')).to.include({ isExpired: true, data: 'old' });
          await until(() => errors.length === 2);
        }),
      );
    }

    it(
      'ends a refresh that hangs with the timeout of its caller, and tries again',
      using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, errors }) => {
        origin.on('/r', answer('old'));
        await http.get('/r');
        clock.tick(11);
        origin.on('/r', () => {});
        await http.get('/r', { timeout: 30 });
        await until(() => errors.length === 1);
        expect(errors[0]?.error).to.include({ code: 'ECONNABORTED' });
        origin.on('/r', answer('new'));
        await http.get('/r');
        await until(() => origin.count === 3);
      }),
    );

    it(
      'refreshes on though the caller has gone',
      using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, adapter }) => {
        origin.on('/r', answer('old'));
        await http.get('/r');
        clock.tick(11);
        const gate = new Gate();
        origin.on('/r', async (_req, res) => {
          await gate.opened;
          res.end('new');
        });
        const controller = new AbortController();
        await http.get('/r', { signal: controller.signal });
        await until(() => origin.count === 2);
        controller.abort();
        const stored = new Promise((resolve) => adapter.cache.on('stored', resolve));
        gate.open();
        await stored;
        expect(await http.get('/r')).to.include({ fromCache: true, data: 'new' });
      }),
    );

    it(
      'yields to alwaysRevalidate, and to a request that asks for a fresh response',
      using(
        { ...options, staleWhileRevalidate: true, alwaysRevalidate: true },
        async ({ http, origin, clock }) => {
          origin.on('/r', new Resource().handler);
          await http.get('/r');
          clock.tick(11);
          expect(await http.get('/r')).to.include({ revalidated: true });
        },
      ),
    );

    it(
      'does not refresh what it may not store',
      using({ ...options, staleWhileRevalidate: true }, async ({ http, origin, clock, adapter }) => {
        await http.get('/r');
        adapter.settings.readOnly = true;
        clock.tick(11);
        expect(await http.get('/r')).to.include({ isExpired: true });
        await http.get('/other');
        expect(origin.requests.map(({ url }) => url)).to.deep.equal(['/r', '/other']);
      }),
    );
  });
}

describe('what an origin says of stale responses, cacheControl: true', () => {
  it(
    'stale-while-revalidate and stale-if-error of the response count',
    using({ cacheControl: true }, async ({ http, origin, clock }) => {
      origin.on('/swr', answer('old', { 'cache-control': 'max-age=10, stale-while-revalidate=20' }));
      origin.on('/sie', answer('old', { 'cache-control': 'max-age=10, stale-if-error=20' }));
      for (const path of ['/swr', '/sie']) await http.get(path);
      clock.tick(15);
      origin.on('/sie', answer('bad', {}, 500));
      expect(await http.get('/swr')).to.include({ isExpired: true, data: 'old' });
      expect(await http.get('/sie')).to.include({ isExpired: true, data: 'old' });
      clock.tick(16);
      expect((await rejection(http.get('/sie'))).response?.status).to.equal(500);
    }),
  );

  it(
    'must-revalidate forbids both, and the request rejects with the network’s own error',
    using(
      { cacheControl: true, staleIfError: true, staleWhileRevalidate: true },
      async ({ http, origin, clock }) => {
        origin.on('/r', answer('old', { 'cache-control': 'max-age=10, must-revalidate', etag: '"1"' }));
        await http.get('/r');
        clock.tick(11);
        origin.on('/r', breakOff);
        const error = await rejection(http.get('/r'));
        expect(error).to.include({ code: 'ECONNRESET' });
        expect(error.response).to.equal(undefined);
      },
    ),
  );
});
