import { expect } from 'chai';
import fc from 'fast-check';
import { createCodec } from '../../lib/record/codec.js';
import type { ResponseRecord } from '../../lib/record/record.js';
import { anyRecord } from './arbitrary.js';
import { refused } from './refused.js';
import {
  CONFIGURATIONS,
  codecOptions,
  compressibleBody,
  hexSerializer,
  KEY,
  sampleIndex,
  sampleResponse,
} from './samples.js';

describe('record codec', () => {
  for (const [name, options] of CONFIGURATIONS) {
    describe(name, () => {
      const codec = createCodec(options);

      it('gives every record back exactly as it was', async () => {
        await fc.assert(
          fc.asyncProperty(anyRecord, async (record) => {
            // The hex serializer is the test's own: JSON, so all of these survive it as well.
            const bytes = await codec.encode(record.key, record);
            expect(await codec.decode(record.key, bytes)).to.deep.equal(record);
          }),
          { numRuns: 200 },
        );
      });

      it('keeps a body of every byte value', async () => {
        const body = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
        const record = sampleResponse({ body });
        expect(await codec.decode(KEY, await codec.encode(KEY, record))).to.deep.equal(record);
      });

      it('refuses a record that lies under another key', async () => {
        const bytes = await codec.encode(KEY, sampleResponse());
        await refused(() => codec.decode(`${KEY.slice(0, -1)}9`, bytes));
      });

      it('refuses to write a record under another key', async () => {
        await refused(() => codec.encode('another', sampleResponse()));
      });

      it('leaves the record and the bytes as they were', async () => {
        const record = sampleResponse({ body: compressibleBody() });
        const bytes = await codec.encode(KEY, record);
        const copy = Buffer.from(bytes);
        await codec.decode(KEY, bytes);
        expect(record).to.deep.equal(sampleResponse({ body: compressibleBody() }));
        expect(copy.equals(bytes)).to.equal(true);
      });

      it('reads bytes that are a bare Uint8Array in the middle of a larger one', async () => {
        const bytes = await codec.encode(KEY, sampleResponse());
        const larger = new Uint8Array(bytes.length + 20).fill(7);
        larger.set(bytes, 9);
        const decoded = await codec.decode(KEY, larger.subarray(9, 9 + bytes.length));
        expect(decoded).to.deep.equal(sampleResponse());
      });

      if (options.encryptionKey === undefined) {
        it('makes equal bytes of equal records', async () => {
          const one = await codec.encode(KEY, sampleResponse());
          const reversed = Object.fromEntries(Object.entries(sampleResponse()).reverse());
          const two = await createCodec(options).encode(KEY, { ...sampleResponse(), ...reversed });
          expect(Buffer.compare(one, two)).to.equal(0);
        });
      } else {
        it('never makes the same bytes twice', async () => {
          const one = await codec.encode(KEY, sampleResponse());
          const two = await codec.encode(KEY, sampleResponse());
          expect(Buffer.compare(one, two)).not.to.equal(0);
        });
      }
    });
  }

  it('gives a hit of the plain binary format at once, its body a view on the bytes', () => {
    const codec = createCodec(codecOptions());
    const bytes = codec.encode(KEY, sampleResponse({ body: compressibleBody() }));
    expect(bytes).to.be.instanceOf(Uint8Array);
    if (bytes instanceof Promise) throw new Error('unreachable');
    const record = codec.decode(KEY, bytes);
    expect(record).to.have.property('kind', 'response');
    if (record instanceof Promise || record.kind !== 'response') throw new Error('unreachable');
    expect(record.body.buffer).to.equal(bytes.buffer);
  });

  it('reads binary and json records whichever of them is set', async () => {
    const written = await Promise.all(
      CONFIGURATIONS.filter(([, { secretKey, encryptionKey }]) => !secretKey && !encryptionKey)
        .filter(([, { serializer }]) => typeof serializer === 'string')
        .map(async ([, options]) => createCodec(options).encode(KEY, sampleResponse())),
    );
    for (const serializer of ['binary', 'json', hexSerializer] as const) {
      const codec = createCodec(codecOptions({ serializer }));
      for (const bytes of written) expect(await codec.decode(KEY, bytes)).to.deep.equal(sampleResponse());
    }
  });

  for (const [name, options] of CONFIGURATIONS.slice(0, 6)) {
    it(`keeps a body of 20 MB (${name})`, async () => {
      const body = Buffer.alloc(20_000_000, name === 'custom' ? 'text' : Buffer.from([1, 2, 3, 250, 0]));
      const codec = createCodec(options);
      const record = await codec.decode(KEY, await codec.encode(KEY, sampleResponse({ body })));
      expect(record.kind === 'response' && body.equals(record.body)).to.equal(true);
    });
  }

  it('refuses what is not bytes', async () => {
    const codec = createCodec(codecOptions());
    for (const value of [undefined, null, 'text', 5, {}, [1, 2], new DataView(new ArrayBuffer(8))]) {
      await refused(() => Reflect.apply(codec.decode, codec, [KEY, value]));
    }
  });

  const unwritable: [string, Partial<Record<keyof ResponseRecord, unknown>>][] = [
    ['a kind that does not exist', { kind: 'other' }],
    ['a moment that is no number', { createdAt: Number.NaN }],
    ['an expiry without end', { expiresAt: Number.POSITIVE_INFINITY }],
    ['a broken status', { status: 200.5 }],
    ['a header value that is no string', { headers: [['x', 5]] }],
    ['a missing list', { redirects: undefined }],
  ];
  for (const serializer of ['binary', 'json'] as const) {
    for (const [what, changes] of unwritable) {
      it(`refuses to write ${what} (${serializer})`, async () => {
        const codec = createCodec(codecOptions({ serializer }));
        await refused(() => Reflect.apply(codec.encode, codec, [KEY, { ...sampleResponse(), ...changes }]));
      });
    }
  }

  it('takes an expiry that is there but undefined for none', async () => {
    const { expiresAt: _, ...never } = sampleResponse();
    for (const serializer of ['binary', 'json'] as const) {
      const codec = createCodec(codecOptions({ serializer }));
      const bytes = await Reflect.apply(codec.encode, codec, [KEY, { ...never, expiresAt: undefined }]);
      expect(await codec.decode(KEY, bytes)).to.deep.equal(never);
    }
  });

  it('writes an index as small as its text', async () => {
    const bytes = await createCodec(codecOptions()).encode(KEY, sampleIndex());
    expect(bytes.length).to.be.below(JSON.stringify(sampleIndex()).length);
  });
});
