/** How a stream ends before its end: whoever ends it, and however it is read, as with axios alone. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { finished, pipeline, Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import axios, { type AxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { run } from '../process/program.js';
import { isCurrentAxios } from '../support/axios-version.js';
import { build } from '../support/built.js';
import { type Rig, rig } from '../support/harness.js';
import { until } from './support.js';

/** Does not shrink, so that the compressed one too is more than all the buffers on its way hold. */
const BODY = randomBytes(2_000_000);
const GZIP = gzipSync(BODY);

/** What a caller is told: names and messages, since each error is an object of its own. */
function told(what: string, error?: unknown): string {
  if (error === undefined || error === null) return what;
  const { name, code, message, config, request } = error as Partial<AxiosError>;
  const has = [axios.isCancel(error) && 'isCancel', config && 'config', request && 'request'];
  return [what, name, code, message, ...has.filter(Boolean)].join(' ');
}

/** What ends a stream: the caller by what it gave with the request, the reader, or the server. */
interface End {
  config(): [config: AxiosRequestConfig, end: (stream: Readable, cut: () => void) => void];
}

const ENDS: Record<string, End> = {
  'a signal': {
    config: () => {
      const controller = new AbortController();
      return [{ signal: controller.signal }, () => controller.abort()];
    },
  },
  // As AbortSignal.timeout() does, at a moment that the spec can choose.
  'a signal of a timeout': {
    config: () => {
      const controller = new AbortController();
      return [
        { signal: controller.signal },
        () => controller.abort(new DOMException('aborted due to timeout', 'TimeoutError')),
      ];
    },
  },
  'a cancel token': {
    config: () => {
      const { token, cancel } = axios.CancelToken.source();
      return [{ cancelToken: token }, () => cancel('enough')];
    },
  },
  'destroy()': { config: () => [{}, (stream) => void stream.destroy()] },
  'destroy(error)': { config: () => [{}, (stream) => void stream.destroy(new Error('mine'))] },
  'a connection that is cut': { config: () => [{}, (_stream, cut) => cut()] },
};

/** Whether the caller or its reader ends it; else the server, which is noticed only while the stream is read. */
const isOwn = (end: string) => end !== 'a connection that is cut';

/** Takes what comes until it is told to hold, by which nobody can tell a busy reader from a slow one. */
class Sink extends Writable {
  readonly #isHeld: boolean;
  constructor(isHeld: boolean) {
    super({ highWaterMark: 1 });
    this.#isHeld = isHeld;
  }
  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    this.emit('began');
    if (!this.#isHeld) callback();
  }
}

/** Ways to read a Node stream: each notes what it is told, and resolves when the first bytes are there. */
const READERS: Record<
  string,
  (stream: Readable, log: (what: string, error?: unknown) => void, isHeld: boolean) => Promise<unknown>
> = {
  nobody: async () => {},
  finished: (stream, log, isHeld) => {
    finished(stream, (error) => log('finished', error));
    return firstOf(stream, isHeld);
  },
  events: (stream, log, isHeld) => {
    noteEvents(stream, log);
    return firstOf(stream, isHeld);
  },
  'pipe()': (stream, log, isHeld) => {
    noteEvents(stream, log);
    const sink = new Sink(isHeld);
    stream.pipe(sink);
    return once(sink, 'began');
  },
  'pipeline()': (stream, log, isHeld) => {
    const sink = new Sink(isHeld);
    pipeline(stream, sink, (error) => log('pipeline', error));
    return once(sink, 'began');
  },
  'pipeline() to a sink that fails': (stream, log) => {
    const sink = new Sink(true);
    pipeline(stream, sink, (error) => log('pipeline', error));
    return once(sink, 'began').then(() => sink.destroy(new Error('no room')));
  },
  'for await': (stream, log, isHeld) =>
    new Promise<void>((began) => {
      const read = async () => {
        for await (const _ of stream) {
          began();
          if (isHeld) await once(stream, 'close').catch(() => {});
        }
      };
      read().then(
        () => log('ended'),
        (error) => log('threw', error),
      );
    }),
};

function noteEvents(stream: Readable, log: (what: string, error?: unknown) => void): void {
  for (const event of ['error', 'aborted', 'end', 'close']) stream.on(event, (error) => log(event, error));
}

function firstOf(stream: Readable, isHeld: boolean): Promise<unknown> {
  // At once: a hit has all its bytes at hand.
  stream.once('data', () => {
    if (isHeld) stream.pause();
  });
  return once(stream, 'data');
}

/** Begins a body and leaves it there; `/whole` and its like send all of it. */
function serve({ origin }: Rig): { cut: () => void } {
  const last = { cut: () => {} };
  for (const [path, body] of [
    ['identity', BODY],
    ['gzip', GZIP],
  ] as const) {
    const headers = path === 'gzip' ? { 'content-encoding': 'gzip' } : {};
    origin.on(`/${path}`, (_req, res, raw) => {
      last.cut = () => raw.socket.destroy();
      res.writeHead(200, { ...headers, 'content-length': body.length });
      res.write(body.subarray(0, 500_000));
    });
    origin.on(`/whole/${path}`, (_req, res) => void res.writeHead(200, headers).end(body));
  }
  return last;
}

const currently = isCurrentAxios ? describe : describe.skip;

currently('a stream that ends early, by the http adapter', () => {
  let bench: Rig;
  let server: { cut: () => void };
  let plain: AxiosInstance;
  before(async () => {
    bench = await rig({ adapter: 'http' });
    server = serve(bench);
    plain = axios.create({ baseURL: bench.origin.url, adapter: 'http' });
  });
  after(() => bench.close());

  async function fate(
    http: AxiosInstance,
    config: AxiosRequestConfig,
    reader: keyof typeof READERS,
    end: keyof typeof ENDS,
  ): Promise<string[]> {
    const [more, finish] = (ENDS[end] as End).config();
    const { data } = await http.request<Readable>({ responseType: 'stream', ...config, ...more });
    const log: string[] = [];
    const closed = new Promise((resolve) => {
      data.once('close', resolve);
    });
    await READERS[reader]?.(data, (what, error) => log.push(told(what, error)), isOwn(end));
    finish(data, server.cut);
    await closed;
    await until(() => log.length > 0 || reader === 'nobody');
    const { destroyed, readable, readableEnded, readableAborted } = data;
    const { aborted } = data as { aborted?: boolean };
    return [...log, JSON.stringify({ destroyed, readable, readableEnded, readableAborted, aborted })];
  }

  const kinds: Record<string, AxiosRequestConfig> = {
    'as it comes': { url: '/identity' },
    decompressed: { url: '/gzip' },
    'under maxContentLength': { url: '/identity', maxContentLength: 1e9 },
    'with onDownloadProgress': { url: '/identity', onDownloadProgress: () => {} },
  };
  for (const [kind, config] of Object.entries(kinds)) {
    for (const end of Object.keys(ENDS)) {
      it(`${kind}, a miss: ended by ${end}`, async () => {
        for (const reader of Object.keys(READERS)) {
          if (reader === 'nobody' && !isOwn(end)) continue;
          const theirs = await fate(plain, config, reader, end);
          expect(await fate(bench.http, config, reader, end), reader).to.deep.equal(theirs);
        }
        await bench.adapter.cache.flush();
        expect(await bench.adapter.cache.count()).to.equal(0);
      });
    }
  }

  for (const end of Object.keys(ENDS).filter(isOwn)) {
    it(`a hit: ended by ${end}`, async () => {
      const config = { url: '/whole/identity' };
      const { http } = bench.another({ adapter: 'http' });
      await http.request({ ...config, responseType: 'arraybuffer' });
      const before = bench.origin.count;
      for (const reader of Object.keys(READERS)) {
        const ours = await fate(http, config, reader, end);
        expect(bench.origin.count).to.equal(before);
        expect(ours, reader).to.deep.equal(await fate(plain, config, reader, end));
        bench.origin.requests.length = before;
      }
    });
  }

  it('a hit whose listener throws: as http.js ignores it', async () => {
    const { http } = bench.another({ adapter: 'http' });
    const config = { url: '/whole/identity' };
    await http.request({ ...config, responseType: 'arraybuffer' });
    const controller = new AbortController();
    const { data } = await http.request<Readable>({
      ...config,
      responseType: 'stream',
      signal: controller.signal,
    });
    let count = 0;
    data.on('error', () => {
      count += 1;
      throw new Error('from a listener');
    });
    controller.abort();
    await once(data, 'close');
    expect(count).to.equal(1);
  });
});

/** Ways to read a web stream to its end; each rejects with what it is told. */
const WEB_READERS: Record<string, (stream: ReadableStream, began: () => void) => Promise<unknown>> = {
  'read()': async (stream, began) => {
    const reader = stream.getReader();
    while (!(await reader.read()).done) began();
  },
  'for await': async (stream, began) => {
    for await (const _ of stream as unknown as AsyncIterable<unknown>) began();
  },
  'pipeTo()': (stream, began) => stream.pipeTo(new WritableStream({ write: began })),
  'Readable.fromWeb()': async (stream, began) => {
    for await (const _ of Readable.fromWeb(stream as never)) began();
  },
};

currently('a stream that ends early, by the fetch adapter', () => {
  let bench: Rig;
  let server: { cut: () => void };
  let plain: AxiosInstance;
  before(async () => {
    bench = await rig({ adapter: 'fetch' });
    server = serve(bench);
    plain = axios.create({ baseURL: bench.origin.url, adapter: 'fetch' });
  });
  after(() => bench.close());

  async function fate(
    http: AxiosInstance,
    url: string,
    reader: keyof typeof WEB_READERS,
    end: keyof typeof ENDS,
  ) {
    const [more, finish] = (ENDS[end] as End).config();
    const { data } = await http.get<ReadableStream>(url, { responseType: 'stream', ...more });
    let begin = () => {};
    const began = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const read = (WEB_READERS[reader] as (typeof WEB_READERS)[string])(data, begin);
    const outcome = read.then(
      () => 'ended',
      (error: unknown) => told('failed', error),
    );
    await began;
    finish(new Readable(), server.cut);
    return outcome;
  }

  const ends = Object.keys(ENDS).filter((end) => !end.startsWith('destroy'));
  for (const url of ['/identity', '/gzip']) {
    for (const end of ends) {
      it(`${url}, a miss: ended by ${end}`, async () => {
        for (const reader of Object.keys(WEB_READERS)) {
          const theirs = await fate(plain, url, reader, end);
          expect(await fate(bench.http, url, reader, end), reader).to.equal(theirs);
        }
        expect(await bench.adapter.cache.count()).to.equal(0);
      });
    }
  }

  for (const end of ends.filter(isOwn)) {
    it(`a hit: ended by ${end}`, async () => {
      const { http } = bench.another({ adapter: 'fetch' });
      await http.get('/whole/identity');
      const [more, finish] = (ENDS[end] as End).config();
      const config = { responseType: 'stream', ...more } as const;
      const hit = await http.get<ReadableStream>('/whole/identity', config);
      expect(hit.fromCache).to.equal(true);
      const reader = hit.data.getReader();
      await reader.read();
      finish(new Readable(), () => {});
      const readOn = async () => {
        while (!(await reader.read()).done);
      };
      const ours = await readOn().then(
        () => 'ended',
        (error: unknown) => told('failed', error),
      );
      expect(ours).to.equal(await fate(plain, '/identity', 'read()', end));
    });
  }
});

describe('a stream that ends early and that nobody listens to', () => {
  for (const stored of [true, false]) {
    for (const end of ['signal', 'token', 'timeout', 'destroy']) {
      it(`does not end the process: ${stored ? 'a hit' : 'a miss'}, by ${end}`, async function () {
        this.timeout(60_000);
        const built = await build();
        const bench = await rig();
        bench.origin.on('/', (_req, res) => void res.end(BODY));
        try {
          const { value, stderr, ended } = await run(built, 'import', PROGRAM, {
            url: `${bench.origin.url}/`,
            stored,
            end,
          });
          expect([value, stderr, ended]).to.deep.equal([{ fromCache: stored, closed: true }, '', 0]);
        } finally {
          await bench.close();
        }
      });
    }
  }
});

const PROGRAM = `
  const adapter = stash.cacheAdapter({ backend: 'memory' });
  const http = axios.create({ adapter });
  if (args.stored) await http.get(args.url);
  const controller = new AbortController();
  const { token, cancel } = axios.CancelToken.source();
  const ends = {
    signal: [{ signal: controller.signal }, () => controller.abort()],
    token: [{ cancelToken: token }, () => cancel('enough')],
    timeout: [{ signal: AbortSignal.timeout(2000) }, () => {}],
    destroy: [{}, (stream) => stream.destroy(new Error('mine'))],
  };
  const [config, end] = ends[args.end];
  const { data, fromCache } = await http.get(args.url, { responseType: 'stream', ...config });
  end(data);
  // AbortSignal.timeout() keeps no process alive.
  const patience = setTimeout(() => {}, 10_000);
  const closed = await new Promise((resolve) => data.once('close', () => resolve(true)));
  clearTimeout(patience);
  return { fromCache, closed };`;
