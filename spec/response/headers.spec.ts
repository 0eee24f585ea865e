import { expect } from 'chai';
import fc from 'fast-check';
import { AxiosHeaders } from '../../lib/axios.js';
import type { HeaderList } from '../../lib/record/record.js';
import { buildHeaders, copyHeaders, headerList } from '../../lib/response/headers.js';
import { Origin } from '../support/origin.js';
import { ask, configOf, isMirrored } from './support.js';

const AWKWARD = [
  'set',
  'get',
  'has',
  'delete',
  'constructor',
  'toJSON',
  'hasOwnProperty',
  '__proto__',
  '123',
  'X-Mixed-Case',
];

describe('response/headers: what the adapter gave', () => {
  for (const flavour of ['http', 'fetch'] as const) {
    it(`${flavour}: same names, case, order and arrays after a round trip`, async () => {
      const origin = await Origin.start((_req, res) => {
        for (const name of AWKWARD) res.setHeader(name, `value of ${name}`);
        res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2']);
        res.setHeader('Link', ['</a>; rel=x', '</b>; rel=y']);
        res.setHeader('X-Latin', 'gr\u00fc\u00dfe');
        res.setHeader('X-Empty', '');
        res.end('{}');
      });
      try {
        const response = await ask(flavour, configOf({ url: origin.url, responseType: 'arraybuffer' }));
        const network = AxiosHeaders.from(response.headers as AxiosHeaders);
        expect(network).to.equal(response.headers);
        const stored = JSON.parse(JSON.stringify(headerList(network))) as HeaderList;
        const ours = buildHeaders(stored);
        expect(ours).to.be.instanceOf(AxiosHeaders);
        expect(Object.entries(ours)).to.deep.equal(Object.entries(network));
        expect(ours.toJSON()).to.deep.equal(network.toJSON());
        expect(String(ours)).to.equal(String(network));
        expect([...ours]).to.deep.equal([...network]);
        expect(ours.get('Set-Cookie')).to.deep.equal(network.get('Set-Cookie'));
        expect(ours.get('CONTENT-LENGTH')).to.equal(network.get('Content-Length'));
        expect(ours.has('constructor')).to.equal(true);
        expect(Object.keys(ours.normalize(true))).to.deep.equal(Object.keys(network.normalize(true)));
      } finally {
        await origin.close();
      }
    });
  }

  it('is what the constructor would make, whatever the names', () => {
    const name = fc
      .oneof(fc.constantFrom(...AWKWARD), fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}$/))
      // Older axios loses its prototype to a header of that name.
      .filter((each) => isMirrored || each !== '__proto__');
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 }));
    const list = fc.uniqueArray(fc.tuple(name, value), {
      selector: ([each]) => each.toLowerCase(),
      maxLength: 12,
    });
    fc.assert(
      fc.property(list, (fields) => {
        const made = new AxiosHeaders(Object.fromEntries(fields));
        const ours = buildHeaders(headerList(made));
        expect(Object.entries(ours)).to.deep.equal(Object.entries(made));
        expect(Object.getPrototypeOf(ours)).to.equal(AxiosHeaders.prototype);
      }),
    );
  });
});

describe('response/headers: each caller its own', () => {
  const list: HeaderList = [
    ['content-type', 'text/plain'],
    ['set-cookie', ['a=1', 'b=2']],
  ];
  it('changes to one set reach neither the next nor the list', () => {
    const first = buildHeaders(list);
    first.set('content-type', 'spoilt');
    first.set('x-new', '1');
    (first.get('set-cookie') as string[]).push('c=3');
    expect(buildHeaders(list).toJSON()).to.deep.equal({
      'content-type': 'text/plain',
      'set-cookie': ['a=1', 'b=2'],
    });
    expect(list).to.deep.equal([
      ['content-type', 'text/plain'],
      ['set-cookie', ['a=1', 'b=2']],
    ]);
  });

  it('copies headers of any kind', () => {
    const original = new AxiosHeaders({ 'set-cookie': ['a=1'] });
    const copy = copyHeaders(original);
    (copy.get('set-cookie') as string[]).push('b=2');
    expect(original.get('set-cookie')).to.deep.equal(['a=1']);
    expect(copyHeaders(undefined)).to.be.instanceOf(AxiosHeaders);
  });
});

describe('response/headers: headerList', () => {
  const webHeaders = new Headers([
    ['X-A', '1'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  const cases: [string, unknown, HeaderList][] = [
    [
      'AxiosHeaders, without what is set to false',
      new AxiosHeaders({ a: '1', b: false, c: ['x'] }),
      [
        ['a', '1'],
        ['c', ['x']],
      ],
    ],
    ['headers of another copy of axios', { toJSON: () => ({ A: '1' }), get: () => '1' }, [['A', '1']]],
    [
      'a plain object with numbers',
      { 'Content-Length': 7, b: undefined, c: null },
      [['Content-Length', '7']],
    ],
    [
      'Headers',
      webHeaders,
      [
        ['set-cookie', ['a=1', 'b=2']],
        ['x-a', '1'],
      ],
    ],
    ['a Map', new Map([['a', '1']]), [['a', '1']]],
    ['undefined', undefined, []],
    ['null', null, []],
    ['a string', 'a: 1', []],
  ];
  for (const [name, headers, expected] of cases) {
    it(`reads ${name}`, () => expect(headerList(headers)).to.deep.equal(expected));
  }
});
