import { expect } from 'chai';
import { matchesVary, variantKey, varyPairs } from '../../lib/request/vary.js';
import { type Given, keyOf, request } from './requests.js';

const KEY = keyOf({});
const pairs = (names: string[], given: Given) => varyPairs(names, request(given), KEY);

describe('varyPairs', () => {
  it('are sorted, unique and in lower case, and hold no value', () => {
    const made = pairs(['X-B', ' accept ', 'ACCEPT', ''], { headers: { Accept: 'secret' } });
    expect(made.map(([name]) => name)).to.deep.equal(['accept', 'x-b']);
    expect(JSON.stringify(made)).not.to.contain('secret');
  });

  it('are salted with the primary key', () => {
    const given = request({ headers: { Accept: 'a' } });
    expect(varyPairs(['accept'], given, KEY)).not.to.deep.equal(varyPairs(['accept'], given, 'other'));
  });
});

describe('matchesVary', () => {
  const rows: [string, Given, Given, boolean][] = [
    ['the same value', { headers: { A: 'x' } }, { headers: { a: 'x' } }, true],
    ['another value', { headers: { A: 'x' } }, { headers: { a: 'y' } }, false],
    ['another case', { headers: { A: 'x' } }, { headers: { a: 'X' } }, false],
    ['absent twice', {}, {}, true],
    ['absent and empty', {}, { headers: { a: '' } }, false],
    ['white space round commas', { headers: { a: 'x , y' } }, { headers: { a: 'x,y' } }, true],
    ['another order', { headers: { a: 'y,x' } }, { headers: { a: 'x,y' } }, false],
  ];
  for (const [what, stored, asked, wanted] of rows) {
    it(`says ${wanted} for ${what}`, () => {
      expect(matchesVary(pairs(['a'], stored), request(asked), KEY)).to.equal(wanted);
    });
  }

  it('compares the effective Authorization', () => {
    const stored = pairs(['authorization'], { config: { auth: { username: 'u', password: 'p' } } });
    expect(matchesVary(stored, request({ url: 'http://u:p@h/' }), KEY)).to.equal(true);
    expect(
      matchesVary(stored, request({ headers: { Authorization: `Basic ${btoa('u:p')}` } }), KEY),
    ).to.equal(true);
    expect(matchesVary(stored, request({ headers: { Authorization: 'Basic x' } }), KEY)).to.equal(false);
    expect(matchesVary(stored, request({ url: 'not@url' }), KEY)).to.equal(false);
  });

  it('never matches Vary: *, and always no Vary', () => {
    expect(matchesVary(pairs(['*'], {}), request({}), KEY)).to.equal(false);
    expect(matchesVary([], request({}), KEY)).to.equal(true);
  });
});

describe('variantKey', () => {
  it('differs by primary key, names and values', () => {
    const keys = [
      variantKey(KEY, []),
      variantKey('other', []),
      variantKey(KEY, pairs(['a'], {})),
      variantKey(KEY, pairs(['b'], {})),
      variantKey(KEY, pairs(['a', 'b'], {})),
      variantKey(KEY, pairs(['a'], { headers: { a: 'x' } })),
      KEY,
    ];
    expect(new Set(keys).size).to.equal(keys.length);
    for (const key of keys) expect(key).to.match(/^[0-9a-f]{64}$/);
    expect(variantKey(KEY, pairs(['a', 'b'], {}))).to.equal(variantKey(KEY, pairs(['B', 'A'], {})));
  });
});
