import { gzipSync } from 'node:zlib';
import type { AxiosError, AxiosProgressEvent, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import NodeFormData from 'form-data';
import {
  assertBodyLength,
  assertContentLength,
  emitDownloadProgress,
  settle,
} from '../../lib/response/build.js';
import { headerList } from '../../lib/response/headers.js';
import { Origin } from '../support/origin.js';
import { ask, configOf, failure, isMirrored } from './support.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('response/build: settle', () => {
  let origin: Origin;
  before(async () => {
    origin = await Origin.start((req, res) => {
      res.writeHead(Number(req.url.slice(1)), { location: '/200' });
      res.end();
    });
  });
  after(() => origin.close());

  const refuse = () => false;
  for (const [status, validateStatus] of [
    [200, undefined],
    [404, undefined],
    [404, null],
    [304, configOf().validateStatus],
    [400, configOf().validateStatus],
    [404, configOf().validateStatus],
    [499, configOf().validateStatus],
    [500, configOf().validateStatus],
    [503, (code: number) => code === 503],
    [200, refuse],
  ] as const) {
    it(`${status} under ${String(validateStatus)}`, async function () {
      // Older axios has no code for what is neither 4xx nor 5xx.
      if (!isMirrored && status < 400 && validateStatus) this.skip();
      const raw = await ask(
        'http',
        configOf({ url: `${origin.url}/${status}`, validateStatus: null, maxRedirects: 0 }),
      );
      const config = configOf({ url: `${origin.url}/${status}`, validateStatus, maxRedirects: 0 });
      const describeOutcome = (outcome: unknown) => {
        const {
          name,
          message,
          code,
          status: own,
          response,
          isAxiosError,
          config: given,
        } = outcome as Record<string, unknown>;
        return { name, message, code, own, isAxiosError, given, hasResponse: response !== undefined };
      };
      const theirs = await ask('http', config).catch((error: unknown) => error);
      const response: AxiosResponse = { ...raw, config };
      let ours: unknown;
      try {
        ours = settle(response);
        expect(ours).to.equal(response);
      } catch (error) {
        ours = error;
        expect(error).to.include({ response, request: response.request });
      }
      expect(describeOutcome(ours)).to.deep.equal(describeOutcome(theirs));
    });
  }

  it('lets no prototype decide', () => {
    const config: InternalAxiosRequestConfig = Object.create({ validateStatus: refuse });
    const response = { status: 200, config } as AxiosResponse;
    expect(settle(response)).to.equal(response);
  });
});

describe('response/build: assertContentLength', () => {
  it('throws what the adapters reject with', async () => {
    const origin = await Origin.start((_req, res) => void res.end('0123456789'));
    try {
      for (const flavour of isMirrored ? (['http', 'fetch'] as const) : (['http'] as const)) {
        const config = configOf({ url: origin.url, maxContentLength: 9 });
        const theirs = await failure(ask(flavour, config));
        const ours = await failure(() => assertContentLength(10, config, {}, flavour));
        for (const field of ['name', 'message', 'code', 'config', 'isAxiosError']) {
          expect(ours).to.have.property(field, (theirs as Record<string, unknown>)[field]);
        }
      }
    } finally {
      await origin.close();
    }
  });

  const passes: [string, number, object, 'http' | 'fetch'][] = [
    ['just as many', 10, { maxContentLength: 10 }, 'http'],
    ['no limit', 10, { maxContentLength: -1 }, 'http'],
    ['none given', 10, { maxContentLength: undefined }, 'fetch'],
    ['an http stream, which fails later', 10, { maxContentLength: 9, responseType: 'stream' }, 'http'],
  ];
  for (const [name, bytes, fields, flavour] of passes) {
    it(`lets ${name} pass`, () => assertContentLength(bytes, configOf(fields), undefined, flavour));
  }
  it('holds nothing to be below a limit of zero', async () => {
    assertContentLength(0, configOf({ maxContentLength: 0 }));
    await failure(() => assertContentLength(1, configOf({ maxContentLength: 0 })));
  });
});

describe('response/build: assertBodyLength', () => {
  const form = new FormData();
  form.append('field', 'x'.repeat(100));
  const nodeForm = () => {
    const one = new NodeFormData();
    one.append('field', 'x'.repeat(100));
    return one;
  };
  const bodies: [string, () => unknown, ('http' | 'fetch')[]][] = [
    ['text, by its bytes', () => 'ü'.repeat(50), ['http', 'fetch']],
    ['a Buffer', () => Buffer.alloc(100), ['http', 'fetch']],
    ['an ArrayBuffer', () => new ArrayBuffer(100), ['http', 'fetch']],
    ['a Blob', () => new Blob(['x'.repeat(100)]), ['http', 'fetch']],
    ['a FormData', () => form, ['http', 'fetch']],
    ['a form-data', nodeForm, ['http']],
  ];
  let origin: Origin;
  before(async () => {
    origin = await Origin.start();
  });
  after(() => origin.close());

  const outcomeOf = (error: unknown) => {
    const { name, message, code, isAxiosError } = error as AxiosError;
    return { name, message, code, isAxiosError };
  };
  for (const [name, body, flavours] of bodies) {
    for (const flavour of flavours) {
      it(`throws what ${flavour} rejects with: ${name}`, async function () {
        if (!isMirrored) this.skip();
        const config = configOf({ url: origin.url, method: 'post', data: body(), maxBodyLength: 99 });
        const theirs = await failure(ask(flavour, config));
        const ours = await failure(() => assertBodyLength(config.data, config, flavour));
        expect(outcomeOf(ours)).to.deep.equal(outcomeOf(theirs));
        expect(ours).to.have.property('config', config);
      });
    }
  }

  const passes: [string, unknown, object, 'http' | 'fetch' | undefined][] = [
    ['just as many bytes', 'x'.repeat(10), { maxBodyLength: 10 }, 'http'],
    ['no body', undefined, { maxBodyLength: 0 }, 'http'],
    ['no limit', 'x', { maxBodyLength: -1 }, 'fetch'],
    ['no limit given', 'x', {}, 'fetch'],
    ['the body of a GET, which fetch does not send', 'x', { maxBodyLength: 0, method: 'get' }, 'fetch'],
    ['an adapter of the user', 'x', { maxBodyLength: 0, method: 'post' }, undefined],
  ];
  for (const [name, data, fields, flavour] of passes) {
    it(`lets ${name} pass`, () => assertBodyLength(data, configOf({ data, ...fields }), flavour));
  }
});

describe('response/build: emitDownloadProgress', () => {
  const bodies: [string, Buffer, Record<string, string>][] = [
    ['plain', Buffer.from('0123456789'), { 'content-length': '10' }],
    ['without a length', Buffer.from('0123456789'), {}],
    ['empty', Buffer.alloc(0), { 'content-length': '0' }],
    [
      'gzipped',
      gzipSync(Buffer.alloc(5000, 'x')),
      { 'content-encoding': 'gzip', 'content-length': String(gzipSync(Buffer.alloc(5000, 'x')).length) },
    ],
  ];
  for (const [name, body, headers] of bodies) {
    it(`tells of a body, ${name}, as http.js does`, async () => {
      const origin = await Origin.start((_req, res) => {
        for (const [field, value] of Object.entries(headers)) res.setHeader(field, value);
        res.end(body);
      });
      try {
        const theirs: AxiosProgressEvent[] = [];
        const url = origin.url;
        const network = await ask(
          'http',
          configOf({
            url,
            responseType: 'arraybuffer',
            onDownloadProgress: (event: AxiosProgressEvent) => theirs.push(event),
          }),
        );
        const ours: AxiosProgressEvent[] = [];
        const config = configOf({ onDownloadProgress: (event: AxiosProgressEvent) => ours.push(event) });
        emitDownloadProgress(config, (network.data as Buffer).length, headerList(network.headers));
        await tick();
        if (!isMirrored) for (const event of ours) delete event.event;
        expect(ours.map((event) => Object.entries(event))).to.deep.equal(
          theirs.map((event) => Object.entries(event)),
        );
      } finally {
        await origin.close();
      }
    });
  }

  it('comes before whoever awaits the response', async () => {
    const order: string[] = [];
    const adapter = async () => {
      emitDownloadProgress(configOf({ onDownloadProgress: () => order.push('progress') }), 1, []);
    };
    await adapter();
    order.push('response');
    expect(order).to.deep.equal(['progress', 'response']);
  });

  it("does not call a listener in the request's own turn, where its error would fail the request", async () => {
    let calls = 0;
    emitDownloadProgress(
      configOf({
        onDownloadProgress: () => {
          calls += 1;
        },
      }),
      1,
      [],
    );
    expect(calls).to.equal(0);
    await tick();
    expect(calls).to.equal(1);
    emitDownloadProgress(configOf(), 1, []);
  });
});
