import type { AxiosResponse } from 'axios';
import { expect } from 'chai';
import { DO_NOT_CACHE } from '../../lib/index.js';
import { Origin } from '../support/origin.js';
import { answer, Resource, rejection, using } from './support.js';

const to = (location: string, status = 302, headers: Record<string, string> = {}) =>
  answer('', { location, 'cache-control': 'max-age=100', ...headers }, status);
const target = answer('target', { 'cache-control': 'max-age=100' });
const responseUrl = (response: AxiosResponse): unknown => response.request?.res?.responseUrl;

for (const cacheControl of [false, true]) {
  describe(`redirects, cacheControl: ${cacheControl}`, () => {
    for (const status of [301, 302, 303, 307, 308]) {
      it(
        `makes the first URL and the target of a ${status} hits`,
        using({ cacheControl }, async ({ http, origin, adapter }) => {
          origin.on('/from', to('/to', status)).on('/to', target);
          const first = await http.get('/from');
          expect(first).to.include({ data: 'target', fromCache: false, status: 200 });
          expect(first.redirects).to.deep.equal([`${origin.url}/from`]);
          const hit = await http.get('/from');
          expect(hit).to.include({ data: 'target', fromCache: true, status: 200 });
          expect(hit.redirects).to.deep.equal([`${origin.url}/from`]);
          expect(responseUrl(hit)).to.equal(`${origin.url}/to`);
          expect(responseUrl(hit)).to.equal(responseUrl(first));
          const direct = await http.get('/to');
          expect(direct).to.include({ data: 'target', fromCache: true });
          expect(direct.redirects).to.deep.equal([]);
          expect(direct.cacheKey).to.equal(hit.cacheKey);
          expect(origin.count).to.equal(2);
          expect(await adapter.cache.count()).to.equal(1);
        }),
      );
    }

    it(
      'keeps the target as its own pattern says',
      using(
        {
          cacheControl,
          expireAfter: 100,
          urlsExpireAfter: { '127.0.0.1/private': DO_NOT_CACHE, '127.0.0.1/soon': 5 },
        },
        async ({ http, origin, adapter, clock }) => {
          const bare = answer('target');
          origin.on('/go', to('/private/me')).on('/private/me', bare);
          for (let n = 0; n < 2; n++) expect((await http.get('/go')).fromCache).to.equal(false);
          expect(await adapter.cache.urls()).to.deep.equal([]);
          origin.on('/private/go', to('/open')).on('/open', bare);
          origin.on('/over', to('/private/go'));
          for (let n = 0; n < 2; n++) expect((await http.get('/over')).fromCache).to.equal(false);
          expect((await http.get('/open')).fromCache).to.equal(true);

          origin.on('/slow', to('/soon')).on('/soon', bare);
          const first = await http.get('/slow');
          expect(first.fromCache).to.equal(false);
          expect(Number(first.expires) - Number(first.createdAt)).to.equal(5000);
          clock.tick(6);
          expect((await http.get('/soon')).fromCache).to.equal(false);
        },
      ),
    );

    it(
      'makes every hop a hit, with the hops that were left from there',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        origin
          .on('/1', to('/2', 301))
          .on('/2', to('3?x=1', 307))
          .on('/3', to(`${origin.url}/4#part`))
          .on('/4', target);
        const urls = ['/1', '/2', '/3?x=1'].map((path) => origin.url + path);
        expect((await http.get('/1')).redirects).to.deep.equal(urls);
        for (const [path, redirects] of [
          ['/1', urls],
          ['/2', urls.slice(1)],
          ['/3?x=1', urls.slice(2)],
          ['/4', []],
        ] as const) {
          const hit = await http.get(path);
          expect(hit, path).to.include({ fromCache: true, data: 'target' });
          expect(hit.redirects, path).to.deep.equal(redirects);
          expect(responseUrl(hit), path).to.equal(`${origin.url}/4`);
        }
        expect(origin.count).to.equal(4);
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );

    it(
      'keys a hop on another host with what was really sent to it',
      using({ cacheControl }, async ({ http, origin }) => {
        const other = await Origin.start((req, res) => {
          res.writeHead(200, { 'cache-control': 'max-age=100' });
          res.end(`auth: ${req.headers.authorization ?? 'none'}`);
        });
        try {
          const elsewhere = `${other.url.replace('127.0.0.1', 'localhost')}/to`;
          origin.on('/from', to(elsewhere));
          const headers = { authorization: 'Bearer a' };
          expect((await http.get('/from', { headers })).data).to.equal('auth: none');
          expect((await http.get(elsewhere)).fromCache).to.equal(true);
          expect((await http.get('/from', { headers })).fromCache).to.equal(true);
          expect((await http.get(elsewhere, { headers })).data).to.equal('auth: Bearer a');
          expect((await http.get('/from')).fromCache).to.equal(false);
        } finally {
          await other.close();
        }
      }),
    );

    it(
      'counts the Vary of a hop for its alias',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', (req, res) => {
          const language = String(req.headers['accept-language']);
          res.writeHead(302, {
            location: `/${language}`,
            vary: 'Accept-Language',
            'cache-control': 'max-age=100',
          });
          res.end();
        });
        for (const language of ['de', 'en'])
          origin.on(`/${language}`, answer(language, { 'cache-control': 'max-age=100' }));
        const ask = (language: string) => http.get('/from', { headers: { 'accept-language': language } });
        expect((await ask('de')).data).to.equal('de');
        expect((await ask('en')).data).to.equal('en');
        expect(await ask('de')).to.include({ data: 'de', fromCache: true });
        expect(await ask('en')).to.include({ data: 'en', fromCache: true });
        expect(origin.count).to.equal(4);
      }),
    );

    it(
      'makes no alias of a hop that says Vary: *, but keeps the target',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to', 302, { vary: '*' })).on('/to', target);
        await http.get('/from');
        expect((await http.get('/from')).fromCache).to.equal(false);
        expect((await http.get('/to')).fromCache).to.equal(true);
      }),
    );

    it(
      'follows the variants of the target',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to')).on('/to', (req, res) => {
          res.writeHead(200, { vary: 'accept', 'cache-control': 'max-age=100' });
          res.end(String(req.headers.accept));
        });
        const ask = (accept: string) => http.get('/from', { headers: { accept } });
        expect((await ask('a')).data).to.equal('a');
        expect((await ask('b')).data).to.equal('b');
        expect(await ask('a')).to.include({ data: 'a', fromCache: true });
        expect(await ask('b')).to.include({ data: 'b', fromCache: true });
      }),
    );

    it(
      'keeps a request that follows redirects apart from one that does not',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to')).on('/to', target);
        await http.get('/from');
        const bare = await http.get('/from', { maxRedirects: 0, validateStatus: null });
        expect(bare).to.include({ status: 302, fromCache: false });
        const error = await rejection(http.get('/from', { maxRedirects: 0 }));
        expect(error.response).to.include({ status: 302 });
        expect((await http.get('/from')).data).to.equal('target');
      }),
    );

    it(
      'rejects with axios’ own error when there are too many, and stores nothing',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        origin.on('/loop', to('/loop'));
        const error = await rejection(http.get('/loop', { maxRedirects: 3 }));
        expect(error).to.include({ code: 'ERR_FR_TOO_MANY_REDIRECTS' });
        expect(error.config?.maxRedirects).to.equal(3);
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'lets an alias end with its target',
      using({ cacheControl }, async ({ http, origin, adapter, clock }) => {
        origin.on('/from', to('/to')).on('/to', target);
        await http.get('/from', { expireAfter: 50 });
        clock.tick(51);
        expect((await http.get('/from', { expireAfter: 50 })).fromCache).to.equal(false);
        expect((await http.get('/from')).fromCache).to.equal(true);
        await adapter.cache.delete({ keys: [(await http.get('/to')).cacheKey ?? ''] });
        expect((await http.get('/from')).fromCache).to.equal(false);
        expect((await http.get('/from')).fromCache).to.equal(true);
      }),
    );

    it(
      'revalidates the target through its alias',
      using({ cacheControl, expireAfter: 10 }, async ({ http, origin, clock, adapter }) => {
        const resource = new Resource();
        origin.on('/from', to('/to', 301)).on('/to', resource.handler);
        await http.get('/from');
        clock.tick(11);
        const again = await http.get('/from');
        expect(again).to.include({ revalidated: true, fromCache: true, data: 'v1' });
        expect(again.redirects).to.deep.equal([`${origin.url}/from`]);
        expect(await http.get('/from')).to.include({ fromCache: true, revalidated: false });
        expect(await http.get('/to')).to.include({ fromCache: true, revalidated: false });
        expect(origin.count).to.equal(4);
        expect(await adapter.cache.removeExpiredResponses()).to.equal(0);
        expect((await http.get('/from')).fromCache).to.equal(true);
      }),
    );

    it(
      'leads to the newer target after that was replaced directly',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to')).on('/to', target);
        await http.get('/from');
        origin.on('/to', answer('newer', { 'cache-control': 'max-age=100' }));
        await http.get('/to', { forceRefresh: true });
        expect(await http.get('/from')).to.include({ data: 'newer', fromCache: true });
      }),
    );

    it(
      'follows where the first URL leads now, once it leads elsewhere',
      using({ cacheControl }, async ({ http, origin }) => {
        origin
          .on('/from', to('/to'))
          .on('/to', target)
          .on('/else', answer('else', { 'cache-control': 'max-age=100' }));
        await http.get('/from');
        origin.on('/from', to('/else'));
        await http.get('/from', { forceRefresh: true });
        const hit = await http.get('/from');
        expect(hit).to.include({ data: 'else', fromCache: true });
        origin.on('/from', answer('here', { 'cache-control': 'max-age=100' }));
        await http.get('/from', { forceRefresh: true });
        expect(await http.get('/from')).to.include({ data: 'here', fromCache: true });
      }),
    );

    it(
      'stores the GET that a POST is redirected to, and the POST too where it is allowed',
      using({ cacheControl, allowableMethods: ['GET', 'POST'] }, async ({ http, origin }) => {
        origin.on('/form', to('/result', 303)).on('/result', target);
        const first = await http.post('/form', { a: 1 });
        expect(first).to.include({ data: 'target', fromCache: false });
        expect(origin.last).to.include({ method: 'GET', url: '/result' });
        expect(await http.get('/result')).to.include({ fromCache: true, data: 'target' });
        expect(await http.post('/form', { a: 1 })).to.include({ fromCache: true, data: 'target' });
        expect((await http.post('/form', { a: 2 })).fromCache).to.equal(false);
      }),
    );

    it(
      'streams through redirects and keeps them',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to')).on('/to', target);
        const first = await http.get('/from', { responseType: 'stream' });
        expect(first.redirects).to.deep.equal([`${origin.url}/from`]);
        for await (const _ of first.data);
        const hit = await http.get('/from');
        expect(hit).to.include({ fromCache: true, data: 'target' });
        expect(hit.redirects).to.deep.equal([`${origin.url}/from`]);
      }),
    );

    it(
      'redacts what it keeps of the hops',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to?token=abc')).on('/to', target);
        await http.get('/from?api_key=xyz');
        const hit = await http.get('/from?api_key=xyz');
        expect(hit.fromCache).to.equal(true);
        expect(JSON.stringify([hit.redirects, responseUrl(hit)])).not.to.match(/abc|xyz/);
        expect((await http.get('/from?api_key=other')).fromCache).to.equal(false);
      }),
    );

    it(
      'calls the caller’s own beforeRedirect as axios does',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/from', to('/to')).on('/to', (req, res) => {
          res.setHeader('cache-control', 'max-age=100');
          res.end(String(req.headers['x-hop']));
        });
        const beforeRedirect = (options: Record<string, Record<string, string>>) => {
          (options.headers ?? {})['x-hop'] = 'yes';
        };
        expect((await http.get('/from', { beforeRedirect })).data).to.equal('yes');
      }),
    );
  });
}

describe('redirects by RFC 9111', () => {
  it(
    'keeps no alias of a redirect that may not be reused',
    using({ cacheControl: true }, async ({ http, origin }) => {
      for (const [headers, status] of [
        [{}, 302],
        [{ 'cache-control': 'no-store' }, 301],
        [{ 'cache-control': 'max-age=0' }, 302],
      ] as const) {
        origin.on('/from', answer('', { location: '/to', ...headers }, status)).on('/to', target);
        await http.get('/from', { forceRefresh: true });
        expect((await http.get('/from')).fromCache, JSON.stringify(headers)).to.equal(false);
        expect((await http.get('/to')).fromCache).to.equal(true);
      }
    }),
  );

  it(
    'ends an alias with the first hop that expires',
    using({ cacheControl: true }, async ({ http, origin, clock }) => {
      origin
        .on('/1', to('/2', 301, { 'cache-control': 'max-age=100' }))
        .on('/2', to('/3', 302, { 'cache-control': 'max-age=10' }))
        .on('/3', target);
      await http.get('/1');
      clock.tick(9);
      expect((await http.get('/1')).fromCache).to.equal(true);
      clock.tick(2);
      expect((await http.get('/3')).fromCache).to.equal(true);
      expect((await http.get('/2')).fromCache).to.equal(false);
      clock.tick(11);
      expect((await http.get('/1')).fromCache).to.equal(false);
    }),
  );
});
