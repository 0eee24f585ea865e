import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import NodeFormData from 'form-data';
import { type Given, keyOf, lateKeyOf, post } from './requests.js';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const json = (text: string, type = JSON_TYPE) => post(text, type);
const form = (text: string) => post(text, FORM_TYPE);

const nodeForm = (fields: [string, unknown, object?][]) => {
  const made = new NodeFormData();
  for (const [name, value, options] of fields) made.append(name, value, options);
  return made;
};
const specForm = (fields: [string, string | Blob][]) => {
  const made = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') made.append(name, value);
    else made.append(name, value);
  }
  return made;
};

describe('keys of bodies', () => {
  const same: [string, Given, Given][] = [
    [
      'JSON members in another order, at depth',
      json('{"a":{"b":1,"c":2},"d":[{"e":1,"f":2}]}'),
      json('{"d":[{"f":2,"e":1}],"a":{"c":2,"b":1}}'),
    ],
    ['JSON with other white space', json('{"a": 1}'), json('{"a":1}')],
    ['JSON as text and as bytes', json('{"b":1,"a":"é"}'), post(Buffer.from('{"a":"é","b":1}'), JSON_TYPE)],
    [
      'JSON of a suffix type',
      json('{"b":1,"a":1}', 'application/vnd.api+json; charset=utf-8'),
      json('{"a":1,"b":1}', 'application/vnd.api+json; charset=utf-8'),
    ],
    [
      'JSON of a quoted charset',
      json('{"b":1,"a":1}', 'application/json; charset="utf-8"'),
      json('{"a":1,"b":1}', 'application/json; charset="utf-8"'),
    ],
    ['form fields in another order', form('b=2&a=1'), form('a=1&b=2')],
    ['form escapes in another spelling', form('a=%7e%2f'), form('a=~%2F')],
    [
      'a Buffer and an ArrayBuffer',
      post(Buffer.from('abc'), 'x/y'),
      post(new TextEncoder().encode('abc').buffer, 'x/y'),
    ],
    ['text and its bytes', post('é', 'text/plain'), post(Buffer.from('é'), 'text/plain')],
    ['a lone surrogate and what is sent for it', post('\ud800', 'text/plain'), post('\ufffd', 'text/plain')],
    ['no body and an empty one', post(undefined, JSON_TYPE), post('', 'text/plain')],
    ['no body and null', post(undefined), post(null)],
    ['no body and no bytes', post(undefined), post(Buffer.alloc(0), 'x/y')],
  ];
  for (const [what, a, b] of same) {
    it(`are the same for ${what}`, () => expect(keyOf(a)).to.equal(keyOf(b)));
  }

  const ignoring = { ignoredParameters: ['nonce'] };
  const FORM_DEFAULT = post(undefined, FORM_TYPE);
  const nothingLeft: [string, Given, Given][] = [
    ['a form', form('nonce=1'), form('')],
    ['a form and no body, which axios posts with the same type', form('nonce=1'), FORM_DEFAULT],
    ['a form and no body of no type', form('nonce=1&nonce[]=2'), post(undefined)],
    ['a form with a charset', post('nonce=1', `${FORM_TYPE};charset=utf-8`), form('')],
    ['a form of bytes', post(Buffer.from('nonce=1'), FORM_TYPE), form('')],
    ['multipart of form-data', post(nodeForm([['nonce', '1']])), post(nodeForm([]))],
    ['multipart of FormData', post(specForm([['nonce', '1']])), post(specForm([]))],
    ['multipart of both', post(specForm([['nonce', '1']])), post(nodeForm([['nonce', '2']]))],
  ];
  for (const [what, a, b] of nothingLeft) {
    it(`are those without a body when all of it is ignored: ${what}`, () => {
      for (const matchHeaders of [false, ['accept']]) {
        const settings = { ...ignoring, matchHeaders };
        expect(keyOf(a, settings)).to.equal(keyOf(b, settings));
        expect(keyOf(a, settings)).to.equal(keyOf({ ...post(undefined) }, settings));
        expect(keyOf(a)).not.to.equal(keyOf(b));
      }
    });
  }

  it('tell a body of which all is ignored from JSON without members, and from another method', () => {
    expect(keyOf(form('nonce=1'), ignoring)).not.to.equal(keyOf(json('{"nonce":1}'), ignoring));
    expect(keyOf(json('{"nonce":1}'), ignoring)).to.equal(keyOf(json('{}'), ignoring));
    expect(keyOf(form('nonce=1'), ignoring)).not.to.equal(
      keyOf({ ...form('nonce=1'), method: 'put' }, ignoring),
    );
  });

  it('do not depend on the boundary of a body of which all is ignored, though its type is matched', () => {
    const settings = { ...ignoring, matchHeaders: ['content-type'] };
    const raw = () => {
      const made = nodeForm([['nonce', '1']]);
      return post(made.getBuffer(), made.getHeaders()['content-type']);
    };
    expect(keyOf(raw(), settings)).to.equal(keyOf(raw(), settings));
  });

  const differ: [string, Given, Given][] = [
    ['JSON lists in another order', json('[1,2]'), json('[2,1]')],
    ['JSON lists within in another order', json('{"a":[1,2]}'), json('{"a":[2,1]}')],
    ['1 and 1.0', json('{"a":1}'), json('{"a":1.0}')],
    ['1 and "1"', json('{"a":1}'), json('{"a":"1"}')],
    ['1e400 and 1e500', json('[1e400]'), json('[1e500]')],
    ['0 and -0', json('[0]'), json('[-0]')],
    ['long integers', json('[12345678901234567890]'), json('[12345678901234567891]')],
    ['duplicate names', json('{"a":1,"a":2}'), json('{"a":2}')],
    ['duplicate names in another order', json('{"a":1,"a":2}'), json('{"a":2,"a":1}')],
    [
      'duplicate names of two spellings in another order',
      json('{"a":1,"\\u0061":2}'),
      json('{"\\u0061":2,"a":1}'),
    ],
    ['__proto__ and none', json('{"__proto__":{"a":1}}'), json('{}')],
    ['null and missing', json('{"a":null}'), json('{}')],
    ['an escaped and a sent surrogate', json('"\\ud800"'), json('"\ud800"')],
    ['an empty object and nothing', json('{}'), post(undefined, JSON_TYPE)],
    ['invalid JSON', json('{"a":1'), json('{"a":2')],
    ['a form field without and with =', form('a'), form('a=')],
    ['+ and %2B in a form', form('a=1+2'), form('a=1%2B2')],
    ['text that is called a form for want of a type', form('a && b'), form('a & b')],
    ['text that is called a form, in another order', form('{"x":1}&y'), form('y&{"x":1}')],
    [
      'binary that is called a form',
      post(Buffer.from([1, 0x26, 2]), FORM_TYPE),
      post(Buffer.from([2, 0x26, 1]), FORM_TYPE),
    ],
    ['the same bytes of another type', json('{}'), post('{}', 'text/plain')],
    ['the same bytes of no type', json('{}'), post('{}')],
    ['text in another order', post('a=1&b=2', 'text/plain'), post('b=2&a=1', 'text/plain')],
    [
      'the end of the URL and the body',
      post('b', 'x/y', { url: 'http://h/a' }),
      post(undefined, 'x/y', { url: 'http://h/ab' }),
    ],
    ['methods', post('a', 'x/y'), { ...post('a', 'x/y'), method: 'put' }],
    ['a GET with and without body', { data: 'a' }, {}],
  ];
  for (const [what, a, b] of differ) {
    it(`differ for ${what}`, () => expect(keyOf(a)).not.to.equal(keyOf(b)));
  }

  it('stand deep and long JSON, and tell it apart', () => {
    const deep = (inner: string) => json('['.repeat(100_000) + inner + ']'.repeat(100_000));
    expect(keyOf(deep('1'))).not.to.equal(keyOf(deep('2')));
    const long = (value: string) => json(JSON.stringify({ a: value.repeat(1_000_000) }));
    expect(keyOf(long('a'))).not.to.equal(keyOf(long('b')));
  });

  // The meaning of a text is known from how it was made, not by parsing it.
  interface Tree {
    text: string;
    meaning: string;
  }
  const { tree } = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
    leaf: fc
      .constantFrom('1', '1.0', '"1"', 'null', '""', '"\\u0061"', '"a"', '-0', '0', '[]', '{}')
      .map((text) => ({ text, meaning: text })),
    tree: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((items) => ({
        text: `[ ${items.map(({ text }) => text).join(' ,')}]`,
        meaning: `list(${items.map(({ meaning }) => meaning).join('|')})`,
      })),
      fc
        .array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', ''), tie('tree')), {
          minLength: 1,
          maxLength: 3,
        })
        .map((members) => {
          const groups = new Map<string, string[]>();
          for (const [name, { meaning }] of members) groups.set(name, [...(groups.get(name) ?? []), meaning]);
          return {
            text: `{${members.map(([name, { text }]) => `"${name}" : ${text}`).join(', ')}}`,
            meaning: `map(${JSON.stringify([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))})`,
          };
        }),
    ),
  }));

  it('of JSON are the same exactly when its meaning is, order of members aside', () => {
    const seen = new Map<string, string>();
    const back = new Map<string, string>();
    fc.assert(
      fc.property(tree, ({ text, meaning }) => {
        const key = keyOf(json(text));
        expect(seen.get(meaning) ?? key, text).to.equal(key);
        expect(back.get(key) ?? meaning, text).to.equal(meaning);
        seen.set(meaning, key);
        back.set(key, meaning);
      }),
      { numRuns: 2000 },
    );
  });

  it('of other bytes are the same exactly when the bytes are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
        fc.constantFrom('x/y', 'text/plain', undefined),
        (a, b, type) => {
          expect(keyOf(post(Buffer.from(a), type)) === keyOf(post(Buffer.from(b), type))).to.equal(
            Buffer.compare(a, b) === 0,
          );
        },
      ),
    );
  });

  it('never throw, whatever a text or its type', () => {
    const type = fc.oneof(
      fc.constantFrom(
        JSON_TYPE,
        FORM_TYPE,
        'multipart/form-data; boundary=x',
        'multipart/mixed',
        'text/json;charset=utf-16',
        ';',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), type, (text, contentType) => {
        const given = {
          method: 'POST',
          url: 'http://h/',
          headers: Object.assign(Object.create(null), { 'content-type': contentType }),
          data: text,
          config: {} as never,
        };
        expect(keyOf(given)).to.have.length(64);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('keys of multipart bodies', () => {
  it('do not depend on the random boundary of form-data', () => {
    const fields: [string, unknown, object?][] = [
      ['a', '1'],
      ['file', Buffer.from([0, 255]), { filename: 'é.bin' }],
    ];
    expect(keyOf(post(nodeForm(fields)))).to.equal(keyOf(post(nodeForm(fields))));
  });

  it('are those of the same body already serialised', () => {
    const made = nodeForm([
      ['a', '1'],
      ['é', Buffer.from([0, 13, 10, 255]), { filename: 'ü.bin' }],
    ]);
    const headers = made.getHeaders();
    expect(keyOf(post(made.getBuffer(), headers['content-type']))).to.equal(keyOf(post(made)));
  });

  it('of form-data and FormData with the same texts are the same, as is what is sent', () => {
    expect(
      keyOf(
        post(
          nodeForm([
            ['a', '1'],
            ['b"', '2'],
          ]),
        ),
      ),
    ).to.equal(
      keyOf(
        post(
          specForm([
            ['a', '1'],
            ['b"', '2'],
          ]),
        ),
      ),
    );
  });

  it('tell custom header lines from the usual ones', () => {
    const usual = nodeForm([['a', '1']]);
    const custom = nodeForm([['a', '1', { header: 'Content-Disposition: form-data; name="a"\r\n\r\n' }]]);
    expect(keyOf(post(custom))).not.to.equal(keyOf(post(usual)));
    const own = (value: string) => {
      const made = new NodeFormData();
      made.append('a', value, { header: `\r\n--${made.getBoundary()}\r\nX: 1\r\n\r\n` });
      return post(made);
    };
    expect(keyOf(own('1'))).to.equal(keyOf(own('1')));
    expect(keyOf(own('1'))).not.to.equal(keyOf(own('2')));
  });

  const distinct: [string, string][][] = [
    [],
    [['a', '1']],
    [['a', '2']],
    [['b', '1']],
    [
      ['a', '1'],
      ['b', '2'],
    ],
    [
      ['b', '2'],
      ['a', '1'],
    ],
    [['a', '1\r\n--x\r\nContent-Disposition: form-data; name="b"\r\n\r\n2']],
    [
      ['a', '1'],
      ['a', '1'],
    ],
  ];
  it('differ by names, values and order', () => {
    expect(new Set(distinct.map((fields) => keyOf(post(specForm(fields))))).size).to.equal(distinct.length);
  });

  it('with Blobs are read late: name, type and bytes count', async () => {
    const file = (bytes: string, type: string, name = 'n') =>
      post(specForm([['f', new File([bytes], name, { type })]]));
    const key = await lateKeyOf(file('a', 'x/y'));
    expect(await lateKeyOf(file('a', 'x/y'))).to.equal(key);
    const others = await Promise.all(
      [file('b', 'x/y'), file('a', 'x/z'), file('a', 'x/y', 'm')].map((given) => lateKeyOf(given)),
    );
    expect(new Set([key, ...others]).size).to.equal(4);
  });

  it('of Blobs count bytes and type', async () => {
    const blob = (bytes: string, type: string) => lateKeyOf(post(new Blob([bytes], { type })));
    expect(await blob('a', 'x/y')).to.equal(await blob('a', 'x/y'));
    expect(new Set([await blob('a', 'x/y'), await blob('b', 'x/y'), await blob('a', 'x/z')]).size).to.equal(
      3,
    );
  });

  it('of malformed multipart texts are those of their bytes', () => {
    const type = 'multipart/form-data; boundary=x';
    const bodies = [
      '',
      '--x--',
      '--x\r\n',
      'preamble\r\n--x\r\n\r\na\r\n--x--\r\n',
      '--x\r\nno end of headers\r\n--x--\r\n',
      '--x\r\n\r\na\r\n--x--\r\n',
    ];
    expect(new Set(bodies.map((text) => keyOf(post(text, type)))).size).to.equal(bodies.length);
  });

  it('throw for a stream, which unkeyableReason sorts out', () => {
    expect(() => keyOf(post(Readable.from(['a'])))).to.throw(TypeError);
  });
});
