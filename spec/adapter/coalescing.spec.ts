import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { isCurrentAxios } from '../support/axios-version.js';
import { answer, Gate, RemoteStore, rejection, until, using } from './support.js';

describe('coalescing', () => {
  it(
    'asks the origin once for 10,000 identical requests, and gives each caller its own response',
    using({}, async ({ http, origin, adapter }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.setHeader('content-type', 'application/json');
        res.end('{"a":[1]}');
      });
      const all = Array.from({ length: 10_000 }, () => http.get('/one'));
      await until(() => origin.count > 0);
      gate.open();
      const responses = await Promise.all(all);
      expect(origin.count).to.equal(1);
      expect(new Set(responses).size).to.equal(10_000);
      expect(new Set(responses.map(({ data }) => data)).size).to.equal(10_000);
      expect(new Set(responses.map(({ headers }) => headers)).size).to.equal(10_000);
      expect(responses.filter(({ cacheStatus }) => cacheStatus?.collapsed === true)).to.have.length(9_999);
      expect(responses.every(({ fromCache }) => !fromCache)).to.equal(true);
      expect(responses.every(({ data }) => data.a[0] === 1)).to.equal(true);
      expect(adapter.cache.stats()).to.include({ coalesced: 9_999, misses: 10_000, stored: 1 });
    }),
  );

  it(
    'gives each caller its own config, transforms, response type and validateStatus',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.writeHead(404, { 'content-type': 'application/json' });
        res.end('{"a":1}');
      });
      const all = [
        http.get('/one', { validateStatus: () => true }),
        http.get('/one', { validateStatus: null, responseType: 'arraybuffer' }),
        http.get('/one', { validateStatus: null, transformResponse: (data: string) => data.length }),
        http.get('/one').catch((error: AxiosError) => error),
      ] as const;
      await until(() => origin.count > 0);
      gate.open();
      const [json, buffer, transformed, error] = await Promise.all(all);
      expect(origin.count).to.equal(1);
      expect(json.data).to.deep.equal({ a: 1 });
      expect(Buffer.isBuffer(buffer.data)).to.equal(true);
      expect(buffer.config.responseType).to.equal('arraybuffer');
      expect(transformed.data).to.equal(7);
      expect(axios.isAxiosError(error)).to.equal(true);
      expect((error as AxiosError).response?.data).to.deep.equal({ a: 1 });
      expect((error as AxiosError).response?.cacheStatus).to.include({ collapsed: true, hit: false });
    }),
  );

  it(
    'lets a caller leave by signal or token while the others stay, whoever made the call',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.end('body');
      });
      const leader = new AbortController();
      const follower = new AbortController();
      const token = axios.CancelToken.source();
      const gone = [
        rejection(http.get('/one', { signal: leader.signal })),
        rejection(http.get('/one', { signal: follower.signal })),
        rejection(http.get('/one', { cancelToken: token.token })),
      ];
      const stays = http.get('/one');
      await until(() => origin.count > 0);
      leader.abort();
      follower.abort();
      token.cancel('no more');
      const [one, two, three] = await Promise.all(gone);
      expect(axios.isCancel(one)).to.equal(true);
      expect(one).to.include({ code: 'ERR_CANCELED', message: 'canceled' });
      expect(axios.isCancel(two)).to.equal(true);
      expect(one).not.to.equal(two);
      expect(three).to.include({ message: 'no more' });
      gate.open();
      expect((await stays).data).to.equal('body');
      expect(origin.count).to.equal(1);
    }),
  );

  it(
    'closes the connection to the origin when the last caller has left, and stores nothing',
    using({}, async ({ http, origin, adapter }) => {
      const closed = new Gate();
      origin.on('/one', (_req, res) => {
        res.on('close', closed.open);
        res.write('begin');
      });
      const [first, second] = [new AbortController(), new AbortController()];
      const all = [
        rejection(http.get('/one', { signal: first.signal })),
        rejection(http.get('/one', { signal: second.signal })),
      ];
      await until(() => origin.count > 0);
      first.abort();
      await all[0];
      second.abort();
      await all[1];
      await closed.opened;
      expect(await adapter.cache.count()).to.equal(0);
      origin.on('/one', answer('again'));
      expect((await http.get('/one')).data).to.equal('again');
    }),
  );

  it(
    'lets a newcomer start a call of its own after the last caller of one left',
    using({}, async ({ http, origin }) => {
      let hold = true;
      origin.on('/one', (_req, res) => {
        if (!hold) res.end('new');
      });
      const controller = new AbortController();
      const gone = rejection(http.get('/one', { signal: controller.signal }));
      await until(() => origin.count > 0);
      hold = false;
      controller.abort();
      const next = http.get('/one');
      await gone;
      expect((await next).data).to.equal('new');
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    'ends the wait of each caller by its own timeout, with the code and message that axios has',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.end('late');
      });
      const stays = http.get('/one');
      const errors = await Promise.all([
        rejection(http.get('/one', { timeout: 20 })),
        rejection(http.get('/one', { timeout: 25, transitional: { clarifyTimeoutError: true } })),
        rejection(http.get('/one', { timeout: 30, timeoutErrorMessage: 'too slow' })),
      ]);
      expect(errors.map(({ code, message }) => [code, message])).to.deep.equal([
        ['ECONNABORTED', 'timeout of 20ms exceeded'],
        ['ETIMEDOUT', 'timeout of 25ms exceeded'],
        ['ECONNABORTED', 'too slow'],
      ]);
      expect(errors.map(({ config }) => config?.timeout)).to.deep.equal([20, 25, 30]);
      gate.open();
      expect((await stays).data).to.equal('late');
      expect(origin.count).to.equal(1);
    }),
  );

  it(
    'ends the wait of each caller as axios ends its own, by the adapter in use',
    using({}, async ({ another, origin }) => {
      const face = (error: AxiosError) => ({
        class: error.constructor,
        name: error.name,
        code: error.code,
        message: error.message,
        timeout: error.config?.timeout,
      });
      // An old fetch.js words it otherwise.
      for (const inner of isCurrentAxios ? (['http', 'fetch'] as const) : (['http'] as const)) {
        const gate = new Gate();
        origin.on('/one', async (_req, res) => {
          await gate.opened;
          res.end('late');
        });
        const plain = axios.create({ adapter: inner, baseURL: origin.url });
        const { http } = another({ adapter: inner });
        const stays = http.get('/one');
        const ends = [
          { timeout: 20 },
          { timeout: 25, timeoutErrorMessage: 'too slow' },
          { timeout: 30, transitional: { clarifyTimeoutError: true } },
        ];
        for (const end of ends) {
          const theirs = await rejection(plain.get('/one', end));
          expect(face(await rejection(http.get('/one', end)))).to.deep.equal(face(theirs));
        }
        const [theirs, ours] = await Promise.all(
          [plain, http].map((instance) => {
            const controller = new AbortController();
            const refused = rejection(instance.get('/one', { signal: controller.signal }));
            setImmediate(() => controller.abort(new Error('why')));
            return refused;
          }),
        );
        expect(face(ours as AxiosError)).to.deep.equal(face(theirs as AxiosError));
        gate.open();
        expect((await stays).data).to.equal('late');
      }
    }),
  );

  it(
    'shares no call with a request whose timeout is no number: that fails alone',
    using({}, async ({ http, origin }) => {
      const odd = { timeout: 'soon' as unknown as number };
      const [first, second, third] = await Promise.all([
        rejection(http.get('/one', odd)),
        http.get('/one'),
        rejection(http.get('/one', odd)),
      ]);
      for (const error of [first, third]) expect(error).to.include({ code: 'ERR_BAD_OPTION_VALUE' });
      expect(second).to.include({ status: 200, fromCache: false });
      expect(second.cacheStatus?.collapsed).to.equal(undefined);
      expect(origin.count).to.equal(1);
    }),
  );

  it('keeps the class of what an inner adapter rejects with, each caller its own, its response marked', async () => {
    class Refused extends AxiosError {}
    const gate = new Gate();
    let calls = 0;
    const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
      calls += 1;
      await gate.opened;
      const response = { status: 503, statusText: 'No', headers: {}, data: 'd', config };
      throw new Refused('refused', 'E_REFUSED', config, {}, response as AxiosResponse);
    };
    await using({ adapter, cacheStatusHeader: 'stash' }, async ({ http }) => {
      const all = [0, 1].map((n) => rejection(http.get('/one', { headers: {}, timeout: 5000 + n })));
      await until(() => calls > 0);
      gate.open();
      const errors = await Promise.all(all);
      expect(calls).to.equal(1);
      expect(errors[0]).not.to.equal(errors[1]);
      errors.forEach(({ response, ...rest }, n) => {
        expect(errors[n]).to.be.instanceOf(Refused);
        expect(rest.config?.timeout).to.equal(5000 + n);
        expect(response).to.include({ status: 503, fromCache: false, isExpired: false, revalidated: false });
        expect(response?.redirects).to.deep.equal([]);
        const status = { hit: false, fwd: 'uri-miss', fwdStatus: 503, stored: false };
        expect(response?.cacheStatus).to.deep.equal(n === 0 ? status : { ...status, collapsed: true });
        expect(response?.headers['cache-status']).to.match(/^stash; fwd=uri-miss; fwd-status=503/);
      });
      expect(errors[0]?.response).not.to.equal(errors[1]?.response);
    })();
  });

  it(
    'rejects each caller with an error of its own, whose config is its own',
    using({}, async ({ http, origin }) => {
      origin.on('/one', (_req, _res, raw) => {
        raw.socket.destroy();
      });
      const errors = await Promise.all(
        Array.from({ length: 20 }, (_, i) => rejection(http.get('/one', { headers: {}, timeout: 5000 + i }))),
      );
      expect(origin.count).to.equal(1);
      expect(new Set(errors).size).to.equal(20);
      errors.forEach((error, i) => {
        expect(axios.isAxiosError(error)).to.equal(true);
        expect(error).to.include({ code: 'ECONNRESET', message: 'socket hang up' });
        expect(error.config?.timeout).to.equal(5000 + i);
      });
    }),
  );

  it('hands on what an inner adapter throws though it is no axios error', async () => {
    for (const thrown of [new TypeError('boom'), 'text', undefined, { odd: true }]) {
      await using(
        {
          adapter: () => {
            throw thrown;
          },
        },
        async ({ http }) => {
          const outcomes = await Promise.allSettled([http.get('/one'), http.get('/one')]);
          for (const outcome of outcomes) {
            expect(outcome.status).to.equal('rejected');
            // axios itself dereferences what an adapter rejects with: undefined becomes its own TypeError.
            if (thrown !== undefined && outcome.status === 'rejected')
              expect(outcome.reason).to.equal(thrown);
          }
        },
      )();
    }
  });

  it(
    'tells every caller of progress',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.end('x'.repeat(1000));
      });
      const loaded = [0, 0];
      const all = loaded.map((_, i) =>
        http.get('/one', {
          onDownloadProgress: (event) => {
            loaded[i] = event.loaded;
          },
        }),
      );
      await until(() => origin.count > 0);
      gate.open();
      await Promise.all(all);
      await until(() => loaded[0] === 1000);
      expect(loaded).to.deep.equal([1000, 1000]);
      expect(origin.count).to.equal(1);
    }),
  );

  it(
    "does not hold one caller to another's maxContentLength",
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.end('x'.repeat(1000));
      });
      const small = rejection(http.get('/one', { maxContentLength: 10 }));
      const large = http.get('/one');
      await until(() => origin.count === 2);
      gate.open();
      expect(await small).to.include({
        code: 'ERR_BAD_RESPONSE',
        message: 'maxContentLength size of 10 exceeded',
      });
      expect((await large).data).to.have.length(1000);
    }),
  );

  it(
    'does not mix requests that differ in what is sent',
    using({ allowableMethods: ['GET', 'POST'] }, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (req, res) => {
        await gate.opened;
        res.end(`${req.method} ${req.headers.authorization ?? ''} ${req.body}`);
      });
      const all = [
        http.get('/one'),
        http.get('/one', { headers: { authorization: 'a' } }),
        http.get('/one', { headers: { authorization: 'b' } }),
        http.post('/one', { x: 1 }),
        http.post('/one', { x: 2 }),
      ];
      await until(() => origin.count === 5);
      gate.open();
      const texts = (await Promise.all(all)).map(({ data }) => data);
      expect(texts).to.deep.equal(['GET  ', 'GET a ', 'GET b ', 'POST  {"x":1}', 'POST  {"x":2}']);
    }),
  );

  it('shares a POST when POST is allowed, and sends two when it is not', async () => {
    for (const [allowableMethods, expected] of [
      [['POST'], 1],
      [['GET'], 2],
    ] as const) {
      await using({ allowableMethods }, async ({ http, origin }) => {
        const gate = new Gate();
        origin.on('/one', async (req, res) => {
          await gate.opened;
          res.end(req.body);
        });
        const all = [http.post('/one', { x: 1 }), http.post('/one', { x: 1 })];
        await until(() => origin.count === expected);
        gate.open();
        for (const { data } of await Promise.all(all)) expect(data).to.deep.equal({ x: 1 });
        expect(origin.count).to.equal(expected);
      })();
    }
  });

  it(
    'never lets forceRefresh join a plain call',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (req, res) => {
        await gate.opened;
        res.end(req.headers['cache-control'] ?? 'plain');
      });
      const all = [
        http.get('/one'),
        http.get('/one', { forceRefresh: true }),
        http.get('/one', { forceRefresh: true }),
      ];
      await until(() => origin.count === 2);
      gate.open();
      expect((await Promise.all(all)).map(({ data }) => data)).to.deep.equal([
        'plain',
        'no-cache',
        'no-cache',
      ]);
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    'gives each follower the variant of its own, all variants at once and all of them stored',
    using({}, async ({ http, origin, adapter }) => {
      const gates = [new Gate(), new Gate()];
      origin.on('/one', async (req, res) => {
        await gates[origin.count === 1 ? 0 : 1]?.opened;
        res.writeHead(200, { vary: 'Accept-Language' });
        res.end(String(req.headers['accept-language']));
      });
      const languages = Array.from({ length: 30 }, (_, i) => `l${i % 10}`);
      const all = languages.map((language) => http.get('/one', { headers: { 'accept-language': language } }));
      await until(() => origin.count === 1);
      gates[0]?.open();
      // Nobody waits for a variant that is not its own: the nine others are asked for side by side.
      await until(() => origin.count === 10);
      gates[1]?.open();
      expect((await Promise.all(all)).map(({ data }) => data)).to.deep.equal(languages);
      expect(origin.count).to.equal(10);
      for (const language of languages) {
        expect(
          (await http.get('/one', { headers: { 'accept-language': language } })).fromCache,
          language,
        ).to.equal(true);
      }
      expect(await adapter.cache.count()).to.equal(10);
    }),
  );

  it(
    'asks for each caller side by side when the answer says Vary: *',
    using({}, async ({ http, origin }) => {
      const gates = [new Gate(), new Gate()];
      origin.on('/one', async (_req, res) => {
        const n = origin.count;
        await gates[n === 1 ? 0 : 1]?.opened;
        res.writeHead(200, { vary: '*' });
        res.end(String(n));
      });
      const all = Array.from({ length: 8 }, () => http.get('/one'));
      await until(() => origin.count === 1);
      gates[0]?.open();
      await until(() => origin.count === 8);
      gates[1]?.open();
      expect(new Set((await Promise.all(all)).map(({ data }) => data)).size).to.equal(8);
    }),
  );

  it(
    'keeps to the timeout from the first moment when a call has to be made anew',
    using({}, async ({ http, origin }) => {
      origin.on('/one', async (req, res) => {
        if (req.headers['accept-language'] === 'b') return; // never answered
        await new Promise((resolve) => setTimeout(resolve, 300));
        res.writeHead(200, { vary: 'accept-language' });
        res.end('a');
      });
      const ended: string[] = [];
      const leader = http.get('/one', { headers: { 'accept-language': 'a' } });
      const follower = rejection(http.get('/one', { headers: { 'accept-language': 'b' }, timeout: 500 }));
      // Timers of one process run in the order in which they are due: begun anew, the wait would end at 800.
      const reference = new Promise((resolve) => setTimeout(resolve, 780)).then(() =>
        ended.push('reference'),
      );
      expect((await follower).message).to.equal('timeout of 500ms exceeded');
      ended.push('follower');
      await Promise.all([leader, reference]);
      expect(ended).to.deep.equal(['follower', 'reference']);
    }),
  );

  it(
    'shares revalidations too',
    using({}, async ({ http, origin, clock }) => {
      let gate = new Gate();
      gate.open();
      origin.on('/one', async (req, res) => {
        await gate.opened;
        res.writeHead(req.headers['if-none-match'] === '"1"' ? 304 : 200, { etag: '"1"' });
        res.end(req.headers['if-none-match'] === '"1"' ? undefined : 'body');
      });
      await http.get('/one', { expireAfter: 10 });
      clock.tick(11);
      gate = new Gate();
      const all = Array.from({ length: 50 }, () => http.get('/one', { expireAfter: 10 }));
      await until(() => origin.count === 2);
      gate.open();
      for (const response of await Promise.all(all)) {
        expect(response).to.include({ fromCache: true, revalidated: true, data: 'body', status: 200 });
      }
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    'sends each request by itself with coalesce: false, and still gives each its own',
    using({ coalesce: false }, async ({ http, origin }) => {
      const gate = new Gate();
      origin.on('/one', async (_req, res) => {
        await gate.opened;
        res.end('body');
      });
      const all = [http.get('/one'), http.get('/one'), http.get('/one')];
      await until(() => origin.count === 3);
      gate.open();
      for (const { data, cacheStatus } of await Promise.all(all)) {
        expect(data).to.equal('body');
        expect(cacheStatus?.collapsed).to.equal(undefined);
      }
    }),
  );

  it(
    'shares over a store that answers with promises',
    using({ backend: new RemoteStore() }, async ({ http, origin }) => {
      const all = await Promise.all(Array.from({ length: 100 }, () => http.get('/one')));
      expect(origin.count).to.equal(1);
      expect(new Set(all.map(({ data }) => data.n))).to.deep.equal(new Set([1]));
    }),
  );

  it(
    'does not let a request that began after a PUT join one that began before it',
    using({}, async ({ http, origin }) => {
      const gate = new Gate();
      let value = 'old';
      origin.on('/one', async (req, res) => {
        if (req.method === 'PUT') {
          value = 'new';
          res.end();
          return;
        }
        const seen = value;
        if (seen === 'old') await gate.opened;
        res.end(seen);
      });
      const before = http.get('/one');
      await until(() => origin.count === 1);
      await http.put('/one', 'x');
      const after = http.get('/one');
      expect((await after).data).to.equal('new');
      gate.open();
      expect((await before).data).to.equal('old');
      const hit = await http.get('/one');
      expect(hit).to.include({ fromCache: true, data: 'new' });
    }),
  );

  it(
    'leaves nothing on a signal that outlives its requests',
    using({}, async ({ http }) => {
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      for (let i = 0; i < 20; i++) await http.get(`/${i % 5}`, { signal });
      expect(listeners).to.equal(0);
    }),
  );

  it(
    'keeps the configs of all callers as they were',
    using({}, async ({ http }) => {
      const seen: InternalAxiosRequestConfig[] = [];
      http.interceptors.request.use((config) => {
        seen.push(config);
        return config;
      });
      const all: AxiosResponse[] = await Promise.all([http.get('/one'), http.get('/one')]);
      all.forEach((response, i) => {
        expect(response.config).to.equal(seen[i]);
        expect(response.config.responseType).to.equal(undefined);
        expect(response.config.signal).to.equal(undefined);
      });
    }),
  );
});
