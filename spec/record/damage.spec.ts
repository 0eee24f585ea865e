import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { CacheRecordError } from '../../lib/errors.js';
import { createCodec } from '../../lib/record/codec.js';
import type { StoreRecord } from '../../lib/record/record.js';
import { refused } from './refused.js';
import {
  CONFIGURATIONS,
  codecOptions,
  compressibleBody,
  KEY,
  sampleIndex,
  sampleResponse,
} from './samples.js';

const MASKS = [0x01, 0x20, 0x80, 0xff];
/** Compresses, but is short enough to damage every byte of. */
const records: [string, StoreRecord][] = [
  ['response', sampleResponse({ body: compressibleBody(400) })],
  ['index', sampleIndex()],
];

describe('damaged records', () => {
  for (const [name, options] of CONFIGURATIONS) {
    const codec = createCodec(options);
    for (const [kind, record] of records) {
      it(`refuses the ${kind} with any byte changed (${name})`, async () => {
        const bytes = Buffer.from(await codec.encode(KEY, record));
        for (let at = 0; at < bytes.length; at++) {
          for (const mask of MASKS) {
            const damaged = Buffer.from(bytes);
            damaged[at] = (damaged[at] ?? 0) ^ mask;
            await refused(() => codec.decode(KEY, damaged), `byte ${at} ^ ${mask}`);
          }
        }
      });

      it(`refuses the ${kind} cut short anywhere (${name})`, async () => {
        const bytes = Buffer.from(await codec.encode(KEY, record));
        for (let length = 0; length < bytes.length; length++) {
          await refused(() => codec.decode(KEY, bytes.subarray(0, length)), `the first ${length} bytes`);
        }
      });

      it(`refuses the ${kind} with bytes after its end (${name})`, async () => {
        const bytes = await codec.encode(KEY, record);
        for (const tail of ['\0', ' ', '}', '0123456789abcdef0123456789abcdef']) {
          await refused(
            () => codec.decode(KEY, Buffer.concat([bytes, Buffer.from(tail)])),
            `a tail of "${tail}"`,
          );
        }
      });
    }

    it(`refuses any bytes that are not a record (${name})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array(),
            fc.json().map((text) => Buffer.from(text)),
          ),
          async (bytes) => {
            await refused(() => codec.decode(KEY, bytes));
          },
        ),
      );
    });
  }
});

/** What an attacker can do to an unsigned record, or a bug to any: the content changed and the checksum put right. */
describe('hostile records with a right checksum', () => {
  const codec = createCodec(codecOptions());

  for (const [name, options] of CONFIGURATIONS.filter(([name]) => !name.includes('json'))) {
    for (const [kind, record] of records) {
      it(`ends in a record or a CacheRecordError, and soon, whatever was changed in the ${kind} (${name})`, async () => {
        const own = createCodec(options);
        const bytes = Buffer.from(await own.encode(KEY, record));
        const change = fc.tuple(
          fc.integer({ min: 8, max: bytes.length - 1 }),
          fc.integer({ min: 0, max: 255 }),
        );
        await fc.assert(
          fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
            const changed = Buffer.from(bytes);
            for (const [at, value] of changes) changed[at] = value;
            try {
              expect(await own.decode(KEY, rightChecksum(changed))).to.have.property('key', KEY);
            } catch (error) {
              if (!(error instanceof CacheRecordError)) throw error;
            }
          }),
          { numRuns: 500 },
        );
      });
    }
  }

  const lengths: [string, number][] = [
    ['numbers', 16],
    ['moments', 20],
    ['text', 24],
  ];
  for (const [what, at] of lengths) {
    for (const value of [0, 1, 0x7fffffff, 0xffffffff]) {
      it(`refuses ${value} as the length of its ${what}`, async () => {
        const bytes = Buffer.from(await codec.encode(KEY, sampleResponse()));
        bytes.writeUInt32LE(value, at);
        await refused(() => codec.decode(KEY, rightChecksum(bytes)));
      });
    }
  }

  it('refuses a count of billions without making room for it', async () => {
    const bytes = Buffer.from(await codec.encode(KEY, sampleIndex()));
    const numbers = 16 + 13 + bytes.readUInt32LE(20) * 8;
    // After the kind and the two strings stands the number of entries; the varint runs over what follows it.
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]).copy(bytes, numbers + 3);
    await refused(() => codec.decode(KEY, rightChecksum(bytes)));
  });

  it('refuses a number that never ends', async () => {
    const bytes = Buffer.from(await codec.encode(KEY, sampleIndex()));
    const numbers = 16 + 13 + bytes.readUInt32LE(20) * 8;
    bytes.fill(0xff, numbers, numbers + bytes.readUInt32LE(16));
    await refused(() => codec.decode(KEY, rightChecksum(bytes)));
  });

  it('refuses a moment that is no number', async () => {
    const bytes = Buffer.from(await codec.encode(KEY, sampleResponse()));
    bytes.writeDoubleLE(Number.NaN, 16 + 13);
    await refused(() => codec.decode(KEY, rightChecksum(bytes)));
  });

  it('calls a format above its own newer, in binary and in json', async () => {
    const binary = Buffer.from(await codec.encode(KEY, sampleResponse()));
    binary[3] = 2;
    const json = String(
      await createCodec(codecOptions({ serializer: 'json' })).encode(KEY, sampleResponse()),
    );
    const newer = Buffer.from(json.replace('{"axios-stash":1,', '{"axios-stash":12,'));
    expect((await refused(() => codec.decode(KEY, binary))).message).to.include('newer');
    expect((await refused(() => codec.decode(KEY, newer))).message).to.include('newer');
  });

  it('calls a newer format newer even where its header has another shape', async () => {
    const { message } = await refused(() => codec.decode(KEY, Buffer.from([0x93, 0x41, 0x53, 9])));
    expect(message).to.include('newer');
  });

  it('refuses a json record of wrong types whose checksum is right', async () => {
    const json = createCodec(codecOptions({ serializer: 'json' }));
    const text = String(await json.encode(KEY, sampleResponse()));
    const changes: [string, string][] = [
      ['"status":203', '"status":"203"'],
      ['"status":203', '"status":-1'],
      ['"kind":"response"', '"kind":"index"'],
      ['"kind":"response"', '"kind":"__proto__"'],
      ['"flavour":"fetch"', '"flavour":"toString"'],
      ['"createdAt":1700000000000', '"createdAt":1e999'],
      ['"redirects":[', '"redirects":[null,'],
      ['"headers":[', '"headers":[["x"],'],
      ['"headers":[', '"headers":[["x","y","z"],'],
      ['"headers":[', '"headers":[["x",{}],'],
      ['"bodyBase64":', '"bodyText":'],
    ];
    for (const [from, to] of changes) {
      expect(text).to.include(from);
      await refused(() => json.decode(KEY, rightJsonChecksum(text.replaceAll(from, to))), to);
    }
  });

  it('keeps __proto__ in json what it is: data', async () => {
    const json = createCodec(codecOptions({ serializer: 'json' }));
    const text = String(await json.encode(KEY, sampleResponse()));
    const polluting = text.replace('"kind":', '"__proto__":{"polluted":true,"expiresAt":1},"kind":');
    const record = await json.decode(KEY, rightJsonChecksum(polluting));
    expect(record).to.deep.equal(sampleResponse());
    expect(Object.getPrototypeOf(record)).to.equal(Object.prototype);
    expect(record).not.to.have.property('polluted');
    expect({}).not.to.have.property('polluted');
  });

  it('stands json nested a hundred thousand deep', async () => {
    const json = createCodec(codecOptions({ serializer: 'json' }));
    const text = String(await json.encode(KEY, sampleResponse()));
    const deep = text.replace('"kind":', `"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},"kind":`);
    try {
      expect(await json.decode(KEY, rightJsonChecksum(deep))).to.deep.equal(sampleResponse());
    } catch (error) {
      if (!(error instanceof CacheRecordError)) throw error;
    }
  });
});

function rightChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function rightJsonChecksum(text: string): Buffer {
  const [opening = '', checksum = ''] = /^\{"axios-stash":1,"crc32":"(.{8})",/.exec(text) ?? [];
  const right = crc32(text.slice(opening.length)).toString(16).padStart(8, '0');
  return Buffer.from(text.replace(checksum, right));
}
