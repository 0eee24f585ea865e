import * as zlib from 'node:zlib';
import type { CodecOptions, RecordSerializer } from '../../lib/record/codec.js';
import type { IndexRecord, ResponseRecord } from '../../lib/record/record.js';

export const KEY = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
export const SECRET = 'a secret that signs';
export const ENCRYPTION_KEY = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7));

/** Every field set, with what is hard to keep: repeated headers, Latin-1 and a lone surrogate, bytes of no text. */
export function sampleResponse(changes: Partial<ResponseRecord> = {}): ResponseRecord {
  return {
    kind: 'response',
    key: KEY,
    request: {
      method: 'POST',
      url: 'https://api.example.com/search?q=caf%C3%A9&token=REDACTED',
      headers: [
        ['Accept', 'application/json'],
        ['Authorization', 'REDACTED'],
      ],
      data: '{"query":"naïve \ud83d\ude00 \ud800"}',
    },
    status: 203,
    statusText: 'Non-Authoritative Information',
    headers: [
      ['Content-Type', 'application/octet-stream'],
      ['Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']],
      ['X-Latin', 'caf\u00e9'],
      ['__proto__', 'polluted'],
      ['X-None', []],
    ],
    url: 'https://api.example.com/found',
    redirects: ['https://api.example.com/search?q=caf%C3%A9&token=REDACTED'],
    createdAt: 1_700_000_000_000,
    requestTime: 1_700_000_000_000.25,
    responseTime: 1_700_000_000_125,
    expiresAt: 1_700_000_360_000,
    vary: [['accept-language', '2c26b46b68ffc68f']],
    flavour: 'fetch',
    bodyType: 'bytes',
    body: Buffer.from([0, 255, 128, 254, 10, 13, 0, 195, 40]),
    ...changes,
  };
}

export function sampleIndex(): IndexRecord {
  return {
    kind: 'index',
    key: KEY,
    url: 'https://api.example.com/varied',
    createdAt: 1_700_000_000_000,
    entries: [
      { key: 'variant-1', vary: [['accept', 'abc']], storedAt: 1_700_000_000_000 },
      {
        key: 'variant-2',
        vary: [],
        redirects: ['https://api.example.com/a', 'https://api.example.com/b'],
        etag: 'W/"\u00fc"',
        storedAt: 1_700_000_001_000.5,
        expiresAt: 1_700_000_002_000,
      },
    ],
  };
}

/** A body that compresses, long enough for every threshold in use. */
export function compressibleBody(bytes = 3000): Buffer {
  return Buffer.alloc(bytes, '{"id":1,"name":"a name that repeats"},');
}

/** A custom serializer that is not one of ours: JSON with the body in hex. */
export const hexSerializer: RecordSerializer = {
  encode(record) {
    const plain =
      record.kind === 'response' ? { ...record, body: Buffer.from(record.body).toString('hex') } : record;
    return Buffer.from(JSON.stringify(plain));
  },
  decode(bytes) {
    const plain = JSON.parse(Buffer.from(bytes).toString());
    return plain.kind === 'response' ? { ...plain, body: Buffer.from(plain.body, 'hex') } : plain;
  },
};

export function codecOptions(changes: Partial<CodecOptions> = {}): CodecOptions {
  return { serializer: 'binary', compression: false, ...changes };
}

/** One of each way that a record may lie in a store. */
export const CONFIGURATIONS: readonly [name: string, options: CodecOptions][] = [
  ['binary', codecOptions()],
  ['json', codecOptions({ serializer: 'json' })],
  ['custom', codecOptions({ serializer: hexSerializer })],
  ['gzip', codecOptions({ compression: { algorithm: 'gzip', threshold: 0 } })],
  ['brotli', codecOptions({ compression: { algorithm: 'brotli', threshold: 0 } })],
  ...zstdConfiguration(),
  ['json-gzip', codecOptions({ serializer: 'json', compression: { algorithm: 'gzip', threshold: 0 } })],
  ['signed', codecOptions({ secretKey: [SECRET] })],
  ['json-signed', codecOptions({ serializer: 'json', secretKey: [SECRET] })],
  ['encrypted', codecOptions({ encryptionKey: [ENCRYPTION_KEY] })],
  [
    'everything',
    codecOptions({
      serializer: hexSerializer,
      compression: { algorithm: 'gzip', threshold: 0 },
      secretKey: [SECRET],
      encryptionKey: [ENCRYPTION_KEY],
    }),
  ],
];

/** Only where Node has it: from 22.15 on. */
function zstdConfiguration(): [string, CodecOptions][] {
  if (!('zstdCompressSync' in zlib)) return [];
  return [['zstd', codecOptions({ compression: { algorithm: 'zstd', threshold: 0 } })]];
}
