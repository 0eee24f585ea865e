import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import { CacheOptionError } from '../../lib/errors.js';
import { createCodec } from '../../lib/record/codec.js';
import { assertEncryptionKey, assertSecretKey } from '../../lib/record/keys.js';
import type { ResponseRecord } from '../../lib/record/record.js';
import { refused } from './refused.js';
import {
  CONFIGURATIONS,
  codecOptions,
  compressibleBody,
  ENCRYPTION_KEY,
  KEY,
  SECRET,
  sampleIndex,
  sampleResponse,
} from './samples.js';

const otherKey = Buffer.alloc(32, 5);
const record = sampleResponse({ body: compressibleBody() });

describe('seals', () => {
  describe('rotation', () => {
    it('signs with the first secret and verifies with all of them', async () => {
      const before = createCodec(codecOptions({ secretKey: ['old'] }));
      const during = createCodec(codecOptions({ secretKey: ['new', 'old'] }));
      const after = createCodec(codecOptions({ secretKey: ['new'] }));
      const old = await before.encode(KEY, record);
      expect(await during.decode(KEY, old)).to.deep.equal(record);
      expect(await after.decode(KEY, await during.encode(KEY, record))).to.deep.equal(record);
      await refused(() => after.decode(KEY, old));
    });

    it('encrypts with the first key and decrypts with all of them', async () => {
      const before = createCodec(codecOptions({ encryptionKey: [otherKey] }));
      const during = createCodec(codecOptions({ encryptionKey: [ENCRYPTION_KEY, otherKey] }));
      const after = createCodec(codecOptions({ encryptionKey: [ENCRYPTION_KEY] }));
      const old = await before.encode(KEY, record);
      expect(await during.decode(KEY, old)).to.deep.equal(record);
      expect(await after.decode(KEY, await during.encode(KEY, record))).to.deep.equal(record);
      await refused(() => after.decode(KEY, old));
    });

    it('takes a string and the Buffer of its UTF-8 for the same secret', async () => {
      const text = createCodec(codecOptions({ secretKey: ['\u00fc secret'] }));
      const bytes = createCodec(codecOptions({ secretKey: [Buffer.from('\u00fc secret')] }));
      expect(await bytes.decode(KEY, await text.encode(KEY, record))).to.deep.equal(record);
    });

    it('is not moved by what the caller does to the key afterwards', async () => {
      const key = Buffer.from(ENCRYPTION_KEY);
      const codec = createCodec(codecOptions({ encryptionKey: [key] }));
      const bytes = await codec.encode(KEY, record);
      key.fill(0);
      expect(await codec.decode(KEY, bytes)).to.deep.equal(record);
    });
  });

  it('refuses every record whose seals are not exactly the ones asked for', async () => {
    const seals = [{}, { secretKey: [SECRET] }, { encryptionKey: [ENCRYPTION_KEY] }];
    const all = [...seals, { secretKey: [SECRET], encryptionKey: [ENCRYPTION_KEY] }];
    for (const written of all) {
      for (const serializer of ['binary', 'json'] as const) {
        const bytes = await createCodec(codecOptions({ ...written, serializer })).encode(KEY, record);
        for (const read of all.filter((seal) => seal !== written)) {
          await refused(() => createCodec(codecOptions(read)).decode(KEY, bytes));
        }
      }
    }
  });

  it('covers the expiry: a record with its expiry changed does not verify', async () => {
    // Signed but not encrypted, so that the moment can be found and the checksum put right; see damage.spec.ts.
    const codec = createCodec(codecOptions({ secretKey: [SECRET] }));
    const plain = createCodec(codecOptions());
    const signed = Buffer.from(await codec.encode(KEY, record));
    const later = Buffer.from(
      await plain.encode(KEY, { ...record, expiresAt: Number(record.expiresAt) + 1 }),
    );
    later.copy(signed, 16, 16); // everything between header and HMAC
    const { message } = await refused(() => codec.decode(KEY, rightChecksum(signed)));
    expect(message).to.include('secretKey');
  });

  it('binds the key: a sealed record moved to another key is refused by the seal itself', async () => {
    for (const seal of [{ secretKey: [SECRET] }, { encryptionKey: [ENCRYPTION_KEY] }]) {
      const codec = createCodec(codecOptions(seal));
      const { message } = await refused(async () =>
        codec.decode('elsewhere', await codec.encode(KEY, record)),
      );
      expect(message).to.include('for another key');
    }
  });

  const telling: [string, string][] = [
    ['the URL', 'api.example.com'],
    ['the key', KEY],
    ['a header name', 'Set-Cookie'],
    ['a header value', 'HttpOnly'],
    ['the body', 'a name that repeats'],
    ['the request body', 'query'],
    ['the vary digest', '2c26b46b68ffc68f'],
    ['the status text', 'Non-Authoritative'],
  ];
  for (const [name, options] of CONFIGURATIONS.filter(
    ([, { encryptionKey }]) => encryptionKey !== undefined,
  )) {
    it(`leaves nothing readable with an encryptionKey (${name})`, async () => {
      const bytes = Buffer.from(await createCodec(options).encode(KEY, record));
      const index = Buffer.from(await createCodec(options).encode(KEY, sampleIndex()));
      for (const [what, text] of telling) {
        for (const encoding of ['latin1', 'utf16le', 'hex', 'base64'] as const) {
          const needle =
            encoding === 'hex' || encoding === 'base64' ? Buffer.from(text).toString(encoding) : text;
          const needleBytes = Buffer.from(needle, encoding === 'utf16le' ? 'utf16le' : 'latin1');
          expect(bytes.includes(needleBytes), `${what} as ${encoding}`).to.equal(false);
          expect(index.includes(needleBytes), `${what} as ${encoding}`).to.equal(false);
        }
      }
    });
  }

  it('seals large and empty bodies alike', async () => {
    for (const [, options] of CONFIGURATIONS.slice(-4)) {
      for (const body of [Buffer.alloc(0), compressibleBody(3_000_000)]) {
        const codec = createCodec(options);
        const decoded = await codec.decode(KEY, await codec.encode(KEY, { ...record, body }));
        expect(Buffer.compare((decoded as ResponseRecord).body, body)).to.equal(0);
      }
    }
  });
});

describe('assertSecretKey', () => {
  it('makes a list of one secret or several', () => {
    const bytes = new Uint8Array([1]);
    expect(assertSecretKey('secretKey', undefined)).to.equal(undefined);
    expect(assertSecretKey('secretKey', 'a')).to.deep.equal(['a']);
    expect(assertSecretKey('secretKey', ['a', bytes])).to.deep.equal(['a', bytes]);
  });

  for (const value of ['', new Uint8Array(0), [], [''], ['a', undefined], new Array(1), 5, null, true, {}]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      expect(() => assertSecretKey('secretKey', value)).to.throw(CacheOptionError, 'secretKey');
    });
  }
});

describe('assertEncryptionKey', () => {
  it('makes a list of one key or several', () => {
    expect(assertEncryptionKey('encryptionKey', undefined)).to.equal(undefined);
    expect(assertEncryptionKey('encryptionKey', otherKey)).to.deep.equal([otherKey]);
    expect(assertEncryptionKey('encryptionKey', [otherKey, ENCRYPTION_KEY])).to.have.length(2);
  });

  for (const value of [
    'x'.repeat(32),
    Buffer.alloc(31),
    Buffer.alloc(33),
    [],
    [Buffer.alloc(16)],
    5,
    null,
    {},
  ]) {
    it(`refuses ${JSON.stringify(value).slice(0, 40)}`, () => {
      expect(() => assertEncryptionKey('encryptionKey', value)).to.throw(CacheOptionError, 'encryptionKey');
    });
  }

  it('never shows a key in its error', () => {
    const secrets = ['hunter2hunter2', [Buffer.from('hunter2hunter2')], { key: 'hunter2hunter2' }];
    for (const value of secrets) {
      try {
        assertEncryptionKey('encryptionKey', value);
      } catch (error) {
        expect(String(error)).not.to.match(/hunter2|68 75 6e/);
        expect(JSON.stringify(error)).not.to.match(/hunter2|104,117/);
      }
    }
  });
});

function rightChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}
