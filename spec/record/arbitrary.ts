import fc from 'fast-check';
import type {
  HeaderList,
  IndexRecord,
  ResponseRecord,
  StoredRequest,
  StoreRecord,
  VaryPair,
} from '../../lib/record/record.js';

/** Every UTF-16 code unit, lone surrogates and NUL too, beside the names that JavaScript objects trip over. */
const text = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: 'grapheme' }),
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', '', '\ud800', '\u0000'),
);
// -0 is 0 in JSON; a moment is never either.
const moment = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const headers: fc.Arbitrary<HeaderList> = fc.array(
  fc.tuple(text, fc.oneof(text, fc.array(text, { maxLength: 4 }))),
  { maxLength: 8 },
);
const vary: fc.Arbitrary<VaryPair[]> = fc.array(fc.tuple(text, text), { maxLength: 4 });
const urls = fc.array(text, { maxLength: 4 });
const body = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }),
    text.map((value) => Buffer.from(value)),
  )
  .map((bytes) => Buffer.from(bytes));

const request: fc.Arbitrary<StoredRequest> = fc.record(
  { method: text, url: text, headers, data: text, opaque: fc.constant(true) },
  { requiredKeys: ['method', 'url', 'headers'], noNullPrototype: true },
);

const response: fc.Arbitrary<ResponseRecord> = fc.record(
  {
    kind: fc.constant('response' as const),
    key: text,
    request,
    status: fc.integer({ min: 0, max: 999 }),
    statusText: text,
    headers,
    url: text,
    redirects: urls,
    createdAt: moment,
    requestTime: moment,
    responseTime: moment,
    expiresAt: moment,
    vary,
    flavour: fc.constantFrom('http' as const, 'fetch' as const),
    bodyType: fc.constantFrom('bytes' as const, 'json' as const),
    body,
  },
  {
    requiredKeys: [
      'kind',
      'key',
      'request',
      'status',
      'statusText',
      'headers',
      'url',
      'redirects',
      'createdAt',
      'requestTime',
      'responseTime',
      'vary',
      'flavour',
      'bodyType',
      'body',
    ],
    noNullPrototype: true,
  },
);

const index: fc.Arbitrary<IndexRecord> = fc.record(
  {
    kind: fc.constant('index' as const),
    key: text,
    url: text,
    createdAt: moment,
    entries: fc.array(
      fc.record(
        { key: text, vary, redirects: urls, request, etag: text, storedAt: moment, expiresAt: moment },
        { requiredKeys: ['key', 'vary', 'storedAt'], noNullPrototype: true },
      ),
      { maxLength: 5 },
    ),
  },
  { noNullPrototype: true },
);

export const anyRecord: fc.Arbitrary<StoreRecord> = fc.oneof(response, index);
