import { expect } from 'chai';
import { type Failure, mayServeStaleOnError, stalenessOf } from '../../lib/policy/stale.js';
import type { PolicySettings, RequestView } from '../../lib/policy/types.js';
import { asking, at, plain, request, rfc, stored } from './views.js';

const NETWORK: Failure = { kind: 'network' };
const status = (code: number): Failure => ({ kind: 'status', status: code });

interface Case {
  cacheControl?: string;
  asked?: RequestView;
  failure?: Failure;
  /** Since it was stored; it expires after 60. */
  seconds?: number;
  settings: PolicySettings;
}

function isServed({
  cacheControl,
  asked = request(),
  failure = NETWORK,
  seconds = 61,
  settings,
}: Case): boolean {
  const entry = stored(60, cacheControl === undefined ? {} : { 'Cache-Control': cacheControl });
  return mayServeStaleOnError(entry, asked, failure, settings, at(seconds));
}

describe('A stale response in place of an error', () => {
  const on = plain({ staleIfError: true });
  const bounded = plain({ staleIfError: 10 });
  const rows: [string, Case, boolean][] = [
    ['not unless asked for', { settings: plain() }, false],
    ['without bound', { settings: on, seconds: 1e9 }, true],
    ['within a bound', { settings: bounded, seconds: 70 }, true],
    ['not past it', { settings: bounded, seconds: 70.001 }, false],
    ['within a duration', { settings: plain({ staleIfError: { seconds: 10 } }), seconds: 70 }, true],
    ['not with 0', { settings: plain({ staleIfError: 0 }), seconds: 60 }, false],
    ['when the request asks for it', { settings: plain(), asked: request({ staleIfError: 10 }) }, true],
    ['not when the request takes it back', { settings: on, asked: request({ staleIfError: false }) }, false],
    ['not for forceRefresh', { settings: on, asked: request({ forceRefresh: true }) }, false],
    ['not for no-cache', { settings: on, asked: asking('no-cache') }, false],
    ['not for no-store', { settings: on, asked: asking('no-store') }, false],
    [
      'for a refresh of a fresh one',
      { settings: bounded, seconds: 5, asked: request({ refresh: true }) },
      true,
    ],
    ['for 500', { settings: on, failure: status(500) }, true],
    ['for 400', { settings: on, failure: status(400) }, true],
    ['for 404', { settings: on, failure: status(404) }, true],
    ['not for 399', { settings: on, failure: status(399) }, false],
    ['not for 201', { settings: on, failure: status(201) }, false],
    [
      'not for an error that is to be stored',
      { settings: { ...on, allowableCodes: new Set([200, 404]) }, failure: status(404) },
      false,
    ],
    [
      'for another error',
      { settings: { ...on, allowableCodes: new Set([200, 404]) }, failure: status(500) },
      true,
    ],
    [
      'the response does not count by the user',
      { settings: plain(), cacheControl: 'stale-if-error=60' },
      false,
    ],
    ['nor does its must-revalidate', { settings: on, cacheControl: 'must-revalidate, no-cache' }, true],
    ['nor does the request header', { settings: plain(), asked: asking('stale-if-error=60') }, false],

    ['by RFC 9111: not unless asked for', { settings: rfc() }, false],
    ['by RFC 9111: by the option', { settings: rfc({ staleIfError: true }) }, true],
    ['by RFC 5861: the response', { settings: rfc(), cacheControl: 'stale-if-error=10', seconds: 70 }, true],
    [
      'by RFC 5861: not past its bound',
      { settings: rfc(), cacheControl: 'stale-if-error=10', seconds: 70.001 },
      false,
    ],
    ['by RFC 5861: the request', { settings: rfc(), asked: asking('stale-if-error=10'), seconds: 70 }, true],
    [
      'by RFC 5861: not past its bound either',
      { settings: rfc(), asked: asking('stale-if-error=10'), seconds: 70.001 },
      false,
    ],
    [
      'by RFC 5861: not when the caller takes it back',
      { settings: rfc(), cacheControl: 'stale-if-error=10', asked: request({ staleIfError: false }) },
      false,
    ],
    [
      'by RFC 5861: within the bound of the user, if there is one',
      { settings: rfc({ staleIfError: 5 }), cacheControl: 'stale-if-error=60', seconds: 66 },
      false,
    ],
    [
      'by RFC 9111: not with must-revalidate',
      { settings: rfc({ staleIfError: true }), cacheControl: 'must-revalidate' },
      false,
    ],
    [
      'by RFC 9111: with must-revalidate while fresh',
      { settings: rfc({ staleIfError: true }), cacheControl: 'must-revalidate', seconds: 59 },
      true,
    ],
    [
      'by RFC 9111: not with no-cache',
      { settings: rfc({ staleIfError: true }), cacheControl: 'no-cache' },
      false,
    ],
    [
      'by RFC 9111: not with no-cache while fresh',
      { settings: rfc({ staleIfError: true }), cacheControl: 'no-cache', seconds: 1 },
      false,
    ],
    [
      'by RFC 9111: with qualified no-cache',
      { settings: rfc({ staleIfError: true }), cacheControl: 'no-cache="a"' },
      true,
    ],
    [
      'by RFC 9111: with proxy-revalidate',
      { settings: rfc({ staleIfError: true }), cacheControl: 'proxy-revalidate' },
      true,
    ],
    [
      'by RFC 9111: not when shared',
      { settings: rfc({ staleIfError: true, shared: true }), cacheControl: 'proxy-revalidate' },
      false,
    ],
    [
      'by RFC 9111: with s-maxage',
      { settings: rfc({ staleIfError: true }), cacheControl: 's-maxage=60' },
      true,
    ],
    [
      'by RFC 9111: not with s-maxage when shared',
      { settings: rfc({ staleIfError: true, shared: true }), cacheControl: 's-maxage=60' },
      false,
    ],
    ['by RFC 9111: for 503', { settings: rfc({ staleIfError: true }), failure: status(503) }, true],
    [
      'by RFC 9111: not for 404, which is an answer',
      { settings: rfc({ staleIfError: true }), failure: status(404) },
      false,
    ],
    ['by RFC 9111: for 403', { settings: rfc({ staleIfError: true }), failure: status(403) }, true],
  ];
  for (const [name, given, expected] of rows) {
    it(`${name}: ${expected ? 'served' : 'not served'}.`, () => expect(isServed(given)).to.equal(expected));
  }
});

describe('Staleness', () => {
  it('is the time since it expired.', () => expect(stalenessOf(stored(60), at(65))).to.equal(5000));
  it('is 0 while fresh, and for what never expires.', () => {
    expect(stalenessOf(stored(60), at(5))).to.equal(0);
    expect(stalenessOf(stored(undefined), at(1e9))).to.equal(0);
  });
});
