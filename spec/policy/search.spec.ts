import { expect } from 'chai';
import {
  type SearchVariance,
  searchVariance,
  standsForBoth,
  withoutIgnored,
} from '../../lib/policy/search.js';
import { fields } from './views.js';

const ignores = (...names: string[]): SearchVariance => ({ kind: 'ignores', names });
const allBut = (...names: string[]): SearchVariance => ({ kind: 'ignores-all-but', names });

describe('No-Vary-Search', () => {
  const rows: [string, SearchVariance | undefined][] = [
    // the draft's own
    ['params=("productId")', ignores('productId')],
    ['params=("utm_source" "utm_medium")', ignores('utm_medium', 'utm_source')],
    ['params, except=("productId")', allBut('productId')],
    ['params', allBut()],
    ['params=?1, except=()', allBut()],
    ['key-order, params=("a")', ignores('a')],
    ['params=("%C3%A9+%E6%B0%97")', ignores('\u00e9 \u6c17')],
    ['params=("b" "a" "b")', ignores('a', 'b')],
    // nothing that keys do not do by themselves
    ['key-order', undefined],
    ['params=?0', undefined],
    ['params=()', undefined],
    ['', undefined],
    // malformed
    ['params=?0, except=("a")', undefined],
    ['params=("a"), except=("b")', undefined],
    ['except=("a")', undefined],
    ['params="a"', undefined],
    ['params=(a)', undefined],
    ['params=("a" 1)', undefined],
    ['params, except="a"', undefined],
    ['params, except=(a)', undefined],
    ['params=("a"', undefined],
    ['params=("a"),', undefined],
    ['key-order=1, params=("a")', undefined],
    ['key-order=1.5, params=("a")', undefined],
  ];
  for (const [value, variance] of rows) {
    it(`reads ${JSON.stringify(variance)} from ${JSON.stringify(value)}.`, () => {
      expect(searchVariance(fields({ 'No-Vary-Search': value }))).to.deep.equal(variance);
    });
  }

  it('is none where there is no such field.', () => expect(searchVariance(fields({}))).to.equal(undefined));

  it('has a response stand for URLs that differ in what does not count, and for no others.', () => {
    const headers = fields({ 'No-Vary-Search': 'params=("a")' });
    const stands = (other: string) => standsForBoth(headers, 'http://x/p?a=1&b=2&c=3', other);
    expect(stands('http://x/p?c=3&b=2&a=9')).to.equal(true);
    expect(stands('http://x/p?b=2&c=3')).to.equal(true);
    for (const other of ['http://x/p?b=2', 'http://x/q?b=2&c=3', 'http://y/p?b=2&c=3', 'http://x/p'])
      expect(stands(other), other).to.equal(false);
    expect(standsForBoth(fields({}), 'http://x/p?a=1', 'http://x/p?a=2')).to.equal(false);
  });

  const urls: [SearchVariance, string, string][] = [
    [ignores('a'), 'http://x/p?a=1&b=2&a', 'http://x/p?b=2'],
    [ignores('a'), 'http://x/p?a=1', 'http://x/p'],
    [ignores('a'), 'http://x/p', 'http://x/p'],
    [ignores('a'), 'http://x/p?', 'http://x/p'],
    [ignores('a'), 'http://x/p?A=1&ab=2&%61=3', 'http://x/p?A=1&ab=2'],
    [ignores('a b'), 'http://x/p?a+b=1&a%20b=2&c', 'http://x/p?c'],
    [ignores('a'), 'http://x/a?b=a=1&&c=%2F', 'http://x/a?b=a=1&c=%2F'],
    [ignores(''), 'http://x/p?=1&a=2', 'http://x/p?a=2'],
    [allBut('a'), 'http://x/p?a=1&b=2&a=2', 'http://x/p?a=1&a=2'],
    [allBut(), 'http://x/p?a=1&b=2', 'http://x/p'],
  ];
  for (const [variance, url, rest] of urls) {
    it(`leaves ${rest} of ${url} by ${JSON.stringify(variance)}.`, () => {
      expect(withoutIgnored(url, variance)).to.equal(rest);
    });
  }
});
