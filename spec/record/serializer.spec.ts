import { deserialize, serialize } from 'node:v8';
import { expect } from 'chai';
import { CacheRecordError } from '../../lib/errors.js';
import { createCodec, type RecordSerializer } from '../../lib/record/codec.js';
import { refused } from './refused.js';
import { codecOptions, hexSerializer, KEY, sampleIndex, sampleResponse } from './samples.js';

function codecWith(changes: Partial<Record<keyof RecordSerializer, unknown>>) {
  const serializer: RecordSerializer = Object.assign({ ...hexSerializer }, changes);
  return createCodec(codecOptions({ serializer }));
}

describe('a custom serializer', () => {
  it('may be that of node:v8', async () => {
    const codec = createCodec(codecOptions({ serializer: { encode: serialize, decode: deserialize } }));
    for (const record of [sampleResponse(), sampleIndex()]) {
      expect(await codec.decode(KEY, await codec.encode(KEY, record))).to.deep.equal(record);
    }
  });

  it('keeps its `this`', async () => {
    class Own implements RecordSerializer {
      calls = 0;
      encode(record: Parameters<RecordSerializer['encode']>[0]): Uint8Array {
        this.calls++;
        return hexSerializer.encode(record);
      }
      decode(bytes: Uint8Array) {
        this.calls++;
        return hexSerializer.decode(bytes);
      }
    }
    const own = new Own();
    const codec = createCodec(codecOptions({ serializer: own }));
    await codec.decode(KEY, await codec.encode(KEY, sampleResponse()));
    expect(own.calls).to.equal(2);
  });

  it('gets exactly the bytes that it made', async () => {
    const made = Buffer.from('not a record at all, \0 as far as we know');
    let got: Uint8Array | undefined;
    const codec = codecWith({
      encode: () => made,
      decode: (bytes: Uint8Array) => {
        got = Buffer.from(bytes);
        return sampleResponse();
      },
    });
    await codec.decode(KEY, await codec.encode(KEY, sampleResponse()));
    expect(got).to.deep.equal(made);
  });

  it('may make no bytes at all', async () => {
    const codec = codecWith({ encode: () => new Uint8Array(0), decode: () => sampleResponse() });
    expect(await codec.decode(KEY, await codec.encode(KEY, sampleResponse()))).to.deep.equal(
      sampleResponse(),
    );
  });

  it('ends in a CacheRecordError when it throws, with what it threw as the cause', async () => {
    const thrown = new TypeError('own trouble');
    const fail = () => {
      throw thrown;
    };
    expect((await refused(() => codecWith({ encode: fail }).encode(KEY, sampleResponse()))).cause).to.equal(
      thrown,
    );
    const bytes = await codecWith({}).encode(KEY, sampleResponse());
    expect((await refused(() => codecWith({ decode: fail }).decode(KEY, bytes))).cause).to.equal(thrown);
  });

  const notBytes: [string, unknown][] = [
    ['a string', 'text'],
    ['nothing', undefined],
    ['an array', [1, 2, 3]],
    ['an ArrayBuffer', new ArrayBuffer(4)],
  ];
  for (const [what, value] of notBytes) {
    it(`is refused when it encodes to ${what}`, async () => {
      await refused(() => codecWith({ encode: () => value }).encode(KEY, sampleResponse()));
    });
  }

  const { body: _body, ...bodiless } = sampleResponse();
  const noRecord: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'text'],
    ['an array', []],
    ['an empty object', {}],
    ['a record of another key', sampleResponse({ key: 'another' })],
    ['a record without body', bodiless],
    ['a body that is text', { ...bodiless, body: 'text' }],
    ['headers that are an object', { ...sampleResponse(), headers: { a: 'b' } }],
    ['headers with holes', { ...sampleResponse(), headers: new Array(2) }],
    ['redirects with holes', { ...sampleResponse(), redirects: new Array(2) }],
    ['an index with holes', { ...sampleIndex(), entries: new Array(2) }],
    ['an expiry of null', { ...sampleResponse(), expiresAt: null }],
    ['a date for a moment', { ...sampleResponse(), createdAt: new Date(0) }],
    [
      'a getter that throws',
      {
        get kind() {
          throw new Error('no');
        },
      },
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
    ],
  ];
  for (const [what, value] of noRecord) {
    it(`is refused when it decodes to ${what}`, async () => {
      const bytes = await codecWith({}).encode(KEY, sampleResponse());
      await refused(() => codecWith({ decode: () => value }).decode(KEY, bytes));
    });
  }

  it('is refused when it is async, its rejection unheard', async () => {
    const reject = () => Promise.reject(new Error('late'));
    await refused(() => codecWith({ encode: reject }).encode(KEY, sampleResponse()));
    const bytes = await codecWith({}).encode(KEY, sampleResponse());
    await refused(() => codecWith({ decode: reject }).decode(KEY, bytes));
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would end mocha here
  });

  it('gives nothing but the fields of a record', async () => {
    const own = { ...sampleResponse(), extra: 1, toJSON: () => 'x' };
    const bytes = await codecWith({}).encode(KEY, sampleResponse());
    const decoded = await codecWith({ decode: () => own }).decode(KEY, bytes);
    expect(decoded).to.deep.equal(sampleResponse());
  });

  it('is missed by a cache that does not have it', async () => {
    const bytes = await codecWith({}).encode(KEY, sampleResponse());
    for (const serializer of ['binary', 'json'] as const) {
      const codec = createCodec(codecOptions({ serializer }));
      expect(() => codec.decode(KEY, bytes)).to.throw(CacheRecordError, 'custom serializer');
    }
  });
});
