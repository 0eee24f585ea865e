import { expect } from 'chai';
import fc from 'fast-check';
import { compileUrlPattern, compileUrlPatterns } from '../../lib/policy/patterns.js';
import { DO_NOT_CACHE, type ExpireAfter } from '../../lib/policy/types.js';

describe('A URL pattern', () => {
  const groups: Record<string, [pattern: string | RegExp, url: string, matches: boolean][]> = {
    'is anchored at the host': [
      ['site.com', 'https://site.com', true],
      ['site.com', 'https://site.com/', true],
      ['site.com', 'https://site.com/a/b?c=d', true],
      ['site.com', 'https://site.com?x=1', true],
      ['site.com', 'https://www.site.com/', false],
      ['site.com', 'https://site.com.evil.org/x', false],
      ['site.com', 'https://notsite.com/', false],
      ['site.com', 'https://evil.org/site.com', false],
      ['site.com/x', 'https://b.com/?next=http://site.com/x', false],
      ['site.com', 'https://sitexcom/', false],
      ['SITE.com', 'https://site.com/a', true],
      ['site.com', 'https://SITE.COM/a', true],
      ['müller.de', 'https://müller.de/', true],
      ['*.müller.de', 'https://www.xn--mller-kva.de/', true],
    ],
    'takes * for any subdomain': [
      ['*.site.com', 'https://a.site.com/x', true],
      ['*.site.com', 'https://a.b.site.com/x?y=1', true],
      ['*.site.com', 'https://site.com/', false],
      ['*.site.com', 'https://evil.org/a.site.com', false],
      ['*.site.com', 'https://evil.org/?u=a.site.com', false],
      ['*.site.com', 'https://a.site.com.evil.org/', false],
      ['*site.com', 'https://notsite.com/', true],
      ['api.*.com', 'https://api.site.com/', true],
      ['api.*.com', 'https://api.site.org/', false],
    ],
    'leaves scheme, userinfo and fragment out': [
      ['https://site.com/a', 'http://site.com/a', true],
      ['http*://site.com/a', 'https://site.com/a', true],
      ['//site.com/a', 'https://site.com/a', true],
      ['*://site.com/a', 'https://site.com/a', true],
      ['site.com', 'https://user:pw@site.com/', true],
      ['user:pw@site.com', 'https://site.com/', true],
      ['site.com', 'https://site.com@evil.org/', false],
      ['evil.org', 'https://site.com@evil.org/', true],
      ['site.com/a#frag', 'https://site.com/a', true],
      ['site.com/a', 'https://site.com/a#/b', true],
      ['site.com/b', 'https://site.com/#/b', false],
    ],
    'matches every port unless it names one': [
      ['site.com', 'https://site.com:8080/a', true],
      ['site.com:8080', 'https://site.com:8080/a', true],
      ['site.com:8080', 'https://site.com:8081/a', false],
      ['site.com:8080', 'https://site.com/a', false],
      ['site.com:443', 'https://site.com/', true],
      ['site.com:80', 'http://site.com/', true],
      ['site.com:443', 'http://site.com/', false],
      ['127.0.0.1:80*', 'http://127.0.0.1:8080/', true],
      ['127.0.0.1:80*', 'http://127.0.0.1:9080/', false],
      ['*:3000/a', 'http://localhost:3000/a', true],
      ['[::1]', 'http://[::1]:3000/a', true],
      ['[0:0:0::1]:3000/a', 'http://[::1]:3000/a', true],
      ['[::1]:3000', 'http://[::1]:3001/a', false],
      ['[::1]', 'http://[::2]/', false],
      ['[2001:db8:*]/x', 'http://[2001:db8::1]/x', true],
    ],
    'matches itself and what is below': [
      ['site.com/res', 'https://site.com/res', true],
      ['site.com/res', 'https://site.com/res/', true],
      ['site.com/res', 'https://site.com/res/x', true],
      ['site.com/res', 'https://site.com/res/.hidden', true],
      ['site.com/res', 'https://site.com/res?x=1', true],
      ['site.com/res', 'https://site.com/resource', false],
      ['site.com/res', 'https://site.com/a/res', false],
      ['site.com/res', 'https://site.com/RES', false],
      ['site.com/RES', 'https://site.com/res', false],
      ['site.com/resource_1', 'https://site.com/resource_10', false],
      ['site.com/', 'https://site.com/a', true],
      ['site.com/**', 'https://site.com', true],
    ],
    'that ends in a slash matches only what is below': [
      ['site.com/resource/', 'https://site.com/resource', false],
      ['site.com/resource/', 'https://site.com/resource?x=1', false],
      ['site.com/resource/', 'https://site.com/resource/', true],
      ['site.com/resource/', 'https://site.com/resource/?x=1', true],
      ['site.com/resource/', 'https://site.com/resource/a/b?c=d', true],
      ['http*://site.com/resource/**', 'https://site.com/resource', false],
      ['http*://site.com/resource/**', 'https://site.com/resource/', true],
      ['http*://site.com/resource/**', 'https://site.com/resource/a/.b', true],
    ],
    'takes * within a segment and ** over segments': [
      ['site.com/*/1', 'https://site.com/stream/1', true],
      ['site.com/*/1', 'https://site.com/stream/1/x', true],
      ['site.com/*/1', 'https://site.com/stream/2', false],
      ['site.com/*/1', 'https://site.com/a/15', false],
      ['site.com/*/1', 'https://site.com/a/b/1', false],
      ['site.com/*/1', 'https://site.com/a?x=/1', false],
      ['site.com/*', 'https://site.com/a', true],
      ['site.com/*', 'https://site.com/.a', true],
      ['site.com/*', 'https://site.com/', false],
      ['site.com/***', 'https://site.com/a', true],
      ['site.com/*.json', 'https://site.com/a.json?x=1', true],
      ['site.com/*.json', 'https://site.com/a/b.json', false],
      ['site.com/a.json', 'https://site.com/aXjson', false],
      ['site.com/a*b*c', 'https://site.com/axbxbxc', true],
      ['site.com/a*b*c', 'https://site.com/abc', true],
      ['site.com/a*b*c', 'https://site.com/axbxbxcd', false],
      ['site.com/a*b*c', 'https://site.com/axbx/c', false],
      ['site.com/**/x', 'https://site.com/x', true],
      ['site.com/**/x', 'https://site.com/a/b/x/y', true],
      ['site.com/**/x', 'https://site.com/a/xx', false],
      ['site.com/**/**/x', 'https://site.com/a/b/x', true],
      ['site.com/**/*.js', 'https://site.com/a/b/c.js', true],
      ['site.com/x/**/y/**/z', 'https://site.com/x/1/y/y/2/z/k', true],
      ['site.com/x/**/y/**/z', 'https://site.com/x/1/2/z/k', false],
      ['**/api', 'https://x.y/v1/api/z', true],
      ['*/api', 'https://x.y/api/z', true],
      ['*/api', 'https://x.y/v1/api', false],
    ],
    'takes ? for a character, or for the query when a parameter follows': [
      ['site.com/?', 'https://site.com/a', true],
      ['site.com/?', 'https://site.com/ab', false],
      ['site.com/?', 'https://site.com/', false],
      ['site.com/a?b', 'https://site.com/a/b', false],
      ['site.com/a?x=1', 'https://site.com/a?x=1', true],
      ['site.com/a?x=1', 'https://site.com/a?x=1&y=2', true],
      ['site.com/a?x=1', 'https://site.com/a?x=12', false],
      ['site.com/a?x=1', 'https://site.com/a?y=2&x=1', false],
      ['site.com/a?x=1', 'https://site.com/aZx=1', false],
      ['site.com/a?x=1', 'https://site.com/a/b?x=1', false],
      ['site.com/a?*x=1', 'https://site.com/a?y=/&x=1', true],
      ['site.com/a/?x=1', 'https://site.com/a/?x=1', true],
      ['site.com/a/**?x=1', 'https://site.com/a/b/c?x=1', true],
      ['site.com/a/**?x=1', 'https://site.com/a?x=1', false],
      ['site.com?x=1', 'https://site.com/?x=1', true],
      ['site.com/a\\?x', 'https://site.com/a?x', true],
      ['site.com/a\\?x', 'https://site.com/abx', false],
    ],
    'takes brackets, braces and simple extglobs as micromatch does': [
      ['site.com/[ab]', 'https://site.com/b/c', true],
      ['site.com/[ab]', 'https://site.com/c', false],
      ['site.com/[!a]', 'https://site.com/b', true],
      ['site.com/[!a]', 'https://site.com/a', false],
      ['site.com/v[0-9]/x', 'https://site.com/v1/x', true],
      ['site.com/v[[:digit:]]', 'https://site.com/vx', false],
      ['site.com/[', 'https://site.com/[', true],
      ['site.com/{a,b/c}', 'https://site.com/b/c/d', true],
      ['site.com/{a,b}', 'https://site.com/c', false],
      ['site.com/{1..3}', 'https://site.com/2', true],
      ['site.com/{1..3}', 'https://site.com/4', false],
      ['http{,s}://site.com/a', 'https://site.com/a', true],
      ['{https://a.com,https://b.com}/x', 'https://b.com/x', true],
      ["site.com/it's/{a,b}", "https://site.com/it's/a", true],
      ['site.com/@(a|b)', 'https://site.com/b', true],
      ['site.com/@(a|b)', 'https://site.com/c', false],
      ['site.com/!(admin)', 'https://site.com/user/1', true],
      ['site.com/!(admin)', 'https://site.com/admin/1', false],
      ['site.com/!(admin)', 'https://site.com/.well-known/x', true],
      ['site.com/*@(a|b)', 'https://site.com/.hidden-a', true],
      ['site.com/!a@(b)', 'https://site.com/!ab', true],
      ['site.com/!a@(b)', 'https://site.com/other', false],
      ['site.com/+([0-9])', 'https://site.com/123?x=1', true],
      ['site.com/+([0-9])', 'https://site.com/123a', false],
      ['site.com/?(x)y', 'https://site.com/y', true],
      ['site.com/!(a)*', 'https://site.com/b', true],
      [`site.com/${'{0,1,2,3,4,5,6,7,8,9}'.repeat(3)}`, 'https://site.com/123', true],
      ['!site.com/a', 'https://site.com/b', true],
      ['!site.com/a', 'https://site.com/a/b', false],
    ],
    'takes everything else literally': [
      ['site.com/wiki/Foo_(bar)', 'https://site.com/wiki/Foo_(bar)', true],
      ['site.com/a|b', 'https://site.com/a|b', true],
      ['site.com/a|b', 'https://site.com/a', false],
      ['site.com/a+b$', 'https://site.com/a+b$', true],
      ['site.com/a\\*b', 'https://site.com/a*b', true],
      ['site.com/a\\*b', 'https://site.com/axb', false],
    ],
    'compares escapes normalised': [
      ['site.com/a', 'https://site.com/%61', true],
      ['site.com/%61', 'https://site.com/a', true],
      ['site.com/é', 'https://site.com/%c3%a9', true],
      ['site.com/a b', 'https://site.com/a%20b', true],
      ['site.com/a%2fb', 'https://site.com/a%2Fb', true],
      ['site.com/a/b', 'https://site.com/a%2Fb', false],
      ['site.com/%2541', 'https://site.com/A', false],
      ['site.com/%ff', 'https://site.com/%FF', true],
      ['site.com/%2A', 'https://site.com/*', true],
      ['site.com/%2A', 'https://site.com/x', false],
      ['site.com/%2A', 'https://site.com/%2A', true],
      ['site.com/a%28b', 'https://site.com/a%28b', true],
      ['site.com/%', 'https://site.com/%', true],
    ],
    'of a star alone matches everything': [
      ['*', 'https://site.com/a/b', true],
      ['**', 'https://site.com/a/b', true],
      ['*', 'no URL', true],
      ['site.com', 'no URL', false],
    ],
    'that is a RegExp is tested against the whole URL': [
      [/^https:\/\/site\.com\/a\?x=1$/, 'https://SITE.com:443/a?x=1#frag', true],
      [/\/users\/\d+$/, 'https://site.com/users/12', true],
      [/\/users\/\d+$/, 'https://site.com/users/12?x=1', false],
      [/admin/, 'https://admin:pw@site.com/', false],
      [/admin/, 'https://admin@site.com/', false],
      [/secret/, 'https://:secret@site.com/', false],
      [/admin/, 'https://site.com/#admin', false],
      [/URL$/, 'no URL', true],
    ],
  };
  for (const [name, rows] of Object.entries(groups)) {
    describe(name, () => {
      for (const [pattern, url, matches] of rows) {
        it(`${pattern} ${matches ? 'matches' : 'does not match'} ${url}.`, () => {
          expect(compileUrlPattern(pattern)(url)).to.equal(matches);
        });
      }
    });
  }

  for (const flags of ['g', 'y', 'gy', 'gi']) {
    it(`that is a RegExp with the flags ${flags} keeps no state.`, () => {
      const pattern = new RegExp('https://site', flags);
      const matches = compileUrlPattern(pattern);
      pattern.lastIndex = 5;
      expect([1, 2, 3].map(() => matches('https://site.com/'))).to.deep.equal([true, true, true]);
      expect(pattern.lastIndex).to.equal(5);
    });
  }

  it('that is a sticky RegExp begins where the URL begins.', () => {
    expect(compileUrlPattern(/site/y)('https://site.com/')).to.equal(false);
  });

  const refused: [string, RegExp][] = [
    ['', /empty/],
    ['!', /empty/],
    ['https://', /no host/],
    ['/api', /no host/],
    ['site.com/[z-a]', /set of characters/],
    ['site.com/+(a|aa)', /regular expression/],
    ['site.com/*(a|aa)', /regular expression/],
    [`site.com/{a,b,c,d,e,f,g,h,i,j,k}${'{0,1,2,3,4,5,6,7,8,9}'.repeat(2)}`, /more than 1000/],
    ['site.com/+(+(a))', /regular expression/],
    ['site.com/@(a/b)', /regular expression/],
    ['site.com/!(a)*b*c', /regular expression/],
    ['site.com/{a,b}'.repeat(30), /braces/],
    [`site.com/${'{1..100}'.repeat(4)}`, /braces/],
  ];
  for (const [pattern, message] of refused) {
    it(`is refused with the reason: '${pattern.slice(0, 40)}'.`, () => {
      expect(() => compileUrlPattern(pattern, 'urlsExpireAfter'))
        .to.throw(message)
        .with.include({ code: 'ERR_CACHE_OPTION', option: 'urlsExpireAfter', value: pattern });
    });
  }

  it('is cheap to try, however hostile pattern and URL are.', () => {
    // Each of them takes minutes to years by backtracking; mocha's limit of time is the assertion.
    const hostile: [string, string][] = [
      ['site.com/*a*a*a*a*a*a*b', `https://site.com/${'a'.repeat(50_000)}`],
      ['*a*a*a*a*a*b', `https://${'a'.repeat(60)}/${'a'.repeat(50_000)}`],
      ['*.*.*.*.*.*.*.*.com', `https://${'a.'.repeat(120)}org/`],
      ['site.com/**/a/**/a/**/a/**/a/**/b', `https://site.com/${'a/'.repeat(20_000)}`],
      ['site.com/**/*a*a/**/*a*a/**/b*c*', `https://site.com/${'aaaa/'.repeat(10_000)}`],
      ['site.com/a?x=*a*a*a*a*b', `https://site.com/a?x=${'a'.repeat(50_000)}`],
      ['site.com/+(ab|cd)x', `https://site.com/${'ab'.repeat(20_000)}`],
      ['site.com/+([a-z])', `https://site.com/${'a'.repeat(50_000)}!`],
      ['site.com/%61', `https://site.com/${'%61'.repeat(20_000)}`],
      [`site.com/${'[ab]'.repeat(500)}`, `https://site.com/${'a'.repeat(50_000)}`],
    ];
    for (const [pattern, url] of hostile) expect(compileUrlPattern(pattern)(url)).to.equal(false);
  });

  it('of any shape is read or refused, and never throws on a URL.', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'site.com',
        '/',
        '*',
        '**',
        '?',
        '[',
        ']',
        '{',
        '}',
        ',',
        '!',
        '(',
        ')',
        '|',
        '\\',
        '%',
        '@',
        ':',
        '..',
        '#',
        '=',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.webUrl({ withQueryParameters: true }),
        (pieces, url) => {
          let matches: (url: string) => boolean;
          try {
            matches = compileUrlPattern(pieces.join(''));
          } catch (error) {
            expect(error).to.have.property('code', 'ERR_CACHE_OPTION');
            return;
          }
          expect(matches(url)).to.be.a('boolean');
        },
      ),
    );
  });

  it('that is a URL without glob characters matches that URL and those below.', () => {
    const segment = fc.stringMatching(/^[\w~-]+$/);
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), segment, (path, more) => {
        const url = `https://site.com/${path.join('/')}`;
        const matches = compileUrlPattern(url);
        expect(matches(url)).to.equal(true);
        expect(matches(`${url.replace(/\/$/, '')}/${more}`)).to.equal(true);
        if (path.length > 0) expect(matches(`${url}${more}`)).to.equal(false);
      }),
    );
  });
});

describe('URL patterns', () => {
  const expiryOf = (patterns: unknown, url: string) => compileUrlPatterns('urlsExpireAfter', patterns)(url);

  it('are tried in order: the first that matches decides.', () => {
    const patterns = { '*.site.com/resource': 1, '*.site.com': 2, '*': DO_NOT_CACHE };
    const rows: [string, ExpireAfter][] = [
      ['https://img.site.com/resource/x', 1],
      ['https://img.site.com/x', 2],
      ['https://other.org/', DO_NOT_CACHE],
    ];
    for (const [url, expireAfter] of rows) {
      expect(expiryOf(patterns, url)).to.deep.equal({ matched: true, expireAfter });
      expect(expiryOf(Object.entries(patterns), url)).to.deep.equal({ matched: true, expireAfter });
    }
  });

  it('that match with null end the search.', () => {
    const patterns = { 'site.com/a': null, 'site.com/b': undefined, 'site.com': 5 };
    expect(expiryOf(patterns, 'https://site.com/a')).to.deep.equal({ matched: true, expireAfter: null });
    expect(expiryOf(patterns, 'https://site.com/b')).to.deep.equal({ matched: true, expireAfter: undefined });
    expect(expiryOf(patterns, 'https://site.com/c')).to.deep.equal({ matched: true, expireAfter: 5 });
  });

  it('that do not match leave it to the adapter.', () => {
    const none = { matched: false, expireAfter: undefined };
    expect(expiryOf({ 'site.com': 5 }, 'https://other.org/')).to.deep.equal(none);
    expect(expiryOf({}, 'https://other.org/')).to.deep.equal(none);
    expect(expiryOf([], 'https://other.org/')).to.deep.equal(none);
  });

  it('mix globs and regular expressions.', () => {
    const patterns = [
      [/\/v\d+\//, 1],
      ['site.com', 2],
    ];
    expect(expiryOf(patterns, 'https://site.com/v1/x').expireAfter).to.equal(1);
    expect(expiryOf(patterns, 'https://site.com/x').expireAfter).to.equal(2);
  });

  it('remember what they said, for more URLs than they keep.', () => {
    const match = compileUrlPatterns('urlsExpireAfter', { 'site.com/1*': 1, 'site.com': 2 });
    const long = 'x'.repeat(3000);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 2500; i++)
        expect(match(`https://site.com/${i}`).expireAfter).to.equal(/^1/.test(`${i}`) ? 1 : 2);
      expect(match(`https://site.com/1${long}`).expireAfter).to.equal(1);
    }
    expect(match('https://site.com/1')).to.equal(match('https://site.com/1'));
  });

  const refused: [string, unknown][] = [
    ['a string', 'site.com'],
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['a Map, whose entries would go unseen', new Map([['site.com', 5]])],
    ['a Date', new Date()],
    ['a class instance', new (class Patterns {})()],
    ['an array of strings', ['site.com']],
    ['an array of triples', [['site.com', 5, 6]]],
    ['a pattern that is no string', [[5, 5]]],
    ['a pattern that is none', { 'site.com/[z-a]': 5 }],
    ['an expiry that is none', { 'site.com': '60' }],
    ['an expiry that is none, in pairs', [[/x/, Number.NaN]]],
  ];
  for (const [name, patterns] of refused) {
    it(`are refused: ${name}.`, () => {
      expect(() => compileUrlPatterns('urlsExpireAfter', patterns))
        .to.throw(/urlsExpireAfter/)
        .with.property('code', 'ERR_CACHE_OPTION');
    });
  }

  it('that have a wrong expiry are named.', () => {
    expect(() => compileUrlPatterns('urlsExpireAfter', { 'site.com': '60' })).to.throw(
      /urlsExpireAfter\['site\.com'\]/,
    );
  });

  it('may be an object without prototype.', () => {
    expect(
      expiryOf(Object.assign(Object.create(null), { 'site.com': 5 }), 'https://site.com/').matched,
    ).to.equal(true);
  });
});
