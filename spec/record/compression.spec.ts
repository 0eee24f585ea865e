import * as zlib from 'node:zlib';
import { expect } from 'chai';
import { CacheOptionError } from '../../lib/errors.js';
import { createCodec } from '../../lib/record/codec.js';
import {
  assertCompression,
  type CompressionAlgorithm,
  compress,
  expand,
} from '../../lib/record/compression.js';
import { refused } from './refused.js';
import { codecOptions, compressibleBody, KEY, sampleIndex, sampleResponse } from './samples.js';

const hasZstd = 'zstdCompressSync' in zlib;
const algorithms: CompressionAlgorithm[] = hasZstd ? ['gzip', 'brotli', 'zstd'] : ['gzip', 'brotli'];
const small = compressibleBody(1500);
const large = compressibleBody(1_000_000);

describe('compression', () => {
  for (const algorithm of algorithms) {
    const codec = createCodec(codecOptions({ compression: { algorithm, threshold: 1024 } }));
    const plain = createCodec(codecOptions());

    describe(algorithm, () => {
      it('makes a large record much smaller', async () => {
        const bytes = await codec.encode(KEY, sampleResponse({ body: large }));
        expect(bytes.length).to.be.below(large.length / 50);
      });

      it('works at once on a small body and aside on a large one', async () => {
        const bytes = codec.encode(KEY, sampleResponse({ body: small }));
        expect(bytes).not.to.be.instanceOf(Promise);
        expect(codec.decode(KEY, await bytes)).not.to.be.instanceOf(Promise);
        const much = codec.encode(KEY, sampleResponse({ body: large }));
        expect(much).to.be.instanceOf(Promise);
        const record = codec.decode(KEY, await much);
        expect(record).to.be.instanceOf(Promise);
        expect(await record).to.deep.equal(sampleResponse({ body: large }));
      });

      it('leaves bodies below the threshold and indices alone', async () => {
        for (const record of [sampleResponse({ body: small.subarray(0, 1023) }), sampleIndex()]) {
          expect(Buffer.compare(await codec.encode(KEY, record), await plain.encode(KEY, record))).to.equal(
            0,
          );
        }
        const at = sampleResponse({ body: small.subarray(0, 1024) });
        expect((await codec.encode(KEY, at)).length).to.be.below((await plain.encode(KEY, at)).length);
      });

      it('stores as it is what would hardly become smaller', async () => {
        for (const bytes of [20_000, 300_000]) {
          const record = sampleResponse({ body: noise(bytes) });
          expect(Buffer.compare(await codec.encode(KEY, record), await plain.encode(KEY, record))).to.equal(
            0,
          );
        }
      });

      it('is read by a cache without compression', async () => {
        const record = sampleResponse({ body: large });
        expect(await plain.decode(KEY, await codec.encode(KEY, record))).to.deep.equal(record);
      });

      it('stops at the length that the record states', async () => {
        for (const body of [small, large]) {
          const packed = await compress(algorithm, body);
          if (packed === undefined) throw new Error('unreachable');
          expect(Buffer.compare(await expand(algorithm, packed, body.length), body)).to.equal(0);
          for (const length of [0, 1, body.length - 1, body.length + 1, 2 ** 30, 2 ** 32 - 1]) {
            let failure: unknown;
            try {
              await expand(algorithm, packed, length);
            } catch (error) {
              failure = error;
            }
            expect(failure, String(length)).to.be.instanceOf(Error);
          }
        }
      });

      it('turns a bomb into a CacheRecordError, whatever length it states', async () => {
        const bytes = Buffer.from(await codec.encode(KEY, sampleResponse({ body: large })));
        for (const stated of [0, 1, 1000, large.length, 500_000_000, 0xffffffff]) {
          const bomb = Buffer.from(bytes);
          bomb.writeUInt32LE(stated, 12);
          bomb.writeUInt32LE(zlib.crc32(bomb.subarray(8)), 4);
          await refused(() => codec.decode(KEY, bomb), `a stated length of ${stated}`);
        }
      });
    });
  }

  if (!hasZstd) {
    it('misses a zstd record where Node has no zstd', async () => {
      const bytes = Buffer.from(await createCodec(codecOptions()).encode(KEY, sampleResponse()));
      bytes[9] = 3;
      bytes.writeUInt32LE(zlib.crc32(bytes.subarray(8)), 4);
      const { message } = await refused(() => createCodec(codecOptions()).decode(KEY, bytes));
      expect(message).to.include('zstd');
    });
  }
});

describe('assertCompression', () => {
  const accepted: [unknown, unknown][] = [
    [undefined, false],
    [false, false],
    ['gzip', { algorithm: 'gzip', threshold: 1024 }],
    ['brotli', { algorithm: 'brotli', threshold: 1024 }],
    [{ algorithm: 'gzip' }, { algorithm: 'gzip', threshold: 1024 }],
    [
      { algorithm: 'brotli', threshold: 0 },
      { algorithm: 'brotli', threshold: 0 },
    ],
    [
      { algorithm: 'gzip', threshold: undefined },
      { algorithm: 'gzip', threshold: 1024 },
    ],
  ];
  for (const [value, expected] of accepted) {
    it(`takes ${JSON.stringify(value)}`, () => {
      expect(assertCompression('compression', value)).to.deep.equal(expected);
    });
  }

  const wrong = [true, null, 1, '', 'GZIP', 'deflate', [], {}, { threshold: 5 }, { algorithm: 'lz4' }];
  const wrongThresholds = [-1, Number.NaN, '1024', null].map((threshold) => ({
    algorithm: 'gzip',
    threshold,
  }));
  for (const value of [...wrong, ...wrongThresholds, { algorithm: 'gzip', level: 9 }]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      expect(() => assertCompression('compression', value)).to.throw(CacheOptionError, 'compression');
    });
  }

  it(`${hasZstd ? 'takes' : 'refuses, saying which Node has it,'} zstd`, () => {
    if (hasZstd) {
      expect(assertCompression('compression', 'zstd')).to.deep.equal({ algorithm: 'zstd', threshold: 1024 });
    } else {
      expect(() => assertCompression('compression', 'zstd')).to.throw(CacheOptionError, 'Node 22.15');
    }
  });
});

/** Incompressible and the same in every run (a xorshift generator). */
function noise(bytes: number): Buffer {
  let state = 0x2545f491;
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state;
    }),
  );
}
