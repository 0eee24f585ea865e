import { expect } from 'chai';
import { cacheGroups, invalidatedGroups } from '../../lib/policy/groups.js';
import { fields } from './views.js';

describe('Cache groups (RFC 9875)', () => {
  const rows: [string | string[], string[]][] = [
    // the RFC's own
    ['"eurovision-results", "kylie-minogue-songs"', ['eurovision-results', 'kylie-minogue-songs']],
    ['"scripts"', ['scripts']],
    [
      ['"a"', '"b"'],
      ['a', 'b'],
    ],
    ['"a";of=1, "A"', ['a', 'A']],
    ['""', ['']],
    ['', []],
    // no list of strings, so nothing
    ['a', []],
    ['"a", b', []],
    ['"a", 1', []],
    ['("a")', []],
    ['"a"b', []],
  ];
  for (const [value, groups] of rows) {
    it(`of a response are ${JSON.stringify(groups)} by ${JSON.stringify(value)}.`, () => {
      const headers = fields({ 'Cache-Groups': value });
      expect(cacheGroups(headers)).to.deep.equal(groups);
      expect(cacheGroups(headers)).to.equal(cacheGroups(headers));
    });
    it(`are invalidated by ${JSON.stringify(value)} as well.`, () => {
      expect(invalidatedGroups('POST', 200, fields({ 'cache-group-invalidation': value }))).to.deep.equal(
        groups,
      );
    });
  }

  it('are none where nobody says so.', () => {
    expect(cacheGroups(fields({ 'cache-group-invalidation': '"a"' }))).to.deep.equal([]);
    expect(invalidatedGroups('POST', 200, fields({ 'cache-groups': '"a"' }))).to.deep.equal([]);
  });

  for (const [method, status, isInvalidated] of [
    ['POST', 200, true],
    ['DELETE', 204, true],
    ['POST', 303, true],
    ['POST', 399, true],
    ['POST', 199, false],
    ['POST', 400, false],
    ['POST', 500, false],
    ['GET', 200, false],
    ['QUERY', 200, false],
  ] as const) {
    it(`are ${isInvalidated ? '' : 'not '}invalidated by ${method} that is answered ${status}.`, () => {
      const headers = fields({ 'Cache-Group-Invalidation': '"a"' });
      expect(invalidatedGroups(method, status, headers)).to.deep.equal(isInvalidated ? ['a'] : []);
    });
  }
});
