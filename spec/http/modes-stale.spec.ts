/** Which mode decides what of serving stale: the options against the directives of RFC 5861 and RFC 9111. */
import { expect } from 'chai';
import type { CacheOptions } from '../../lib/index.js';
import { using } from '../adapter/support.js';
import type { Rig } from '../support/harness.js';
import {
  answering,
  down,
  inEachMode,
  type Outcomes,
  outcomeOf,
  storeFor100Seconds,
  type Wishes,
} from './modes.js';

const whileRevalidating = 'stale (stale-while-revalidate)';
const onError = 'stale (stale-if-error)';
const error = 'network error';
const cc = (value: string): Wishes => ({ headers: { 'Cache-Control': value } });

/** What the response says beside max-age=100, how long ago it expired, and what the origin does now. */
type Row = readonly [directives: string, seconds: number, origin: 'up' | 'down' | number, outcomes: Outcomes];

function given(who: string, options: CacheOptions, wishes: Wishes, rows: readonly Row[]): void {
  describe(who, () => {
    for (const [directives, seconds, origin, outcomes] of rows) {
      const answers = typeof origin === 'number' ? `the origin answers ${origin}` : `the origin is ${origin}`;
      inEachMode(
        `${directives || 'max-age alone'}, expired for ${seconds} s, ${answers}`,
        outcomes,
        async (own) => {
          const cacheControl = directives === '' ? 'max-age=100' : `max-age=100, ${directives}`;
          await storeFor100Seconds(own, { 'cache-control': cacheControl, etag: '"1"' }, 100 + seconds);
          if (origin === 'down') own.origin.on('/r', down);
          if (typeof origin === 'number') own.origin.on('/r', answering({}, origin));
          return outcomeOf(own, wishes);
        },
        { expireAfter: 100, ...options },
      );
    }
  });
}

describe('modes: serving stale', () => {
  given('where no option says so', {}, {}, [
    ['', 10, 'up', ['revalidated', 'revalidated']],
    ['', 10, 'down', [error, error]],
    ['', 10, 500, ['500', '500']],
    ['must-revalidate', 10, 'down', [error, error]],
    ['stale-if-error=60', 60, 'down', [error, onError]],
    ['stale-if-error=60', 61, 'down', [error, error]],
    ['stale-if-error=60', 60, 503, ['503', onError]],
    ['stale-if-error=60', 60, 404, ['404', '404']],
    ['stale-if-error=0', 0, 'down', [error, error]],
    ['stale-if-error=abc', 10, 'down', [error, error]],
    ['stale-if-error=60, must-revalidate', 10, 'down', [error, error]],
    ['stale-while-revalidate=60', 60, 'up', ['revalidated', whileRevalidating]],
    ['stale-while-revalidate=60', 61, 'up', ['revalidated', 'revalidated']],
    ['stale-while-revalidate=60, must-revalidate', 10, 'up', ['revalidated', 'revalidated']],
    ['stale-while-revalidate=60, no-cache', 10, 'up', ['revalidated', 'revalidated']],
    ['stale-while-revalidate=60, s-maxage=100', 10, 'up', ['revalidated', whileRevalidating, 'revalidated']],
  ]);

  given('staleIfError: true', { staleIfError: true }, {}, [
    ['', 10, 'up', ['revalidated', 'revalidated']],
    ['', 10, 'down', [onError, onError]],
    ['', 10, 500, [onError, onError]],
    ['', 10, 403, [onError, onError]],
    // By RFC 9111 a 404 is an answer like another.
    ['', 10, 404, [onError, '404']],
    ['must-revalidate', 10, 'down', [onError, error]],
    ['must-revalidate', 10, 500, [onError, '500']],
    ['no-cache', 10, 'down', [onError, error]],
    ['no-cache', -10, 'down', ['hit', error]],
    ['proxy-revalidate', 10, 'down', [onError, onError, error]],
    ['s-maxage=100', 10, 'down', [onError, onError, error]],
    ['stale-if-error=5', 10, 'down', [onError, onError]],
  ]);

  given('staleIfError: 60', { staleIfError: 60 }, {}, [
    ['', 60, 'down', [onError, onError]],
    ['', 61, 'down', [error, error]],
    ['', 61, 500, ['500', '500']],
    ['stale-if-error=600', 61, 'down', [error, error]],
  ]);

  given('staleIfError and allowableCodes 200', { staleIfError: true, allowableCodes: [200] }, {}, [
    ['', 10, 404, [onError, onError]],
  ]);
  given('staleIfError and allowableCodes 200, 500', { staleIfError: true, allowableCodes: [200, 500] }, {}, [
    ['', 10, 500, ['500', '500']],
  ]);

  given('staleIfError, and a request that says no-cache', { staleIfError: true }, cc('no-cache'), [
    ['', 10, 'down', [error, error]],
  ]);
  given('staleIfError, and forceRefresh', { staleIfError: true }, { forceRefresh: true }, [
    ['', 10, 'down', [error, error]],
  ]);
  given('staleIfError: false of the request', { staleIfError: true }, { staleIfError: false }, [
    ['', 10, 'down', [error, error]],
    ['stale-if-error=60', 10, 'down', [error, error]],
  ]);
  given('stale-if-error=60 of the request', {}, cc('stale-if-error=60'), [
    ['', 60, 'down', [error, onError]],
    ['', 61, 'down', [error, error]],
    ['must-revalidate', 10, 'down', [error, error]],
  ]);

  given('staleWhileRevalidate: true', { staleWhileRevalidate: true }, {}, [
    ['', 10, 'up', [whileRevalidating, whileRevalidating]],
    ['must-revalidate', 10, 'up', [whileRevalidating, 'revalidated']],
    ['no-cache', 10, 'up', [whileRevalidating, 'revalidated']],
    ['s-maxage=100', 10, 'up', [whileRevalidating, whileRevalidating, 'revalidated']],
  ]);
  given('staleWhileRevalidate: 60', { staleWhileRevalidate: 60 }, {}, [
    ['', 60, 'up', [whileRevalidating, whileRevalidating]],
    ['', 61, 'up', ['revalidated', 'revalidated']],
  ]);
  given(
    'staleWhileRevalidate, and a request that says max-age',
    { staleWhileRevalidate: true },
    cc('max-age=999'),
    [['', 10, 'up', ['revalidated', 'revalidated']]],
  );
  given('staleWhileRevalidate, and refresh', { staleWhileRevalidate: true }, { refresh: true }, [
    ['', 10, 'up', ['revalidated', 'revalidated']],
  ]);
  given('staleWhileRevalidate: false of the request', {}, { staleWhileRevalidate: false }, [
    ['stale-while-revalidate=60', 10, 'up', ['revalidated', 'revalidated']],
  ]);

  given('alwaysRevalidate', { alwaysRevalidate: true }, {}, [
    ['', -50, 'up', ['revalidated', 'revalidated']],
    ['immutable', -50, 'up', ['revalidated', 'revalidated']],
    ['stale-while-revalidate=60', 10, 'up', ['revalidated', 'revalidated']],
  ]);

  given('onlyIfCached', {}, { onlyIfCached: true }, [
    ['', -50, 'up', ['hit', 'hit']],
    ['', 10, 'up', ['504', '504']],
    ['no-cache', -50, 'up', ['hit', '504']],
    ['stale-if-error=60', 10, 'up', ['504', onError]],
    ['stale-while-revalidate=60', 10, 'up', ['504', whileRevalidating]],
  ]);
  given('onlyIfCached and staleIfError', { staleIfError: true }, { onlyIfCached: true }, [
    ['', 10, 'up', [onError, onError]],
    ['must-revalidate', 10, 'up', [onError, '504']],
  ]);
});

describe('modes: a response that is stale from the first moment, and has no validator', () => {
  const once = async (own: Rig, cacheControl: string, wishes: Wishes = {}): Promise<string> => {
    own.origin.on('/r', answering({ 'cache-control': cacheControl }));
    await own.http.get('/r', wishes);
    own.clock.tick(10);
    own.origin.on('/r', down);
    return outcomeOf(own, wishes);
  };
  const at = (seconds: number): CacheOptions => ({ cacheControl: true, expireAfter: seconds });
  const rows: [string, CacheOptions, Wishes, string][] = [
    ['max-age=0', {}, {}, error],
    ['max-age=0, stale-if-error=60', {}, {}, onError],
    ['max-age=0, stale-while-revalidate=60', {}, {}, whileRevalidating],
    ['max-age=0, stale-if-error=5', {}, {}, error],
    ['max-age=0, must-revalidate, stale-if-error=60', {}, {}, error],
    ['no-cache, stale-if-error=60', {}, {}, error],
    ['max-age=0', { staleIfError: true }, {}, onError],
    ['max-age=0', {}, { staleIfError: 60 }, onError],
    ['', { staleWhileRevalidate: true }, {}, whileRevalidating],
  ];
  for (const [cacheControl, options, wishes, outcome] of rows) {
    it(`${cacheControl || 'no word of it'}, ${JSON.stringify({ ...options, ...wishes })}: ${outcome}`, async () => {
      await using({ cacheControl: true, ...options }, async (own) => {
        expect(await once(own, cacheControl, wishes)).to.equal(outcome);
      })();
    });
  }

  it('is not kept where the user has it expire at once and nothing else is said', async () => {
    await using(at(0), async (own) => {
      expect(await once(own, '')).to.equal(error);
      expect(await own.adapter.cache.count()).to.equal(0);
    })();
  });
});
