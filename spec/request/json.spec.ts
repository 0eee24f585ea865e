import { expect } from 'chai';
import fc from 'fast-check';
import { type JsonRewrite, rewriteJson } from '../../lib/request/json.js';

const keep: JsonRewrite = { sort: true, member: () => 'keep' };

describe('rewriteJson', () => {
  const rows: [string, string | undefined][] = [
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    [' { "b" : [ 3 , 1 ] ,\n"a" : { "d" : null , "c" : true } } ', '{"a":{"c":true,"d":null},"b":[3,1]}'],
    ['[1.0,1,1e400,-0,12345678901234567890]', '[1.0,1,1e400,-0,12345678901234567890]'],
    ['{"a":1,"a":2}', '{"a":1,"a":2}'],
    ['{"\\u0061":2,"a":1}', '{"\\u0061":2,"a":1}'],
    ['{"__proto__":1,"a":2}', '{"__proto__":1,"a":2}'],
    ['{"a":"}\\"]\\\\","b":"\\\\"}', '{"a":"}\\"]\\\\","b":"\\\\"}'],
    ['{"":1}', '{"":1}'],
    ['[[],{},[{}],""]', '[[],{},[{}],""]'],
    ['"text"', '"text"'],
    ['-1.5e3', '-1.5e3'],
    ['null', 'null'],
    ['', undefined],
    ['{', undefined],
    ['{"a":1}x', undefined],
    ['NaN', undefined],
  ];
  for (const [text, wanted] of rows) {
    it(`makes ${wanted ?? 'nothing'} of ${text}`, () => expect(rewriteJson(text, keep)).to.equal(wanted));
  }

  it('drops and replaces members at any depth', () => {
    const text = '{"a":{"drop":[1,{"x":2}],"b":1},"c":[{"hide":{"y":1}}],"drop":0}';
    const member = (name: string) => (name === 'drop' ? 'drop' : name === 'hide' ? 'replace' : 'keep');
    expect(rewriteJson(text, { sort: false, member, replacement: '"X"' })).to.equal(
      '{"a":{"b":1},"c":[{"hide":"X"}]}',
    );
  });

  it('gives deep nesting up, and does not overflow', () => {
    expect(rewriteJson('['.repeat(100_000) + ']'.repeat(100_000), keep)).to.equal(undefined);
    expect(rewriteJson(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, keep)).to.equal(undefined);
    const shallow = '['.repeat(200) + ']'.repeat(200);
    expect(rewriteJson(shallow, keep)).to.equal(shallow);
  });

  it('does not copy for each level what is below it', () => {
    // Copied, these take half a minute.
    const long = `"${'x'.repeat(15_000_000)}"`;
    for (const [open, close] of [
      ['[0,', ']'],
      ['{"a":0,"b":', '}'],
    ] as const) {
      const text = open.repeat(250) + long + close.repeat(250);
      for (let times = 0; times < 5; times++) expect(rewriteJson(text, keep) === text).to.equal(true);
    }
  });

  it('asks nobody of what is in a member that is dropped or replaced', () => {
    const asked: string[] = [];
    const text = '{"a":"1","hide":{"b":["2"],"c":"3"},"drop":"4","d":["5"],"hide":"6"}';
    const rewritten = rewriteJson(text, {
      sort: false,
      member: (name) => {
        asked.push(name);
        return name === 'drop' ? 'drop' : name === 'hide' ? 'replace' : 'keep';
      },
      replacement: '0',
      string: (lexeme) => {
        asked.push(lexeme);
        return lexeme;
      },
    });
    expect(rewritten).to.equal('{"a":"1","hide":0,"d":["5"],"hide":0}');
    expect(asked).to.deep.equal(['a', '"1"', 'hide', 'drop', 'd', '"5"', 'hide']);
  });

  it('reads a long string of quotes and backslashes in linear time', () => {
    const text = JSON.stringify({ a: '"\\'.repeat(300_000) });
    expect(rewriteJson(text, keep)).to.equal(text);
  });

  it('keeps the value of any JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const rewritten = rewriteJson(JSON.stringify(value, null, indent), keep);
        expect(JSON.parse(rewritten ?? '')).to.deep.equal(value);
      }),
      { numRuns: 500 },
    );
  });
});
