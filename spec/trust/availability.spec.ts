/** A store that throws, hangs, lies or is closed in between: the network answers, soon and rightly. */
import { inspect } from 'node:util';
import axios, { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import {
  type CacheAdapter,
  type CacheEvent,
  type CacheOptions,
  cacheAdapter,
  MemoryBackend,
  type Store,
} from '../../lib/index.js';
import { Gate, rejection, until } from '../adapter/support.js';
import { Origin } from '../support/origin.js';

type Operation =
  | 'get'
  | 'set'
  | 'delete'
  | 'keysByUrl'
  | 'trim'
  | 'version'
  | 'touch'
  | 'onChange'
  | 'observe'
  | 'flush';
const OPERATIONS: readonly Operation[] = [
  'get',
  'set',
  'delete',
  'keysByUrl',
  'trim',
  'version',
  'touch',
  'onChange',
  'observe',
  'flush',
];

/** A whole store whose one operation does something else. */
function broken(operation: Operation, does: (inner: MemoryBackend, key: string) => unknown): Store {
  const inner = new MemoryBackend();
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === operation) return (key: string) => does(target, key);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const hang = () => new Promise(() => {});

/** A value that throws at whoever so much as looks at it. */
const untouchable = (): object => {
  const refuse = () => {
    throw new Error('hands off');
  };
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
};
const ways: [string, (inner: MemoryBackend, key: string) => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  [
    'throws what is no error',
    () => {
      throw undefined;
    },
  ],
  [
    'throws what can not be looked at',
    () => {
      throw untouchable();
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
  ['rejects with what can not be looked at', () => Promise.reject(untouchable())],
  ['rejects with what has no text', () => Promise.reject(Object.create(null))],
  [
    'rejects with an error that throws when it is read',
    () => {
      const refuse = () => {
        throw new Error('hands off');
      };
      return Promise.reject(Object.defineProperty(new Error(), 'message', { get: refuse }));
    },
  ],
  ['hangs', hang],
  ['answers with nothing', () => undefined],
  ['answers with null', () => null],
  ['answers with text', () => 'text'],
  ['answers with other bytes', () => Buffer.from('other bytes')],
  ['answers with a number that is none', () => Number.NaN],
];

const startOrigin = () =>
  Origin.start((req, res) => {
    res.setHeader('etag', '"1"');
    res.end(`${req.method} ${req.url}`);
  });

describe('a store of which one operation', () => {
  for (const [what, does] of ways) {
    it(`${what}: every request is answered rightly, and nothing is left unhandled`, async () => {
      const origin = await startOrigin();
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', onUnhandled);
      try {
        for (const operation of OPERATIONS) {
          const backend = broken(operation, does);
          const adapter = cacheAdapter({ backend, storeTimeout: 0.02, maxEntries: 2 } as CacheOptions);
          const http = axios.create({ adapter, baseURL: origin.url });
          for (const path of ['/a', '/b', '/a', '/c', '/a']) {
            expect((await http.get(path)).data, `${operation} ${path}`).to.equal(`GET ${path}`);
          }
          expect((await http.post('/a', 'x')).data, operation).to.equal('POST /a');
          const { data } = await http.get('/a', { responseType: 'stream' });
          const chunks: Buffer[] = [];
          for await (const chunk of data) chunks.push(chunk);
          expect(Buffer.concat(chunks).toString(), operation).to.equal('GET /a');
          await adapter.cache.flush();
          await adapter.close();
        }
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).to.deep.equal([]);
      } finally {
        process.off('unhandledRejection', onUnhandled);
        await origin.close();
      }
    });
  }

  it("answers with another key's record: a miss and an event", async () => {
    const origin = await startOrigin();
    let last = '';
    const backend = broken('get', (inner, key) => {
      const lie = inner.get(last === '' ? key : last);
      last = key;
      return lie;
    });
    const adapter = cacheAdapter({ backend, hotBytes: 0 } as CacheOptions);
    const http = axios.create({ adapter, baseURL: origin.url });
    for (let n = 0; n < 12; n++) expect((await http.get(`/${n % 3}`)).data).to.equal(`GET /${n % 3}`);
    expect(adapter.cache.stats().errors).to.be.greaterThan(5);
    await origin.close();
  });
});

describe('a store that can not be heard', () => {
  for (const operation of ['observe', 'onChange'] as const) {
    for (const [what, does] of ways.slice(0, 7)) {
      it(`(${operation} ${what}) is an event, and the cache is made`, async () => {
        const adapter = cacheAdapter({ backend: broken(operation, does) } as CacheOptions);
        const errors: CacheEvent[] = [];
        adapter.cache.on('error', (event) => errors.push(event));
        await until(() => errors.length > 0);
        expect(errors.map(({ reason }) => reason)).to.deep.equal([operation]);
        expect(errors[0]?.error).to.be.instanceOf(Error);
        await adapter.close();
      });
    }
  }

  it('of what others change makes nothing hot: it is read each time', async () => {
    const origin = await startOrigin();
    const store = broken('onChange', () => {
      throw new Error('broken');
    });
    const adapter = cacheAdapter({ backend: store } as CacheOptions);
    const http = axios.create({ adapter, baseURL: origin.url });
    const { cacheKey } = await http.get('/a');
    expect((await http.get('/a')).fromCache).to.equal(true);
    await store.delete([String(cacheKey)]);
    expect((await http.get('/a')).fromCache).to.equal(false);
    await origin.close();
  });
});

describe('a cache that is closed', () => {
  for (const [what, close] of [
    ['the cache', (adapter: { close(): Promise<void> }) => adapter.close()],
    ['its store', (_adapter: unknown, store: MemoryBackend) => Promise.resolve(store.close())],
  ] as const) {
    it(`in the middle of a request (${what}): that one and all after are answered by the network`, async () => {
      const origin = await startOrigin();
      const gate = new Gate();
      origin.on('/slow', async (_req, res) => {
        await gate.opened;
        res.end('slow');
      });
      const store = new MemoryBackend();
      const adapter = cacheAdapter({ backend: store });
      const http = axios.create({ adapter, baseURL: origin.url });
      await http.get('/before');
      const pending = [http.get('/slow'), http.get('/slow')];
      await until(() => origin.count === 2);
      await close(adapter, store);
      gate.open();
      for (const { data } of await Promise.all(pending)) expect(data).to.equal('slow');
      for (let n = 0; n < 3; n++) expect((await http.get('/before')).data).to.equal('GET /before');
      expect((await http.post('/before', 'x')).data).to.equal('POST /before');
      await origin.close();
    });
  }
});

describe('a clock that jumps back and forth', () => {
  for (const cacheControl of [false, true]) {
    it(`makes no wrong answer, no error and no event (cacheControl: ${cacheControl})`, async () => {
      const origin = await Origin.start((_req, res) => {
        res.setHeader('cache-control', 'max-age=60');
        res.end('right');
      });
      let now = Date.now();
      const options = {
        backend: 'memory',
        clock: () => now,
        cacheControl,
        expireAfter: 60,
        staleIfError: 60,
      } as const;
      const adapter = cacheAdapter(options as CacheOptions);
      const events: unknown[] = [];
      adapter.cache.on('error', (event) => events.push(event));
      const hits: unknown[] = [];
      for (const seconds of [0, 30, -30, 1e9, -1e9, -1e9, 2e9, -1e9, 0]) {
        now += seconds * 1000;
        for (let n = 0; n < 2; n++) {
          const { data, fromCache } = await axios.get(origin.url, { adapter });
          expect(data).to.equal('right');
          hits.push(fromCache);
        }
        await adapter.removeExpiredResponses();
      }
      expect(hits.slice(0, 6)).to.deep.equal([false, true, true, true, true, true]);
      expect(events).to.deep.equal([]);
      await origin.close();
    });
  }
});

describe('what goes wrong round a request', () => {
  it('a listener that throws, an interceptor that throws, a transform that throws: no waiter hangs', async () => {
    const origin = await startOrigin();
    const adapter = cacheAdapter({ backend: 'memory' });
    for (const name of [
      'hit',
      'miss',
      'stale',
      'revalidated',
      'stored',
      'bypass',
      'evicted',
      'invalidated',
      'error',
    ] as const) {
      adapter.cache.on(name, () => {
        throw new Error('listener');
      });
    }
    const http = axios.create({ adapter, baseURL: origin.url });
    const faulty = axios.create({ adapter, baseURL: origin.url });
    faulty.interceptors.response.use(() => {
      throw new Error('interceptor');
    });
    const transformResponse = () => {
      throw new Error('transform');
    };
    for (let round = 0; round < 2; round++) {
      const waiting = [
        rejection(faulty.get('/a')),
        http.get('/a'),
        rejection(http.get('/a', { transformResponse })),
        http.get('/a'),
      ] as const;
      const [first, second, third, fourth] = await Promise.all(waiting);
      expect([first.message, third.message]).to.deep.equal(['interceptor', 'transform']);
      expect([second.data, fourth.data]).to.deep.equal(['GET /a', 'GET /a']);
    }
    expect(origin.count).to.equal(1);
    await origin.close();
  });

  it('a leader whose connection dies: each waiter has an error of its own, and the next request is answered', async () => {
    const origin = await startOrigin();
    const gate = new Gate();
    origin.on('/dies', async (_req, _res, raw) => {
      await gate.opened;
      raw.socket.destroy();
    });
    const adapter = cacheAdapter({ backend: 'memory' });
    const http = axios.create({ adapter, baseURL: origin.url });
    const all = Array.from({ length: 20 }, () => rejection(http.get('/dies')));
    await until(() => origin.count === 1);
    gate.open();
    const errors = await Promise.all(all);
    expect(new Set(errors).size).to.equal(20);
    expect(new Set(errors.map(({ code }) => code))).to.deep.equal(new Set(['ECONNRESET']));
    origin.on('/dies', (_req, res) => void res.end('lives'));
    expect((await http.get('/dies')).data).to.equal('lives');
    await origin.close();
  });
});

describe('a refresh behind a stale answer that fails', () => {
  const SECRET = 's3cr3tXYZ';
  const request = { headers: { Authorization: SECRET }, params: { token: SECRET } };

  /** The event of a refresh by an adapter that fails so. */
  const told = (fails: (config: InternalAxiosRequestConfig) => unknown) =>
    toldAfter((adapter) => {
      adapter.settings.adapter = async (config) => {
        throw fails(config);
      };
    });

  /** The event of a refresh after something has happened. */
  async function toldAfter(
    happens: (adapter: CacheAdapter, origin: Awaited<ReturnType<typeof startOrigin>>) => void | Promise<void>,
  ): Promise<CacheEvent> {
    const origin = await startOrigin();
    const url = `${origin.url}/a`;
    let now = Date.now();
    const adapter = cacheAdapter({
      backend: 'memory',
      clock: () => now,
      expireAfter: 1,
      staleWhileRevalidate: true,
    });
    const errors: CacheEvent[] = [];
    adapter.cache.on('error', (event) => errors.push(event));
    try {
      await axios.get(url, { ...request, adapter });
      now += 5000;
      await happens(adapter, origin);
      expect((await axios.get(url, { ...request, adapter })).isExpired).to.equal(true);
      await until(() => errors.length > 0);
    } finally {
      await origin.close();
      await adapter.close();
    }
    const [event, ...others] = errors;
    expect(others).to.deep.equal([]);
    expect(event?.reason).to.equal('background refresh');
    return event ?? {};
  }

  const holdsSecret = (event: CacheEvent) =>
    (JSON.stringify(event) + inspect(event, { depth: 12, showHidden: true })).includes(SECRET);

  it('is an event that says why, and holds nothing of the request', async () => {
    const event = await told(
      (config) => new AxiosError('connect ECONNREFUSED 127.0.0.1:9', 'ECONNREFUSED', config, { config }),
    );
    expect(event.error).to.be.instanceOf(Error);
    expect(event.error).to.include({ message: 'connect ECONNREFUSED 127.0.0.1:9', code: 'ECONNREFUSED' });
    expect(holdsSecret(event)).to.equal(false);
  });

  it('is told without the secrets of the URL, where the message has that', async () => {
    for (const quote of ['', '"', '<']) {
      const event = await told(
        ({ url }) =>
          new TypeError(`no way to ${quote}${url}?token=${SECRET}&n=1${quote}, /a?n=1&token=${SECRET}`),
      );
      expect(event.error?.message).to.match(
        /^no way to .*\/a\?token=REDACTED&n=1.*, \/a\?n=1&token=REDACTED$/,
      );
      expect(event.error).to.not.have.property('code');
      expect(holdsSecret(event)).to.equal(false);
    }
  });

  it('is told whatever was thrown', async () => {
    expect((await told(untouchable)).error).to.be.instanceOf(Error);
    expect((await told(() => 'text')).error?.message).to.equal('text');
    expect((await told(() => undefined)).error?.message).to.equal('undefined');
  });

  it('is told of an origin that is gone', async () => {
    const event = await toldAfter((_, origin) => origin.close());
    expect(event.error)
      .to.have.property('code')
      .that.matches(/^ECONN(REFUSED|RESET)$/);
    expect(event.url).to.match(/token=REDACTED/);
    expect(holdsSecret(event)).to.equal(false);
  });
});
