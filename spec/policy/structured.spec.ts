import { expect } from 'chai';
import fc from 'fast-check';
import { type Member, parseDictionary, parseList } from '../../lib/policy/structured.js';

const integer = (value: number): Member => ({ type: 'integer', value });
const string = (value: string): Member => ({ type: 'string', value });
const token = (value: string): Member => ({ type: 'token', value });
const boolean = (value: boolean): Member => ({ type: 'boolean', value });
const other: Member = { type: 'other' };

describe('Structured fields (RFC 9651)', () => {
  const lists: [string, Member[] | undefined][] = [
    // the RFC's own (3.1)
    ['sugar, tea, rum', [token('sugar'), token('tea'), token('rum')]],
    [
      '("foo" "bar"), ("baz"), ("bat" "one"), ()',
      [
        { type: 'inner-list', items: [string('foo'), string('bar')] as never },
        { type: 'inner-list', items: [string('baz')] as never },
        { type: 'inner-list', items: [string('bat'), string('one')] as never },
        { type: 'inner-list', items: [] },
      ],
    ],
    [
      '("foo"; a=1;b=2);lvl=5, ("bar" "baz");lvl=1',
      [
        { type: 'inner-list', items: [string('foo')] as never },
        { type: 'inner-list', items: [string('bar'), string('baz')] as never },
      ],
    ],
    [
      'abc;a=1;b=2; cde_456, (ghi;jk=4 l);q="9";r=w',
      [token('abc'), { type: 'inner-list', items: [token('ghi'), token('l')] as never }],
    ],
    // 3.3
    ['42, -17, 0', [integer(42), integer(-17), integer(0)]],
    ['999999999999999', [integer(999_999_999_999_999)]],
    ['4.5, -1.123', [other, other]],
    ['"hello world", "a \\"b\\" \\\\"', [string('hello world'), string('a "b" \\')]],
    ['foo123/456, *a:b', [token('foo123/456'), token('*a:b')]],
    [':cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:', [other]],
    ['?1, ?0', [boolean(true), boolean(false)]],
    ['@1659578233', [other]],
    ['%"This is intended for display to %c3%bcsers."', [other]],
    // spaces
    ['', []],
    ['  ', []],
    [' a ', [token('a')]],
    ['a\t,\t b', [token('a'), token('b')]],
    ['( a   b )', [{ type: 'inner-list', items: [token('a'), token('b')] as never }]],
    // malformed
    ['a,', undefined],
    [',a', undefined],
    ['a,,b', undefined],
    ['a b', undefined],
    ['a\t', undefined],
    ['\ta', undefined],
    ['1234567890123456', undefined],
    ['1.1234', undefined],
    ['1.', undefined],
    ['-', undefined],
    ['"a', undefined],
    ['"\\a"', undefined],
    ['"\u00fc"', undefined],
    ['?2', undefined],
    ['(a', undefined],
    ['("a""b")', undefined],
    ['@1.5', undefined],
    ['%"%C3"', undefined],
    [':a', undefined],
    ['a;', undefined],
    ['a;B', undefined],
    ['a;b=', undefined],
  ];
  for (const [text, members] of lists) {
    it(`read the list ${JSON.stringify(text)}.`, () => expect(parseList(text)).to.deep.equal(members));
  }

  const dictionaries: [string, Record<string, Member> | undefined][] = [
    // the RFC's own (3.2)
    ['en="Applepie", da=:w4ZibGV0w6ZydGU=:', { en: string('Applepie'), da: other }],
    ['a=?0, b, c; foo=bar', { a: boolean(false), b: boolean(true), c: boolean(true) }],
    [
      'rating=1.5, feelings=(joy sadness)',
      { rating: other, feelings: { type: 'inner-list', items: [token('joy'), token('sadness')] as never } },
    ],
    ['a=1,a=2', { a: integer(2) }],
    ['*a_-.*9=1', { '*a_-.*9': integer(1) }],
    ['', {}],
    ['A=1', undefined],
    ['a =1', undefined],
    ['a= 1', undefined],
    ['a=', undefined],
    ['1=1', undefined],
    ['a=1,', undefined],
    ['"a"', undefined],
  ];
  for (const [text, members] of dictionaries) {
    it(`read the dictionary ${JSON.stringify(text)}.`, () => {
      const found = parseDictionary(text);
      expect(found && Object.fromEntries(found)).to.deep.equal(members);
    });
  }

  it('are none where there is no field.', () => {
    expect(parseList(undefined)).to.equal(undefined);
    expect(parseDictionary(undefined)).to.equal(undefined);
  });

  it('never throw, whatever there is to read.', () => {
    const piece = fc.constantFrom(
      'a',
      '=',
      ',',
      ' ',
      '\t',
      '(',
      ')',
      '"',
      '\\',
      ';',
      '?1',
      '1',
      '.',
      ':',
      '@',
      '%"',
      '*',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
        ),
        (text) => {
          parseList(text);
          parseDictionary(text);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
