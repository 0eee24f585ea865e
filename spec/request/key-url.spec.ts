import { unescape as decodeAsNode } from 'node:querystring';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodePiece, normalizeEscapes } from '../../lib/request/url.js';
import { keyOf, url } from './requests.js';

describe('keys of URLs', () => {
  const same: [string, string][] = [
    ['HTTP://EXAMPLE.com:80', 'http://example.com/'],
    ['https://h:443/a', 'https://h/a'],
    ['http://h/a/../b', 'http://h/b'],
    ['http://h/%61', 'http://h/a'],
    ['http://h/%7euser', 'http://h/~user'],
    ['http://h/%2f', 'http://h/%2F'],
    ['http://h/?%61=1', 'http://h/?a=1'],
    ['http://h/?a=%2f', 'http://h/?a=%2F'],
    ['http://h/?', 'http://h/'],
    ['http://h/?&&a=1&', 'http://h/?a=1'],
    ['http://h/?b=2&a=1', 'http://h/?a=1&b=2'],
    ['http://h/?a=1&b=3&a=2', 'http://h/?b=3&a=1&a=2'],
    ['http://h/?%62=2&a=1', 'http://h/?a=1&b=2'],
    ['http://h/#a', 'http://h/#b'],
    ['http://h/?a#b', 'http://h/?a'],
    ['http://bücher.example/', 'http://xn--bcher-kva.example/'],
    ['http://h/é', 'http://h/%C3%A9'],
  ];
  for (const [a, b] of same) {
    it(`are the same for ${a} and ${b}`, () => expect(keyOf(url(a))).to.equal(keyOf(url(b))));
  }

  const differ: [string, string][] = [
    ['http://h/?a', 'http://h/?a='],
    ['http://h/?a', 'http://h/'],
    ['http://h/?a=', 'http://h/?b='],
    ['http://h/?q=1+2', 'http://h/?q=1%2B2'],
    ['http://h/?q=1+2', 'http://h/?q=1%202'],
    ['http://h/?q=1%202', 'http://h/?q=1%2B2'],
    ['http://h/a%2Fb', 'http://h/a/b'],
    ['http://h//', 'http://h/'],
    ['http://h/a', 'http://h/a/'],
    ['http://h/a//b', 'http://h/a/b'],
    ['http://h/A', 'http://h/a'],
    ['http://h/?A=1', 'http://h/?a=1'],
    ['http://h/?a=1&a=2', 'http://h/?a=2&a=1'],
    ['http://h/?a=1', 'http://h/?a=1&a=1'],
    ['http://h/?a=1;b=2', 'http://h/?b=2;a=1'],
    ['http://h/?a=1;b', 'http://h/?a=1%3Bb'],
    ['http://h/?a=%26b', 'http://h/?a=&b'],
    ['http://h/?a%3D1', 'http://h/?a=1'],
    ['http://h/?a=%E9', 'http://h/?a=%EA'],
    ['http://h/%C3%A9', 'http://h/e%CC%81'],
    ['http://h/%%34%31', 'http://h/%4%31'],
    ['http://h/%%34%31', 'http://h/%41'],
    ['http://h/%25%34%31', 'http://h/%41'],
    ['http://h/', 'https://h/'],
    ['http://h/', 'http://h:81/'],
    ['http://h/', 'http://h./'],
    ['http://u@h/', 'http://h/'],
    ['http://u:p@h/', 'http://u:q@h/'],
    ['http://h/?', 'http://h/%3F'],
  ];
  for (const [a, b] of differ) {
    it(`differ for ${a} and ${b}`, () => expect(keyOf(url(a))).not.to.equal(keyOf(url(b))));
  }

  it('differ by method, not by its case', () => {
    expect(keyOf({ method: 'GET' })).to.equal(keyOf({ method: 'get' }));
    expect(keyOf({ method: 'HEAD' })).not.to.equal(keyOf({ method: 'get' }));
  });

  it('are 64 lower-case hex digits', () => expect(keyOf({})).to.match(/^[0-9a-f]{64}$/));

  // An oracle that shares nothing with the code under test: bytes of each piece, grouped by name.
  const oracle = (query: string): string => {
    const spell = (text: string): string => {
      const bytes: string[] = [];
      for (let at = 0; at < text.length; at++) {
        if (text[at] !== '%') bytes.push(text.charAt(at));
        else {
          const byte = Number.parseInt(text.slice(at + 1, at + 3), 16);
          const char = String.fromCharCode(byte);
          bytes.push(
            'abcxyzABCXYZ0123456789-._~'.includes(char)
              ? char
              : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`,
          );
          at += 2;
        }
      }
      return bytes.join('');
    };
    const groups: Record<string, string[]> = {};
    for (const piece of query.split('&')) {
      if (piece === '') continue;
      const [name = '', ...rest] = piece.split('=');
      const malformed = /%(?![0-9a-fA-F][0-9a-fA-F])/.test(piece);
      const value = rest.length === 0 ? 'none' : `=${malformed ? rest.join('=') : spell(rest.join('='))}`;
      const group = malformed ? name : spell(name);
      groups[group] = [...(groups[group] ?? []), malformed ? `raw ${value}` : value];
    }
    return JSON.stringify(Object.entries(groups).sort());
  };
  const alphabet = fc.constantFrom(
    'a',
    'b',
    '=',
    '&',
    '%61',
    '%62',
    '%2F',
    '%2f',
    '/',
    '+',
    '%2B',
    '%20',
    ';',
    '%3b',
    '%',
    '4',
    '1',
    '%34',
  );
  const query = fc.array(alphabet, { maxLength: 7 }).map((pieces) => pieces.join(''));

  it('are the same exactly when an independent oracle finds no difference but order', () => {
    const seen = new Map<string, string>();
    const back = new Map<string, string>();
    fc.assert(
      fc.property(query, (text) => {
        const meaning = oracle(text);
        const key = keyOf(url(`http://h/?${text}`));
        expect(seen.get(meaning) ?? key, text).to.equal(key);
        expect(back.get(key) ?? meaning, text).to.equal(meaning);
        seen.set(meaning, key);
        back.set(key, meaning);
      }),
      { numRuns: 4000 },
    );
  });

  it('do not depend on the order of parameters of different names', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.webQueryParameters().map((text) => text.replace(/[&=]/g, '')),
          { maxLength: 6 },
        ),
        fc.integer(),
        (names, seed) => {
          const pieces = names.filter((name) => name !== '').map((name, at) => `${name}=${at}`);
          const shuffled = [...pieces].sort(
            (a, b) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7),
          );
          expect(keyOf(url(`http://h/?${pieces.join('&')}`))).to.equal(
            keyOf(url(`http://h/?${shuffled.join('&')}`)),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stand hostile URLs', () => {
    for (const hostile of [
      'http://h/\ud800?\udfff=\ud800',
      'http://h/?%&%%&%f&%zz=%u1234',
      `http://h/${'a'.repeat(1_000_000)}`,
      `http://h/?${'a&'.repeat(100_000)}`,
      `http://h/?${Array.from({ length: 100_000 }, (_, at) => `p${at}=${at}`).join('&')}`,
      `http://h/?${'%25'.repeat(100_000)}`,
    ]) {
      expect(keyOf(url(hostile))).to.have.length(64);
    }
  });

  it('normalise escapes to a fixed point', () => {
    fc.assert(
      fc.property(query, (text) => {
        expect(normalizeEscapes(normalizeEscapes(text))).to.equal(normalizeEscapes(text));
      }),
    );
  });
});

describe('decodePiece', () => {
  it('reads what queries hold, malformed or not, as Node does', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('%', '%4', '%41', '%zz', '%e2%82%ac', '%e2', '%82', '%ff', '%00', '%25', '%C3', '+'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        expect(decodePiece(text)).to.equal(decodeAsNode(text.replaceAll('+', ' ')));
      }),
      { numRuns: 1000 },
    );
  });
});
