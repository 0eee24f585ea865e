/** The table of contract 5, row by row, in both modes and over both of axios' adapters for Node. */
import { expect } from 'chai';
import type { CacheOptions } from '../../lib/index.js';
import { answer, Gate, Resource, recordEvents, rejection, until, using } from '../adapter/support.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { down } from './modes.js';

const ETAG = '"1"';

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

/** With an entity tag, confirmed by 304. */
function resource(): Resource {
  return Object.assign(new Resource(), { headers: { 'content-type': 'text/plain' } });
}

for (const adapter of ['http', 'fetch'] as const) {
  for (const cacheControl of [false, true]) {
    const options: CacheOptions = { adapter, cacheControl, expireAfter: 10 };

    describe(`serving over ${adapter}, cacheControl: ${cacheControl}`, () => {
      for (const responseType of [undefined, 'text', 'json', 'arraybuffer'] as const) {
        it(
          `a hit is what the network gave: responseType ${responseType ?? 'by default'}`,
          using(options, async ({ http, origin }) => {
            origin.on('/r', answer('{"a":[1]}', { 'content-type': 'application/json', 'x-n': '1' }));
            const config = responseType === undefined ? {} : { responseType };
            const [miss, hit] = [await http.get('/r', config), await http.get('/r', config)];
            for (const name of ['status', 'statusText'] as const) expect(hit[name]).to.equal(miss[name]);
            expect(hit.data).to.deep.equal(miss.data);
            const { age, ...headers } = hit.headers;
            const sent: Record<string, unknown> = { ...miss.headers };
            // RFC 9111 3.1: the fields of a connection go with it.
            if (cacheControl) for (const name of HOP_BY_HOP) delete sent[name];
            expect(headers).to.deep.equal(sent);
            expect(age === undefined).to.equal(!cacheControl);
            expect([miss.fromCache, hit.fromCache, origin.count]).to.deep.equal([false, true, 1]);
          }),
        );
      }

      it(
        'forceRefresh reads nothing, asks without condition and stores the answer',
        using(options, async ({ http, origin }) => {
          const own = resource();
          origin.on('/r', own.handler);
          await http.get('/r');
          own.body = 'v2';
          expect(await http.get('/r', { forceRefresh: true })).to.include({ data: 'v2', fromCache: false });
          expect(origin.last?.headers).not.to.have.property('if-none-match');
          expect(await http.get('/r')).to.include({ data: 'v2', fromCache: true });
        }),
      );

      it(
        'refresh asks with the validator, and fetches where there is none',
        using(options, async ({ http, origin }) => {
          origin.on('/r', resource().handler).on('/none', answer('x'));
          for (const path of ['/r', '/none']) await http.get(path);
          expect(await http.get('/r', { refresh: true })).to.include({ revalidated: true, data: 'v1' });
          expect(origin.last?.headers).to.include({ 'if-none-match': ETAG });
          expect(await http.get('/none', { refresh: true })).to.include({ revalidated: false, data: 'x' });
          expect(origin.last?.headers).not.to.have.property('if-none-match');
        }),
      );

      it(
        'alwaysRevalidate asks each time with the validator, and is a plain hit without',
        using({ ...options, alwaysRevalidate: true }, async ({ http, origin }) => {
          origin.on('/r', resource().handler).on('/none', answer('x'));
          for (const path of ['/r', '/none']) await http.get(path);
          for (let n = 0; n < 2; n++) expect(await http.get('/r')).to.include({ revalidated: true });
          expect(await http.get('/none')).to.include({ fromCache: true, revalidated: false });
          expect(origin.count).to.equal(4);
        }),
      );

      it(
        'onlyIfCached is what is there and fresh, else a 504 of our own; never a request',
        using(options, async ({ http, origin, clock }) => {
          const asking = { onlyIfCached: true };
          const missing = await rejection(http.get('/r', asking));
          expect(missing.response).to.include({ status: 504, statusText: 'Gateway Timeout' });
          await http.get('/r');
          expect(await http.get('/r', asking)).to.include({ fromCache: true });
          clock.tick(11);
          expect(await http.get('/r', { ...asking, validateStatus: null })).to.include({ status: 504 });
          expect(await http.get('/r', { ...asking, staleIfError: true })).to.include({ isExpired: true });
          expect(origin.count).to.equal(1);
        }),
      );

      it(
        'staleIfError stands in for a network that fails and for a 5xx, within its bound',
        using({ ...options, staleIfError: 60 }, async ({ http, origin, clock }) => {
          origin.on('/r', answer('v1', { etag: ETAG }));
          await http.get('/r');
          for (const trouble of [down, answer('trouble', {}, 503)]) {
            origin.on('/r', trouble);
            clock.tick(20);
            expect(await http.get('/r')).to.include({ data: 'v1', fromCache: true, isExpired: true });
          }
          clock.tick(40);
          expect((await rejection(http.get('/r'))).response).to.include({ status: 503, data: 'trouble' });
          origin.on('/r', down);
          const error = await rejection(http.get('/r'));
          expect(error.response).to.equal(undefined);
          expect(error).to.have.property('isAxiosError', true);
        }),
      );

      it(
        'staleWhileRevalidate answers at once and refreshes once for all, whose failure is an event',
        using(
          { ...options, staleWhileRevalidate: true },
          async ({ http, origin, clock, errors, adapter: own }) => {
            const kept = resource();
            const gate = new Gate();
            origin.on('/r', kept.handler);
            await http.get('/r');
            clock.tick(11);
            Object.assign(kept, { body: 'v2', etag: '"2"' });
            origin.on('/r', async (req, res, raw) => {
              await gate.opened;
              await kept.handler(req, res, raw);
            });
            const stale = await Promise.all([http.get('/r'), http.get('/r'), http.get('/r')]);
            for (const one of stale) expect(one).to.include({ data: 'v1', isExpired: true });
            gate.open();
            await until(() => own.cache.stats().stored === 2);
            expect(await http.get('/r')).to.include({ data: 'v2', isExpired: false });
            expect(origin.count).to.equal(2);
            origin.on('/r', down);
            clock.tick(11);
            expect(await http.get('/r')).to.include({ data: 'v2', isExpired: true });
            await until(() => errors.length > 0);
            expect(errors[0]).to.include({ reason: 'background refresh' });
          },
        ),
      );

      it(
        'readOnly reads, and changes nothing',
        using(options, async ({ http, origin, adapter, clock }) => {
          origin.on('/r', resource().handler);
          await http.get('/r');
          adapter.settings.readOnly = true;
          expect(await http.get('/r')).to.include({ fromCache: true });
          await http.get('/other');
          await http.post('/r', undefined, { validateStatus: null });
          clock.tick(11);
          expect(await http.get('/r')).to.include({ revalidated: true });
          expect(await http.get('/r')).to.include({ revalidated: true });
          expect(await adapter.cache.count()).to.equal(1);
        }),
      );

      it(
        'callers that ask the same at once share one call, each with a response, signal and timeout of its own',
        using(options, async ({ http, origin }) => {
          const gate = new Gate();
          origin.on('/r', async (_req, res) => {
            await gate.opened;
            res.setHeader('content-type', 'application/json');
            res.end('{"a":1}');
          });
          const controller = new AbortController();
          const all = [http.get('/r'), http.get('/r', { params: {} }), http.get('/r')];
          const aborted = rejection(http.get('/r', { signal: controller.signal }));
          const late = rejection(http.get('/r', { timeout: 20 }));
          await until(() => origin.count > 0);
          controller.abort();
          expect(await aborted).to.include({ code: 'ERR_CANCELED' });
          expect(await late).to.include({ message: 'timeout of 20ms exceeded' });
          gate.open();
          const responses = await Promise.all(all);
          for (const one of responses) expect(one.data).to.deep.equal({ a: 1 });
          expect(new Set(responses.map(({ data }) => data)).size).to.equal(3);
          expect(new Set(responses.map(({ config }) => config)).size).to.equal(3);
          expect(origin.count).to.equal(1);
        }),
      );

      it(
        'a failure reaches each of them as its own error',
        using(options, async ({ http, origin }) => {
          origin.on('/r', down);
          const failed = await Promise.all([rejection(http.get('/r')), rejection(http.get('/r'))]);
          expect(new Set(failed).size).to.equal(2);
          expect(failed[0]?.config).not.to.equal(failed[1]?.config);
        }),
      );

      it(
        'a stream goes through at once and is stored when complete; a hit is a stream',
        using(options, async ({ http, origin, adapter: own }) => {
          const gate = new Gate();
          origin.on('/r', async (_req, res) => {
            res.write('first ');
            await gate.opened;
            res.end('second');
          });
          const { data } = await http.get('/r', { responseType: 'stream' });
          gate.open();
          expect(await textOf(data)).to.equal('first second');
          await own.cache.flush();
          await until(() => own.cache.stats().stored === 1);
          const hit = await http.get('/r', { responseType: 'stream' });
          expect(hit.fromCache).to.equal(true);
          expect(await textOf(hit.data)).to.equal('first second');
        }),
      );

      if (adapter === 'http') {
        it(
          'the first URL, each hop and the target of a redirect are hits afterwards',
          using(options, async ({ http, origin }) => {
            const moved = (location: string) => answer('', { location, 'cache-control': 'max-age=10' }, 301);
            origin.on('/a', moved('/b')).on('/b', moved('/c')).on('/c', answer('c'));
            const first = await http.get('/a');
            expect(first.redirects).to.deep.equal([`${origin.url}/a`, `${origin.url}/b`]);
            for (const path of ['/a', '/b', '/c'])
              expect(await http.get(path), path).to.include({ fromCache: true, data: 'c' });
            expect((await http.get('/b')).redirects).to.deep.equal([`${origin.url}/b`]);
            expect(origin.count).to.equal(3);
          }),
        );
      } else {
        it(
          'a redirect that fetch follows by itself is kept under the first URL',
          using(options, async ({ http, origin }) => {
            origin.on('/a', answer('', { location: '/c', 'cache-control': 'max-age=10' }, 301));
            origin.on('/c', answer('c'));
            expect((await http.get('/a')).data).to.equal('c');
            expect((await http.get('/a')).data).to.equal('c');
          }),
        );
      }

      it(
        'a Range request is bypassed, and a 206 is never stored, whoever asked for it',
        using(options, async ({ http, origin, adapter: own }) => {
          origin.on('/r', answer('body', { etag: ETAG }));
          await http.get('/r');
          origin.on('/r', answer('bo', { 'content-range': 'bytes 0-1/4' }, 206));
          const part = await http.get('/r', { headers: { Range: 'bytes=0-1' } });
          expect(part).to.include({ status: 206, data: 'bo', fromCache: false });
          expect(part.cacheStatus).to.include({ fwd: 'bypass', stored: false });
          expect(await http.get('/r')).to.include({ data: 'body', fromCache: true });
          origin.on('/unasked', answer('bo', { 'cache-control': 'max-age=10', etag: ETAG }, 206));
          for (let n = 0; n < 2; n++) expect((await http.get('/unasked')).fromCache).to.equal(false);
          expect(await own.cache.count()).to.equal(1);
        }),
      );

      it(
        `HEAD ${cacheControl ? 'is answered by a fresh GET' : 'goes by its own entry'}`,
        using(options, async ({ http, origin }) => {
          origin.on('/r', answer('body', { 'x-n': '1' }));
          await http.get('/r');
          const heads = [await http.head('/r'), await http.head('/r')];
          expect(heads.map(({ fromCache }) => fromCache)).to.deep.equal([cacheControl, true]);
          for (const head of heads) {
            expect(head).to.include({ status: 200, data: '' });
            expect(head.headers).to.include({ 'x-n': '1' });
          }
        }),
      );

      itOnCurrentAxios(
        'a store that fails makes a miss and an event',
        using({ ...options, hotBytes: 0 }, async (own) => {
          const { http, origin, adapter: cached } = own;
          origin.on('/r', answer('body'));
          await http.get('/r');
          const events = recordEvents(own, ['error']);
          const other = own.another({
            ...options,
            backend: {
              get: () => Promise.reject(new Error('down')),
              set: () => Promise.reject(new Error('down')),
              delete: () => 0,
              clear() {},
              async *keys() {},
              close() {},
            },
          });
          expect(await other.http.get('/r')).to.include({ data: 'body', fromCache: false });
          await other.adapter.cache.flush();
          expect(other.adapter.cache.stats().errors).to.be.greaterThan(0);
          expect(events).to.deep.equal([]);
          expect(await cached.cache.count()).to.equal(1);
        }),
      );
    });
  }
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
