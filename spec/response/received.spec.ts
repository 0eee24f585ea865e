import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { bodyFor } from '../../lib/response/body.js';
import { type ReceivedBody, receivedBody } from '../../lib/response/received.js';

const text = (body: ReceivedBody | undefined) => body && Buffer.from(body.bytes).toString();

describe('response/received: bytes', () => {
  const view = new Uint8Array([0, 104, 105, 0]).subarray(1, 3);
  const cases: [string, unknown, ReceivedBody['flavour'], string][] = [
    ['a Buffer', Buffer.from('hi'), 'http', 'hi'],
    ['an ArrayBuffer', new TextEncoder().encode('hi').buffer, 'fetch', 'hi'],
    ['a part of an array', view, undefined, 'hi'],
    ['a DataView', new DataView(view.buffer, 1, 2), undefined, 'hi'],
    ['a string', 'grüße', undefined, 'grüße'],
    ['undefined', undefined, undefined, ''],
    ['null', null, undefined, ''],
    ['a Blob', new Blob(['hi']), 'fetch', 'hi'],
  ];
  for (const [name, data, flavour, expected] of cases) {
    it(`keeps ${name}`, async () => {
      const body = await receivedBody(data);
      expect(body).to.include({ bodyType: 'bytes', flavour });
      expect(text(body)).to.equal(expected);
    });
  }

  it('does not copy fresh bytes', () => {
    const data = Buffer.from('hi');
    expect(receivedBody(data, true)).to.have.property('bytes', data);
  });

  it('copies bytes that somebody may use again', () => {
    for (const data of [Buffer.from('hi'), new Uint8Array([104, 105]).buffer, Uint8Array.of(104, 105)]) {
      const body = receivedBody(data);
      if (body === undefined || body instanceof Promise) throw new Error('no bytes');
      new Uint8Array(ArrayBuffer.isView(data) ? data.buffer : data).fill(0);
      expect(text(body)).to.equal('hi');
      expect(body.bytes.buffer.byteLength).to.equal(2);
    }
  });
});

describe('response/received: values of mock adapters', () => {
  const kept: [string, unknown][] = [
    ['an object', { a: 1, b: [null, true, 'x'], c: { d: {} } }],
    ['an array', [1, 2]],
    ['a number', 5],
    ['false', false],
    ['an own __proto__', JSON.parse('{"__proto__":{"a":1}}')],
  ];
  for (const [name, data] of kept) {
    it(`keeps ${name} as JSON`, async () => {
      const body = await receivedBody(data);
      if (body === undefined) throw new Error('not kept');
      expect(body.bodyType).to.equal('json');
      expect(bodyFor({ body: body.bytes, bodyType: 'json' }, {}, 'http')).to.deep.equal(data);
    });
  }

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const refused: [string, unknown][] = [
    ['a stream', Readable.from(['x'])],
    ['a web stream', new ReadableStream()],
    ['a FormData', new FormData()],
    ['URLSearchParams', new URLSearchParams('a=1')],
    ['a Map', new Map()],
    ['a Date', new Date(0)],
    [
      'a class instance',
      new (class Point {
        x = 1;
      })(),
    ],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a BigInt', 1n],
    ['a cycle', cycle],
    ['a Date inside', { at: new Date(0) }],
    ['undefined inside', { a: undefined }],
    ['NaN inside', [Number.NaN]],
    ['minus zero', -0],
    ['a hole', Object.assign(Array(3), { 0: 1, 2: 2 })],
    ['a symbol key', { [Symbol('x')]: 1 }],
    [
      'a throwing getter',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    ['a toJSON', { toJSON: () => ({}) }],
  ];
  for (const [name, data] of refused) {
    it(`does not keep ${name}`, async () => expect(await receivedBody(data)).to.equal(undefined));
  }

  it('keeps a value exactly or not at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.object({ withDate: true, withSparseArray: true, withNullPrototype: true }),
          fc.array(fc.anything()),
        ),
        (data) => {
          const body = receivedBody(data);
          if (body === undefined || body instanceof Promise) return;
          expect(bodyFor({ body: body.bytes, bodyType: body.bodyType }, {}, 'http')).to.deep.equal(data);
        },
      ),
    );
  });
});
