/** Rows A32-A38, A42 and the table of values (B.3): how long responses live, and who says so. */
import type { AxiosResponse } from 'axios';
import { expect } from 'chai';
import {
  type CommonOptions,
  cacheAdapter,
  DO_NOT_CACHE,
  EXPIRE_IMMEDIATELY,
  type ExpireAfter,
  NEVER_EXPIRE,
} from '../../lib/index.js';
import type { Rig } from '../support/harness.js';
import { TestClock } from '../support/origin.js';
import { answer, rejection, secondsLeft, using } from './support.js';

const YEAR = 365 * 86_400;

describe('The seed: expiry', () => {
  it(
    'A32 by default responses are kept for ever',
    using({}, async ({ http, clock }) => {
      expect((await http.get('/a')).expires).to.equal(undefined);
      clock.tick(10 * YEAR);
      expect(await http.get('/a')).to.include({ fromCache: true, isExpired: false });
    }),
  );

  for (const [what, expireAfter] of [
    ['seconds', 360],
    ['a duration', { minutes: 6 }],
  ] as const) {
    it(
      `A34 expiry of the adapter in ${what}: a hit until then, a new response in its place afterwards`,
      using({ expireAfter }, async ({ http, clock, origin, adapter }) => {
        await http.get('/a');
        clock.tick(359);
        expect((await http.get('/a')).fromCache).to.equal(true);
        clock.tick(2);
        const second = await http.get('/a');
        expect(second).to.include({ fromCache: false, isExpired: false });
        expect(second.data).to.include({ n: 2 });
        expect((await http.get('/a')).data).to.include({ n: 2 });
        expect(origin.count).to.equal(2);
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );
  }

  it(
    'A34 expiry of the adapter: expired from that very moment on',
    using({ expireAfter: 360 }, async ({ http, clock }) => {
      await http.get('/a');
      clock.tick(359.999);
      expect((await http.get('/a')).fromCache).to.equal(true);
      clock.tick(0.001);
      expect((await http.get('/a')).fromCache).to.equal(false);
    }),
  );

  it(
    'A35 expiry of the adapter as a duration of days',
    using({ expireAfter: { days: 30 } }, async ({ http, clock }) => {
      expect(secondsLeft(await http.get('/a'), clock.now())).to.equal(30 * 86_400);
      clock.tick(30 * 86_400 - 1);
      expect((await http.get('/a')).fromCache).to.equal(true);
      clock.tick(2);
      expect((await http.get('/a')).fromCache).to.equal(false);
    }),
  );

  it(
    'A36 a changed setting holds for new responses, not for those already stored',
    using({ expireAfter: 360 }, async ({ http, clock, adapter }) => {
      await http.get('/old');
      adapter.settings.expireAfter = -1;
      expect(secondsLeft(await http.get('/new'), clock.now())).to.equal('never');
      expect(secondsLeft(await http.get('/old'), clock.now())).to.equal(360);
      clock.tick(361);
      expect((await http.get('/new')).fromCache).to.equal(true);
      const replaced = await http.get('/old');
      expect(replaced.fromCache).to.equal(false);
      expect(secondsLeft(replaced, clock.now())).to.equal('never');
    }),
  );

  type Level = number | null | undefined;
  const precedence: [request: Level, url: Level, adapter: Level, left: number | 'never'][] = [
    [10, 20, 30, 10],
    [undefined, 20, 30, 20],
    [null, 20, 30, 20],
    [undefined, undefined, 30, 30],
    [undefined, null, 30, 30],
    [null, null, 30, 30],
    [undefined, undefined, undefined, 'never'],
    [undefined, undefined, null, 'never'],
    [-1, 20, 30, 'never'],
    [undefined, -1, 30, 'never'],
    [10, -1, -1, 10],
    [-2, 20, 30, -2],
  ];
  for (const [request, url, expireAfter, left] of precedence) {
    it(
      `A37 precedence: request ${request}, URL ${url}, adapter ${expireAfter} is ${left}`,
      using({ urlsExpireAfter: { '127.0.0.1': url }, expireAfter }, async ({ http, clock }) => {
        expect(secondsLeft(await http.get('/a', { expireAfter: request }), clock.now())).to.equal(left);
      }),
    );
  }

  // In the seed 0 is as good as not given at these levels, and the next one decides; by the contract it is a value.
  for (const [where, request, url] of [
    ['request', 0, 20],
    ['URL', undefined, 0],
  ] as const) {
    it(
      `A37 precedence: 0 of the ${where} means at once, whatever the next level says`,
      using({ urlsExpireAfter: { '127.0.0.1': url }, expireAfter: 30 }, async ({ http, origin }) => {
        origin.on('/validated', answer('x', { etag: '"1"' }));
        expect((await http.get('/a', { expireAfter: request })).cacheKey).to.equal(undefined);
        const { createdAt, expires } = await http.get('/validated', { expireAfter: request });
        expect(expires).to.be.instanceOf(Date).and.to.deep.equal(createdAt);
      }),
    );
  }

  for (const request of [0, 10, -1]) {
    it(
      `A37 precedence: ${request} of the request beats DO_NOT_CACHE of its URL and of the adapter`,
      using(
        { urlsExpireAfter: { '127.0.0.1/a': DO_NOT_CACHE }, expireAfter: DO_NOT_CACHE },
        async ({ http, origin }) => {
          for (const path of ['/a', '/b']) {
            origin.on(path, answer('x', { etag: '"1"' }));
            expect((await http.get(path, { expireAfter: request })).cacheKey, path).to.be.a('string');
            expect((await http.get(path)).cacheKey, path).to.equal(undefined);
          }
        },
      ),
    );
  }

  it(
    'A38 expiry of a request: it dates what that request stores, and no hit re-dates it',
    using({}, async ({ http, clock }) => {
      const stored = clock.now();
      const first = await http.get('/a', { expireAfter: 360 });
      expect(secondsLeft(first, stored)).to.equal(360);
      clock.tick(10);
      const hit = await http.get('/a', { expireAfter: 5 });
      expect(hit.fromCache).to.equal(true);
      expect(secondsLeft(hit, stored)).to.equal(360);
      clock.tick(345);
      expect((await http.get('/a')).fromCache).to.equal(true);
      clock.tick(6);
      expect((await http.get('/a')).fromCache).to.equal(false);
    }),
  );

  it(
    'A42 no pattern matches: the adapter decides',
    using({ urlsExpireAfter: { 'other.com': 20 }, expireAfter: 30 }, async ({ http, clock }) => {
      expect(secondsLeft(await http.get('/a'), clock.now())).to.equal(30);
    }),
  );
});

class Temporal {
  constructor(readonly epochMilliseconds: number) {}
}
class TemporalDuration {
  constructor(readonly ms: number) {}
  total(_unit: 'milliseconds'): number {
    return this.ms;
  }
}

/** The three levels at which an expiry may be given; each gets a response that is stored under it. */
const LEVELS: Record<string, (rig: Rig, expireAfter: ExpireAfter, path: string) => Promise<AxiosResponse>> = {
  request: ({ http }, expireAfter, path) => http.get(path, { expireAfter }),
  URL: ({ another }, expireAfter, path) =>
    another({ urlsExpireAfter: { '127.0.0.1': expireAfter }, expireAfter: 7 }).http.get(path),
  adapter: ({ another }, expireAfter, path) => another({ expireAfter }).http.get(path),
};

describe('The seed: values of an expiry', () => {
  const start = new TestClock().now();
  const values: [what: string, value: NonNullable<ExpireAfter>, left: number | 'never'][] = [
    ['60', 60, 60],
    ['0.4', 0.4, 0.4],
    ['0.9', 0.9, 0.9],
    ['1.5', 1.5, 1.5],
    ['33.3', 33.3, 33.3],
    ['{ seconds: 60 }', { seconds: 60 }, 60],
    ['{ days: 30 }', { days: 30 }, 30 * 86_400],
    ['{ weeks: 1, hours: 2, milliseconds: 500 }', { weeks: 1, hours: 2, milliseconds: 500 }, 612_000.5],
    ['a Date', new Date(start + 90_000), 90],
    ['a Temporal duration', new TemporalDuration(5000), 5],
    ['a Temporal instant', new Temporal(start + 45_000), 45],
    ['-1', -1, 'never'],
    ['NEVER_EXPIRE', NEVER_EXPIRE, 'never'],
    ['1e18', 1e18, 'never'],
    ['-2', -2, -2],
    ['-0.5', -0.5, -0.5],
    ['a past Date', new Date(start - 3000), -3],
    ['{ seconds: -5 }', { seconds: -5 }, -5],
    ['{ seconds: -1 }', { seconds: -1 }, -1],
  ];
  for (const [level, get] of Object.entries(LEVELS)) {
    for (const [what, value, left] of values) {
      const says = left === 'never' ? 'never expires' : `expires ${left} s after it is stored`;
      it(
        `A33 ${what} for the ${level}: ${says}`,
        using({}, async (rig) => {
          expect(secondsLeft(await get(rig, value, '/a'), rig.clock.now())).to.equal(left);
        }),
      );
    }

    const atOnce: [what: string, value: NonNullable<ExpireAfter>][] = [
      ['0', 0],
      ['EXPIRE_IMMEDIATELY', EXPIRE_IMMEDIATELY],
      ['{ seconds: 0 }', { seconds: 0 }],
      ['this very moment', new Date(start)],
    ];
    for (const [what, value] of atOnce) {
      it(
        `A33 ${what} for the ${level}: stored only with a validator, and expired at once`,
        using({}, async (rig) => {
          rig.origin.on('/validated', answer('x', { etag: '"1"' }));
          expect((await get(rig, value, '/a')).cacheKey).to.equal(undefined);
          expect(secondsLeft(await get(rig, value, '/validated'), rig.clock.now())).to.equal(0);
        }),
      );
    }

    it(
      `A33 DO_NOT_CACHE for the ${level}: not stored, even with a validator`,
      using({}, async (rig) => {
        rig.origin.on('/validated', answer('x', { etag: '"1"' }));
        const response = await get(rig, DO_NOT_CACHE, '/validated');
        expect(response.cacheKey).to.equal(undefined);
        expect(response.cacheStatus).to.include({ fwd: 'bypass', stored: false });
      }),
    );
  }

  it(
    'A33 DO_NOT_CACHE: nor is the cache read',
    using({}, async ({ http, origin }) => {
      await http.get('/a');
      expect((await http.get('/a', { expireAfter: DO_NOT_CACHE })).fromCache).to.equal(false);
      expect(origin.count).to.equal(2);
      expect((await http.get('/a')).data).to.include({ n: 1 });
    }),
  );

  it(
    'A33 already expired: stored all the same, and served where stale responses may be',
    using({ expireAfter: -2 }, async ({ http, origin, adapter }) => {
      await http.get('/a');
      expect((await http.get('/a')).fromCache).to.equal(false);
      expect(await adapter.cache.count({ expired: true })).to.equal(1);
      await origin.close();
      expect(await http.get('/a', { staleIfError: true })).to.include({ fromCache: true, isExpired: true });
    }),
  );

  const wrong: [what: string, value: unknown][] = [
    ["'60'", '60'],
    ["'tomorrow'", 'tomorrow'],
    ['an HTTP date', 'Thu, 15 Jan 2026 12:00:00 GMT'],
    ['true', true],
    ['false', false],
    ['{}', {}],
    ['{ fortnights: 1 }', { fortnights: 1 }],
    ["{ days: '1' }", { days: '1' }],
    ['an array', [60]],
    ['a function', () => 60],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['an invalid Date', new Date('x')],
  ];
  for (const [what, value] of wrong) {
    it(
      `A33 ${what} is refused: at construction, by the settings, and by the request that brings it`,
      using({}, async ({ http, origin, adapter }) => {
        const expireAfter = value as ExpireAfter;
        const refused = (option: string, options: CommonOptions) =>
          expect(() => cacheAdapter({ backend: 'memory', ...options }))
            .to.throw(/^Option .*: got .*; allowed: seconds/)
            .with.include({ code: 'ERR_CACHE_OPTION', option });
        refused('expireAfter', { expireAfter });
        refused("urlsExpireAfter['site.com']", { urlsExpireAfter: { 'site.com': expireAfter } });
        expect(() => {
          adapter.settings.expireAfter = expireAfter;
        }).to.throw(/^Option expireAfter/);
        expect(adapter.settings.expireAfter).to.equal(-1);
        const error = await rejection(http.get('/a', { expireAfter }));
        expect(error).to.include({ code: 'ERR_CACHE_OPTION', option: 'expireAfter' });
        expect(origin.count).to.equal(0);
      }),
    );
  }
});
