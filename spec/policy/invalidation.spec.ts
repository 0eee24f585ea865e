import { expect } from 'chai';
import fc from 'fast-check';
import { invalidatedUrls, isUnsafe } from '../../lib/policy/invalidation.js';
import { fields } from './views.js';

const URL_ = 'https://site.com/a/b?x=1';

describe('A method', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'get', 'QUERY', 'PROPFIND']) {
    it(`is safe: ${method}.`, () => expect(isUnsafe(method)).to.equal(false));
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'post', 'PURGE', '']) {
    it(`is unsafe: ${method}.`, () => expect(isUnsafe(method)).to.equal(true));
  }
});

describe('An unsafe request makes outdated (RFC 9111 4.4)', () => {
  const rows: [string, number, Record<string, string>, string[]][] = [
    ['its own URL', 200, {}, [URL_]],
    ['its own URL on a redirect', 399, {}, [URL_]],
    ['nothing on an error', 400, {}, []],
    ['nothing on 500', 500, {}, []],
    ['nothing before the end', 199, {}, []],
    ['Location', 201, { Location: '/c' }, [URL_, 'https://site.com/c']],
    ['Content-Location', 200, { 'content-location': 'c' }, [URL_, 'https://site.com/a/c']],
    [
      'both, each once',
      200,
      { Location: '/c', 'Content-Location': 'https://site.com:443/c#x' },
      [URL_, 'https://site.com/c'],
    ],
    ['no other host', 200, { Location: 'https://evil.org/c' }, [URL_]],
    ['no other port', 200, { Location: 'https://site.com:444/c' }, [URL_]],
    ['no other scheme', 200, { Location: 'http://site.com/c' }, [URL_]],
    ['nothing that is no URL', 200, { Location: 'http://[' }, [URL_]],
  ];
  for (const [name, status, headers, urls] of rows) {
    it(`${name}.`, () => expect(invalidatedUrls('POST', URL_, status, fields(headers))).to.deep.equal(urls));
  }

  it('what it names without userinfo and fragment.', () => {
    expect(
      invalidatedUrls('PUT', 'https://u:p@SITE.com/a#f', 204, fields({ Location: '//x@site.com/b' })),
    ).to.deep.equal(['https://site.com/a', 'https://site.com/b']);
  });

  it('nothing when it is safe, or its URL is none.', () => {
    expect(invalidatedUrls('GET', URL_, 200, fields({ Location: '/c' }))).to.deep.equal([]);
    expect(invalidatedUrls('POST', '/relative', 200, [])).to.deep.equal([]);
  });

  it('nothing of another origin, whatever Location says.', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (location) => {
        for (const url of invalidatedUrls('POST', URL_, 200, fields({ Location: location }))) {
          expect(new URL(url).origin).to.equal('https://site.com');
        }
      }),
    );
  });
});
