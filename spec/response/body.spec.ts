import { Readable } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { type BodyConfig, type BodySource, bodyFor, type Flavour } from '../../lib/response/body.js';
import { decodeUtf8 } from '../../lib/response/bytes.js';
import { bodyError } from '../../lib/response/errors.js';
import { headerList } from '../../lib/response/headers.js';
import { receivedBody } from '../../lib/response/received.js';
import { requestStandIn } from '../../lib/response/standin.js';
import { Origin } from '../support/origin.js';
import { ask, configOf, failure, isMirrored } from './support.js';

const BODIES: Record<string, { type?: string; body: Buffer; gzip?: boolean; status?: number }> = {
  json: { type: 'application/json; charset=utf-8', body: Buffer.from('{"a":[1,2,{"b":null}]}') },
  empty: { type: 'text/plain', body: Buffer.alloc(0) },
  'text of several bytes a character': { type: 'text/plain', body: Buffer.from('grüße 😀 \u2028') },
  'text with a BOM': { type: 'text/plain', body: Buffer.from('\ufeffbom') },
  'bytes that are no UTF-8': {
    body: Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0xe2, 0x82, 0xf0, 0x9f, 0x98]),
  },
  'more than a chunk, gzipped': { type: 'text/plain', body: Buffer.alloc(200_000, 'ab€'), gzip: true },
  'no content by status': { body: Buffer.alloc(0), status: 204 },
  'a form': { type: 'application/x-www-form-urlencoded', body: Buffer.from('a=1&b=%C3%BC') },
};
const TYPES = [
  undefined,
  'json',
  'text',
  'document',
  'arraybuffer',
  'ArrayBuffer',
  'blob',
  'formdata',
  'stream',
  'STREAM',
  'nonsense',
];
const ENCODINGS = [undefined, 'utf8', 'utf-8', 'UTF8', 'latin1', 'base64', 'hex', 'utf16le', 'nonsense'];

/** A body of whichever kind in a form that can be compared. */
async function seen(data: unknown): Promise<unknown> {
  if (data instanceof Readable) {
    const chunks = await data.toArray();
    expect(data.readableObjectMode).to.equal(false);
    return ['Readable', Buffer.concat(chunks).toString('hex')];
  }
  if (data instanceof ReadableStream) {
    return ['ReadableStream', Buffer.from(await new Response(data).arrayBuffer()).toString('hex')];
  }
  if (data instanceof Blob) return ['Blob', data.type, Buffer.from(await data.arrayBuffer()).toString('hex')];
  if (data instanceof FormData) return ['FormData', [...data]];
  if (Buffer.isBuffer(data)) return ['Buffer', data.toString('hex')];
  if (data instanceof ArrayBuffer) return ['ArrayBuffer', Buffer.from(data).toString('hex')];
  return [typeof data, data];
}

async function outcome(attempt: () => unknown): Promise<unknown> {
  try {
    return await seen(await attempt());
  } catch (error) {
    const { name, message, code, response } = error as Record<string, unknown>;
    return ['error', name, message, code, response === undefined];
  }
}

describe('response/body: what axios would have handed over', () => {
  let origin: Origin;
  before(async () => {
    origin = await Origin.start((req, res) => {
      const name = decodeURIComponent(req.url.slice(1));
      const { type, body, gzip, status = 200 } = BODIES[name] ?? { body: Buffer.from(name) };
      if (type !== undefined) res.setHeader('content-type', type);
      if (gzip) res.setHeader('content-encoding', 'gzip');
      res.writeHead(status);
      res.end(gzip ? gzipSync(body) : body);
    });
  });
  after(() => origin.close());

  async function compare(
    flavour: Flavour,
    fields: { responseType?: unknown; responseEncoding?: unknown; method?: string },
    name: string,
  ) {
    const url = `${origin.url}/${encodeURIComponent(name)}`;
    const config = configOf({ url, ...fields });
    const kept = await ask(
      flavour,
      configOf({ url, method: fields.method ?? 'get', responseType: 'arraybuffer' }),
    );
    const received = await receivedBody(kept.data);
    if (received === undefined) throw new Error('not kept');
    expect(received.flavour).to.equal(flavour);
    const source: BodySource = { body: received.bytes, bodyType: received.bodyType };
    const form: BodyConfig = {
      responseType: config.responseType,
      responseEncoding: config.responseEncoding,
      headers: headerList(kept.headers),
      status: kept.status,
      method: (fields.method ?? 'get').toUpperCase(),
    };
    const response = { ...kept, config };
    const ours = async () => {
      try {
        return await bodyFor(source, form, flavour, { config });
      } catch (error) {
        throw bodyError(error, response, flavour);
      }
    };
    const theirs = await outcome(async () => (await ask(flavour, config)).data);
    expect(await outcome(ours)).to.deep.equal(theirs);
    expect(await outcome(ours), 'a second time').to.deep.equal(theirs);
  }

  for (const flavour of ['http', 'fetch'] as const) {
    for (const responseType of TYPES) {
      for (const name of Object.keys(BODIES)) {
        it(`${flavour} gives ${String(responseType)} of ${name}`, function () {
          // fetch.js of older axios fails on a stream that is null.
          if (!isMirrored && BODIES[name]?.status === 204) this.skip();
          return compare(flavour, { responseType }, name);
        });
      }
    }
    for (const responseEncoding of ENCODINGS) {
      it(`${flavour} decodes as ${String(responseEncoding)}`, async () => {
        for (const name of ['text with a BOM', 'bytes that are no UTF-8', 'json']) {
          await compare(flavour, { responseEncoding }, name);
        }
      });
    }
    it(`${flavour} has no body for HEAD`, async function () {
      if (!isMirrored) this.skip();
      for (const responseType of TYPES) await compare(flavour, { responseType, method: 'head' }, 'json');
    });
  }

  it('parses multipart forms by the content type of the response', async () => {
    const form = new FormData();
    form.append('name', 'välue');
    form.append('file', new Blob(['bytes']), 'f.txt');
    const body = new Response(form);
    const contentType = body.headers.get('content-type') ?? '';
    const source: BodySource = { body: new Uint8Array(await body.arrayBuffer()), bodyType: 'bytes' };
    const data = await bodyFor(
      source,
      { responseType: 'formdata', headers: [['content-type', contentType]] },
      'fetch',
    );
    if (!(data instanceof FormData)) throw new Error('no form');
    expect(data.get('name')).to.equal('välue');
    expect(data.get('file')).to.be.instanceOf(Blob);
  });
});

describe('response/body: each caller its own', () => {
  const bytes = () => Buffer.from('0123456789'.repeat(20_000));
  const cases: [Flavour, string, (data: unknown) => Promise<void>][] = [
    ['http', 'arraybuffer', async (data) => void (data as Buffer).fill(0)],
    ['fetch', 'arraybuffer', async (data) => void new Uint8Array(data as ArrayBuffer).fill(0)],
    [
      'http',
      'stream',
      async (data) => void (await (data as Readable).forEach((chunk: Buffer) => void chunk.fill(0))),
    ],
    [
      'fetch',
      'stream',
      async (data) => {
        const reader = (data as ReadableStream<Uint8Array>).getReader();
        for (let step = await reader.read(); !step.done; step = await reader.read()) step.value.fill(0);
      },
    ],
  ];
  for (const [flavour, responseType, spoil] of cases) {
    it(`writing to a ${responseType} of ${flavour} reaches nobody`, async () => {
      const source: BodySource = { body: bytes(), bodyType: 'bytes' };
      await spoil(await bodyFor(source, { responseType }, flavour));
      expect(bytes().equals(source.body)).to.equal(true);
      expect(await seen(await bodyFor(source, { responseType }, flavour))).to.deep.include(
        bytes().toString('hex'),
      );
    });
  }

  it('a small buffer does not lay open the pool it might have come from', () => {
    const data = bodyFor(
      { body: Buffer.from('x'), bodyType: 'bytes' },
      { responseType: 'arraybuffer' },
      'http',
    ) as Buffer;
    expect(data.buffer.byteLength).to.equal(1);
  });

  it('parsed values are parsed for each caller', () => {
    const source: BodySource = { body: Buffer.from('{"a":[1]}'), bodyType: 'json' };
    const first = bodyFor(source, {}, 'http');
    const second = bodyFor(source, { responseType: 'arraybuffer' }, 'fetch');
    expect(first).to.deep.equal({ a: [1] });
    expect(second).to.deep.equal({ a: [1] });
    expect(first).not.to.equal(second);
  });

  it('bytes that nobody else holds are handed over without a copy', () => {
    const body = new Uint8Array([1, 2, 3]);
    const source: BodySource = { body, bodyType: 'bytes', owned: true };
    expect((bodyFor(source, { responseType: 'arraybuffer' }, 'http') as Buffer).buffer).to.equal(body.buffer);
    expect(bodyFor(source, { responseType: 'arraybuffer' }, 'fetch')).to.equal(body.buffer);
    const part: BodySource = { body: body.subarray(1), bodyType: 'bytes', owned: true };
    expect(bodyFor(part, { responseType: 'arraybuffer' }, 'fetch')).to.deep.equal(
      new Uint8Array([2, 3]).buffer,
    );
  });

  it('text is decoded once', () => {
    const source: BodySource = { body: Buffer.from('grüße'), bodyType: 'bytes' };
    expect(bodyFor(source, {}, 'http')).to.equal('grüße');
    source.body = Buffer.from('other');
    expect(bodyFor(source, {}, 'fetch')).to.equal('grüße');
  });

  it('decodes any bytes as both adapters do', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (body) => {
          expect(decodeUtf8(body)).to.equal(new TextDecoder().decode(body));
        },
      ),
    );
  });
});

describe("response/body: streams under the caller's terms", () => {
  const source = (): BodySource => ({ body: Buffer.alloc(300_000, 'x'), bodyType: 'bytes' });

  it('fails an http stream where it crosses maxContentLength, as http.js does', async () => {
    const request = {};
    const config = configOf({ maxContentLength: 100_000 });
    const stream = bodyFor(source(), { responseType: 'stream' }, 'http', { config, request }) as Readable;
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const error = await failure(
      new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject)),
    );
    expect(error).to.include({
      message: 'maxContentLength size of 100000 exceeded',
      code: 'ERR_BAD_RESPONSE',
      config,
      request,
    });
    expect(bytes).to.be.within(1, 100_000);
  });

  it('shows on an http stream what a real one has', async () => {
    const info = { method: 'GET', url: 'http://a/', finalUrl: 'http://a/b', redirects: [], status: 203 };
    const request = requestStandIn({ ...info, headers: [['etag', '"x"']] }, 'http');
    const stream = bodyFor(source(), { responseType: 'stream' }, 'http', { config: configOf(), request });
    expect(stream).to.include({ statusCode: 203, responseUrl: 'http://a/b', complete: true, req: request });
    expect(stream).to.have.nested.property('headers.etag', '"x"');
    expect(await textOfStream(stream as Readable)).to.have.lengthOf(300_000);
  });

  it('lets a stream of exactly maxContentLength through', async () => {
    const config = configOf({ maxContentLength: 300_000 });
    const stream = bodyFor(source(), { responseType: 'stream' }, 'http', { config }) as Readable;
    expect(await textOfStream(stream)).to.have.lengthOf(300_000);
  });

  for (const flavour of ['http', 'fetch'] as const) {
    it(`${flavour}: ends with CanceledError when the caller aborts midway, and leaves no listener`, async () => {
      const controller = new AbortController();
      const config = configOf({ signal: controller.signal });
      const stream = bodyFor(source(), { responseType: 'stream' }, flavour, { config });
      const iterator = (stream as Readable)[Symbol.asyncIterator]();
      expect((await iterator.next()).done).to.equal(false);
      controller.abort();
      const drain = async () => {
        while (!(await iterator.next()).done);
      };
      const error = await failure(drain());
      expect(error).to.include({ code: 'ERR_CANCELED', name: 'CanceledError' });
      // fetch.js (composeSignals) tells the signal's reason, and knows of no config.
      if (flavour === 'http') expect(error).to.include({ message: 'canceled', config });
      else
        expect(error).to.include({ message: 'This operation was aborted' }).and.not.have.property('config');
    });
  }

  it('fails a web stream where it crosses maxContentLength', async () => {
    const config = configOf({ maxContentLength: 100_000 });
    const stream = bodyFor(source(), { responseType: 'stream' }, 'fetch', { config }) as ReadableStream;
    const error = await failure(new Response(stream).arrayBuffer());
    expect(error).to.include({ message: 'maxContentLength size of 100000 exceeded', config });
  });

  it('forgets the signal of a web stream that was cancelled', async () => {
    let listening = 0;
    const counting = {
      aborted: false,
      addEventListener: () => {
        listening += 1;
      },
      removeEventListener: () => {
        listening -= 1;
      },
    };
    const owner = { config: configOf({ signal: counting }) };
    const stream = bodyFor(source(), { responseType: 'stream' }, 'fetch', owner) as ReadableStream;
    expect(listening).to.equal(1);
    await stream.cancel();
    expect(listening).to.equal(0);
  });

  it('reads of a web stream may bring their own buffer', async () => {
    const stream = bodyFor(source(), { responseType: 'stream' }, 'fetch') as ReadableStream;
    const reader = stream.getReader({ mode: 'byob' });
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(1000));
      bytes += value?.byteLength ?? 0;
      if (done) break;
    }
    expect(bytes).to.equal(300_000);
  });
});
