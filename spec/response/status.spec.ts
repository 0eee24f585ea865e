import { expect } from 'chai';
import { type CacheStatus, formatCacheStatus } from '../../lib/response/status.js';

describe('response/status: Cache-Status of RFC 9211', () => {
  const cases: [string, string, CacheStatus, string][] = [
    ['a hit', 'stash', { hit: true, ttl: 376 }, 'stash; hit; ttl=376'],
    [
      'a miss that was stored',
      'stash',
      { hit: false, fwd: 'uri-miss', fwdStatus: 200, stored: true },
      'stash; fwd=uri-miss; fwd-status=200; stored',
    ],
    [
      'a shared call',
      'stash',
      { hit: false, fwd: 'uri-miss', collapsed: true },
      'stash; fwd=uri-miss; collapsed',
    ],
    ['false as absent', 'stash', { hit: false, stored: false, collapsed: false }, 'stash'],
    [
      'fwd before hit',
      'stash',
      { hit: true, fwd: 'stale', fwdStatus: 304 },
      'stash; fwd=stale; fwd-status=304',
    ],
    ['a stale hit, rounded down', 'stash', { hit: true, ttl: -0.5 }, 'stash; hit; ttl=-1'],
    ['a ttl beyond fifteen digits', 'stash', { hit: true, ttl: 1e20 }, 'stash; hit; ttl=999999999999999'],
    ['no endless ttl', 'stash', { hit: true, ttl: Number.POSITIVE_INFINITY }, 'stash; hit'],
    ['a zero ttl', 'stash', { hit: true, ttl: 0 }, 'stash; hit; ttl=0'],
    ['a key as a string', 'stash', { hit: true, key: 'abc' }, 'stash; hit; key="abc"'],
    ['escapes', 'stash', { hit: true, key: 'a"b\\c' }, 'stash; hit; key="a\\"b\\\\c"'],
    [
      'what no string may hold',
      'stash',
      { hit: true, key: 'ü\n😀' },
      'stash; hit; key="%C3%BC%0A%F0%9F%98%80"',
    ],
    [
      'a detail that is a token',
      'stash',
      { hit: false, fwd: 'bypass', detail: 'no-store' },
      'stash; fwd=bypass; detail=no-store',
    ],
    [
      'a detail that is none',
      'stash',
      { hit: false, detail: 'over maxEntryBytes' },
      'stash; detail="over maxEntryBytes"',
    ],
    ['a name that is a token', 'cache.example.net:8080', { hit: true }, 'cache.example.net:8080; hit'],
    ['a name that is none', 'my cache', { hit: true }, '"my cache"; hit'],
    ['a name that begins with a digit', '1st', { hit: true }, '"1st"; hit'],
    ['an empty name', '', { hit: true }, '""; hit'],
  ];
  for (const [name, cache, status, expected] of cases) {
    it(`writes ${name}`, () => expect(formatCacheStatus(cache, status)).to.equal(expected));
  }
});
