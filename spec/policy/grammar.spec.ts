/** Policy as a whole over generated headers: whatever there is to read it decides, and never for reuse against the rules. */
import { expect } from 'chai';
import fc from 'fast-check';
import { ageHeader } from '../../lib/policy/age.js';
import { expirationOf } from '../../lib/policy/freshness.js';
import { cacheGroups, invalidatedGroups } from '../../lib/policy/groups.js';
import { headEffect } from '../../lib/policy/head.js';
import { invalidatedUrls } from '../../lib/policy/invalidation.js';
import { decideReuse } from '../../lib/policy/reuse.js';
import {
  answersCallersCondition,
  conditionalHeaders,
  freshenHeaders,
  notModifiedHeaders,
} from '../../lib/policy/revalidation.js';
import { searchVariance, withoutIgnored } from '../../lib/policy/search.js';
import { mayServeStaleOnError } from '../../lib/policy/stale.js';
import { isStorable, storableHeaders } from '../../lib/policy/storable.js';
import type { PolicySettings, RequestView, StoredView } from '../../lib/policy/types.js';
import type { HeaderList } from '../../lib/record/record.js';
import { at, httpDate, plain, request, rfc, SECOND, T0 } from './views.js';

const NOBODY = { request: undefined, url: undefined, adapter: undefined };

/** White space, empty members and case, as RFC 9110 5.6.1 has recipients accept them. */
const spelled = (members: fc.Arbitrary<string[]>): fc.Arbitrary<string> =>
  fc.tuple(members, fc.constantFrom(',', ', ', ' ,\t', ',,', ' , , ')).map(([all, comma]) => all.join(comma));

const cased = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((char, at) => (upper[at] ? char.toUpperCase() : char)).join(''));

/** What says nothing to a cache, however much it looks as if. */
const noise = fc.constantFrom(
  'x',
  'x=1',
  'x="max-age=99999, public"',
  'x="\\", immutable"',
  'no-transform',
  'max-agee=9',
);

const length = fc.integer({ min: 0, max: 200 });
const delta = (seconds: number): fc.Arbitrary<string> =>
  fc.constantFrom(String(seconds), `"${seconds}"`, `0${seconds}`);

/** A response as its origin means it, and the headers that say so. */
interface Meant {
  maxAge: number | undefined;
  sMaxage: number | undefined;
  expiresIn: number | undefined;
  age: number;
  flags: readonly string[];
  headers: HeaderList;
}

const FLAGS = [
  'no-store',
  'no-cache',
  'private',
  'public',
  'must-revalidate',
  'proxy-revalidate',
  'immutable',
  'stale-while-revalidate=1000',
  'stale-if-error=1000',
];

const meant: fc.Arbitrary<Meant> = fc
  .record({
    maxAge: fc.option(length, { nil: undefined }),
    sMaxage: fc.option(length, { nil: undefined }),
    expiresIn: fc.option(length, { nil: undefined }),
    age: fc.integer({ min: 0, max: 100 }),
    flags: fc.subarray(FLAGS),
    validator: fc.boolean(),
  })
  .chain(({ maxAge, sMaxage, expiresIn, age, flags, validator }) => {
    const members = [
      ...(maxAge === undefined
        ? []
        : [fc.tuple(cased('max-age'), delta(maxAge)).map((all) => all.join('='))]),
      ...(sMaxage === undefined
        ? []
        : [fc.tuple(cased('s-maxage'), delta(sMaxage)).map((all) => all.join('='))]),
      ...flags.map(cased),
      noise,
      noise,
    ];
    const value = spelled(
      fc
        .tuple(...members)
        .chain((all) => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
    );
    return value.map((cacheControl): Meant => {
      const headers: HeaderList = [
        ['Date', httpDate(0)],
        ['Cache-Control', cacheControl],
      ];
      if (age > 0) headers.push(['Age', String(age)]);
      if (expiresIn !== undefined) headers.push(['Expires', httpDate(expiresIn)]);
      if (validator) headers.push(['ETag', '"1"']);
      return { maxAge, sMaxage, expiresIn, age, flags, headers };
    });
  });

const settingsOf = (shared: boolean): PolicySettings => rfc({ shared });

/** How long it is fresh from when it came: the model, in one line. */
function lifetimeOf({ maxAge, sMaxage, expiresIn, age }: Meant, shared: boolean): number | undefined {
  const lifetime = (shared ? sMaxage : undefined) ?? maxAge ?? expiresIn;
  return lifetime === undefined ? undefined : lifetime - age;
}

function store({ headers }: Meant, settings: PolicySettings): StoredView | undefined {
  const received = { status: 200, headers, requestTime: T0, responseTime: T0 };
  const expiration = expirationOf(received, NOBODY, settings);
  if (expiration.doNotCache) throw new Error('nobody said so');
  const { expiresAt } = expiration;
  if (!isStorable(request(), received, expiresAt, settings).storable) return undefined;
  return { ...received, createdAt: T0, ...(expiresAt !== undefined && { expiresAt }) };
}

describe('Whatever an origin means and however it spells that', () => {
  const runs = { numRuns: 1500 };
  const later = fc.integer({ min: 0, max: 400 });
  const wishes: fc.Arbitrary<RequestView> = fc
    .record({
      'max-age': fc.option(length, { nil: undefined }),
      'min-fresh': fc.option(length, { nil: undefined }),
      'max-stale': fc.option(length, { nil: undefined }),
      'stale-if-error': fc.option(length, { nil: undefined }),
    })
    .map((said) => {
      const members = Object.entries(said).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}`],
      );
      return request(members.length === 0 ? {} : { headers: { 'cache-control': members.join(', ') } });
    });

  it('no-store, and in a shared cache private, is never stored.', () => {
    fc.assert(
      fc.property(meant, fc.boolean(), (one, shared) => {
        const isKept = store(one, settingsOf(shared)) !== undefined;
        if (one.flags.includes('no-store')) expect(isKept).to.equal(false);
        if (shared && one.flags.includes('private')) expect(isKept).to.equal(false);
      }),
      runs,
    );
  });

  it('it is served as fresh while it is, by the model, and not a moment longer.', () => {
    fc.assert(
      fc.property(meant, fc.boolean(), later, (one, shared, seconds) => {
        const settings = settingsOf(shared);
        const stored = store(one, settings);
        if (stored === undefined) return;
        const lifetime = lifetimeOf(one, shared);
        const isFresh = lifetime !== undefined && seconds < lifetime && !one.flags.includes('no-cache');
        const reuse = decideReuse(stored, request(), settings, at(seconds));
        expect(reuse.action === 'serve' && reuse.fresh).to.equal(isFresh);
      }),
      runs,
    );
  });

  it('what must be revalidated is never served stale, whatever the request, and however the origin fails.', () => {
    const forbidding = ['must-revalidate', 'no-cache'];
    fc.assert(
      fc.property(meant, wishes, fc.boolean(), later, (one, wish, shared, seconds) => {
        const settings = { ...settingsOf(shared), staleIfError: true, staleWhileRevalidate: true };
        const stored = store(one, settings);
        const isForbidden =
          one.flags.some((flag) => forbidding.includes(flag)) ||
          (shared && (one.flags.includes('proxy-revalidate') || one.sMaxage !== undefined));
        if (stored === undefined || !isForbidden) return;
        const reuse = decideReuse(stored, wish, settings, at(seconds));
        if (reuse.action === 'serve') expect(reuse.fresh).to.equal(true);
        if (at(seconds) >= (stored.expiresAt ?? 0))
          expect(mayServeStaleOnError(stored, wish, { kind: 'network' }, settings, at(seconds))).to.equal(
            false,
          );
      }),
      runs,
    );
  });

  it('who asks for what is young or fresh gets no other.', () => {
    fc.assert(
      fc.property(meant, wishes, later, (one, wish, seconds) => {
        const settings = settingsOf(false);
        const stored = store(one, settings);
        if (stored === undefined) return;
        const reuse = decideReuse(stored, wish, settings, at(seconds));
        if (reuse.action !== 'serve') return;
        const said = new Map(
          (wish.headers['cache-control'] ?? '').split(', ').map((one) => one.split('=') as [string, string]),
        );
        const [maxAge, minFresh] = [said.get('max-age'), said.get('min-fresh')];
        const isReload = maxAge === '0' && one.flags.includes('immutable');
        if (maxAge !== undefined && !isReload) expect(one.age + seconds).to.be.at.most(Number(maxAge));
        const left = ((stored.expiresAt ?? 0) - at(seconds)) / SECOND;
        if (minFresh !== undefined) expect(left).to.be.at.least(Number(minFresh));
        if (!reuse.fresh && reuse.reason === 'max-stale')
          expect(-left).to.be.at.most(Number(said.get('max-stale')));
      }),
      runs,
    );
  });
});

describe('Whatever comes in a header', () => {
  const piece = fc.constantFrom(
    ...[
      'max-age',
      's-maxage',
      'no-cache',
      'private',
      'no-store',
      'must-understand',
      'params',
      'except',
      'GMT',
      '*',
    ],
    ...[
      '=',
      '"',
      "'",
      ',',
      ';',
      ' ',
      '\t',
      '\\',
      '-',
      '0',
      '1',
      '99999999999999999999',
      '1e9',
      '%41',
      '\u00fc',
      '\0',
    ],
    ...[
      'W/"1"',
      '"1"',
      '("a" "b")',
      '?1',
      '?0',
      'Thu, 01 Jan 2026 00:00:00 GMT',
      'Thursday, 01-Jan-26 00:00:00 GMT',
    ],
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 10 }).map((all) => all.join('')),
  );
  const NAMES = [
    'Cache-Control',
    'cdn-cache-control',
    'Expires',
    'Date',
    'Age',
    'Vary',
    'ETag',
    'Last-Modified',
    'Connection',
  ];
  const MORE = [
    'Pragma',
    'No-Vary-Search',
    'Cache-Groups',
    'Cache-Group-Invalidation',
    'Location',
    'Content-Location',
  ];
  const headerList: fc.Arbitrary<HeaderList> = fc.array(
    fc.tuple(
      fc.constantFrom(...NAMES, ...MORE, 'Content-Length'),
      fc.oneof(value, fc.array(value, { maxLength: 3 })),
    ),
    { maxLength: 8 },
  );
  const requestHeaders = fc.dictionary(
    fc.constantFrom(
      'cache-control',
      'pragma',
      'if-none-match',
      'if-modified-since',
      'range',
      'authorization',
    ),
    value,
  );

  it('decides without an exception, and gives numbers that are numbers.', () => {
    fc.assert(
      fc.property(
        headerList,
        headerList,
        requestHeaders,
        fc.boolean(),
        fc.boolean(),
        (headers, others, asked, shared, mode) => {
          const settings = mode ? settingsOf(shared) : plain();
          const view = request({ headers: asked });
          const received = { status: 200, headers, requestTime: T0 - SECOND, responseTime: T0 };
          const expiration = expirationOf(received, NOBODY, settings);
          if (expiration.doNotCache) throw new Error('nobody said so');
          const { expiresAt } = expiration;
          if (expiresAt !== undefined) expect(Number.isFinite(expiresAt)).to.equal(true);
          isStorable(view, received, expiresAt, settings);
          const stored = { ...received, createdAt: T0, ...(expiresAt !== undefined && { expiresAt }) };
          for (const now of [T0, at(1), at(1e9)]) {
            decideReuse(stored, view, settings, now);
            mayServeStaleOnError(stored, view, { kind: 'status', status: 503 }, settings, now);
            expect(ageHeader(stored, now)).to.match(/^\d+$/);
          }
          storableHeaders(headers, settings);
          freshenHeaders(headers, others, settings);
          headEffect(headers, others);
          answersCallersCondition(asked, stored);
          notModifiedHeaders(headers);
          for (const condition of Object.values(conditionalHeaders(stored) ?? {}))
            expect(condition).to.match(/^[\t\x20-\x7e\x80-\xff]+$/);
          cacheGroups(headers);
          invalidatedGroups('POST', 200, headers);
          const variance = searchVariance(headers);
          if (variance !== undefined) withoutIgnored('http://x/p?a=1&%zz=2&=3', variance);
          for (const url of invalidatedUrls('POST', 'http://x/p', 200, headers))
            expect(new URL(url).origin).to.equal('http://x');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
