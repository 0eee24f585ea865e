/** What a URL pattern may cost: in proportion to the URL, whatever the pattern and whoever chose the URL. */
import { expect } from 'chai';
import fc from 'fast-check';
import { CacheOptionError } from '../../lib/errors.js';
import { compileUrlPattern } from '../../lib/policy/patterns.js';

/** Long enough that what is quadratic takes seconds and what is exponential for ever. */
const LONG = 20_000;
/** What is linear takes a millisecond or two; this is for a machine that is busy with something else. */
const MOST_MS = 1000;

const urls = ['a', 'a/', 'ab', 'a.', 'a?', '%41', 'a=a&'].map(
  (piece) => `http://site.com/${piece.repeat(LONG)}!`,
);
const hosts = [`http://${'a.'.repeat(100)}com/`, `http://${'a'.repeat(60)}.com/x`];

function slowest(pattern: string): number {
  let matches: (url: string) => boolean;
  try {
    matches = compileUrlPattern(pattern);
  } catch (error) {
    if (error instanceof CacheOptionError) return 0; // refused when the cache is made: it costs no request anything
    throw error;
  }
  let most = 0;
  for (const url of [...urls, ...hosts]) {
    const start = performance.now();
    matches(url);
    most = Math.max(most, performance.now() - start);
  }
  return most;
}

describe('the cost of a URL pattern', () => {
  const hostile = [
    'site.com/**/**/**/**/**/x',
    'site.com/*a*a*a*a*a*a*a*a*a*b',
    'site.com/**/*a*/**/*a*/**/*a*/**/b',
    'site.com/+(a|aa)+(a|aa)b',
    'site.com/*(*(a))b',
    'site.com/!(a*)!(a*)!(a*)b',
    'site.com/+([a-z])+([a-z])b',
    'site.com/*@(a)*b',
    'site.com/!(b)*c',
    'site.com/!(b)*/c',
    'site.com/!(b)*/**/c',
    'site.com/**/!(a)*/**/x',
    '!(b)*.com/c',
    'site.com/!(b)!(c)d',
    'site.com/+([a-z])/**/+([a-z])/**/+([a-z])b',
    'site.com/**/!(x)/**/!(x)/**/y',
    'site.com/?(a)?(a)?(a)?(a)?(a)?(a)b',
    'site.com/a?x=*a*a*a*a*b',
    `site.com/${'{a,b}'.repeat(12)}`,
    `site.com/${'{'.repeat(50)}a${'}'.repeat(50)}`,
    'site.com/{1..1000000}',
    `site.com/${'('.repeat(200)}`,
    `site.com/${'['.repeat(200)}`,
    `site.com/${'\\'.repeat(201)}`,
    '**.**.**.**.com/**',
    '*.*.*.*.*.*.*.x',
  ];
  for (const pattern of hostile) {
    it(`is bounded for ${pattern.slice(0, 40)}`, () => expect(slowest(pattern)).to.be.lessThan(MOST_MS));
  }

  it('is bounded for any pattern of the characters that mean something', () => {
    const piece = fc.constantFrom(
      ...'*?+@!()[]{},|/\\.ab^-=&',
      '**',
      '/**/',
      '*a',
      '+(',
      '!(',
      '@(',
      '[a-',
      '{a,',
      '..',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 10 }), (pieces) => {
        expect(slowest(`site.com/${pieces.join('')}`), pieces.join('')).to.be.lessThan(MOST_MS);
      }),
      { numRuns: 150 },
    );
  });
});
