import { expect } from 'chai';
import type { Handler } from '../support/origin.js';
import { answer, Gate, RemoteStore, until, using } from './support.js';

/** Says which value of the header it got. */
const byHeader =
  (name: string, vary = name): Handler =>
  (req, res) => {
    res.writeHead(200, { vary, 'cache-control': 'max-age=100' });
    res.end(`${name}=${String(req.headers[name.toLowerCase()])}`);
  };

for (const cacheControl of [false, true]) {
  describe(`Vary, cacheControl: ${cacheControl}`, () => {
    it(
      'keeps a variant for each value, and for none',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        origin.on('/v', byHeader('Accept-Language'));
        const values = [
          undefined,
          '',
          'de',
          'en',
          'en, de',
          'DE',
          ...Array.from({ length: 50 }, (_, i) => `l${i}`),
        ];
        const ask = (value: string | undefined) =>
          http.get('/v', { headers: value === undefined ? {} : { 'Accept-Language': value } });
        for (const value of values) await ask(value);
        expect(origin.count).to.equal(values.length);
        for (const value of values) {
          const hit = await ask(value);
          expect(hit.fromCache, String(value)).to.equal(true);
          expect(hit.data, String(value)).to.equal(`Accept-Language=${String(value)}`);
        }
        expect(origin.count).to.equal(values.length);
        expect(await adapter.cache.count()).to.equal(values.length);
      }),
    );

    it(
      'ignores white space round commas, not order or case',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/v', byHeader('Accept-Language'));
        const ask = async (value: string) =>
          (await http.get('/v', { headers: { 'Accept-Language': value } })).fromCache;
        expect(await ask('en,de;q=0.5')).to.equal(false);
        expect(await ask('en , de;q=0.5')).to.equal(true);
        expect(await ask('de;q=0.5, en')).to.equal(false);
        expect(await ask('EN,de;q=0.5')).to.equal(false);
      }),
    );

    it(
      'never reuses Vary: *, alone or in a list, and stores nothing of it',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        for (const vary of ['*', 'Accept, *']) {
          origin.on('/v', byHeader('Accept', vary));
          expect((await http.get('/v')).cacheStatus).to.include({ stored: false });
          expect((await http.get('/v')).fromCache).to.equal(false);
        }
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'says vary-miss where only the variant is missing',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/v', byHeader('Accept-Language'));
        expect((await http.get('/v')).cacheStatus).to.include({ fwd: 'uri-miss' });
        expect((await http.get('/v', { headers: { 'accept-language': 'de' } })).cacheStatus).to.include({
          fwd: 'vary-miss',
        });
      }),
    );

    it(
      'honours Vary for names that are ignored, and for credentials that are',
      using(
        { cacheControl, ignoredParameters: ['X-Tenant', 'Authorization', 'Cookie'] },
        async ({ http, origin }) => {
          for (const name of ['X-Tenant', 'Authorization', 'Cookie']) {
            origin.on(`/${name}`, byHeader(name));
            const ask = async (value: string) => http.get(`/${name}`, { headers: { [name]: value } });
            expect((await ask('a')).data).to.equal(`${name}=a`);
            expect((await ask('b')).data).to.equal(`${name}=b`);
            expect(await ask('a')).to.include({ fromCache: true, data: `${name}=a` });
          }
        },
      ),
    );

    it(
      'tells basic auth from the config apart where Vary names Authorization',
      using({ cacheControl, ignoredParameters: ['authorization'] }, async ({ http, origin }) => {
        origin.on('/v', byHeader('Authorization'));
        const ask = (username: string) => http.get('/v', { auth: { username, password: 'x' } });
        const [a, b] = [await ask('a'), await ask('b')];
        expect(a.data).not.to.equal(b.data);
        expect(await ask('a')).to.include({ fromCache: true, data: a.data });
      }),
    );

    it('stores no value of a varied header, only digests', async () => {
      const backend = new RemoteStore();
      await using(
        { cacheControl, backend, redact: ['x-tenant'], serializer: 'json' },
        async ({ http, origin, adapter }) => {
          origin.on('/v', byHeader('X-Tenant'));
          await http.get('/v', {
            headers: { 'X-Tenant': 'very-secret-tenant' },
            transformResponse: () => '',
          });
          await adapter.cache.flush();
          const stored = [...backend.map.values()].map((bytes) => Buffer.from(bytes).toString('latin1'));
          expect(stored).to.have.length(2);
          const head = stored.map((text) => text.replace('X-Tenant=very-secret-tenant', ''));
          // The body echoes the value: what is said of the request must not.
          for (const text of head) expect(text).not.to.include('very-secret-tenant');
        },
      )();
    });

    it(
      'combines several names, and the Vary of the newest response counts',
      using({ cacheControl }, async ({ http, origin }) => {
        origin.on('/v', answer('both', { vary: 'A, B', 'cache-control': 'max-age=100' }));
        const ask = (a: string, b: string) => http.get('/v', { headers: { a, b } });
        await ask('1', '1');
        expect((await ask('1', '1')).fromCache).to.equal(true);
        expect((await ask('1', '2')).fromCache).to.equal(false);
        expect((await ask('2', '1')).fromCache).to.equal(false);
      }),
    );

    it(
      'lets a response without Vary stand for all that varied before, and the other way round',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        const ask = (value: string, config = {}) => http.get('/v', { headers: { accept: value }, ...config });
        origin.on('/v', byHeader('Accept'));
        await ask('a');
        await ask('b');
        expect(await adapter.cache.count()).to.equal(2);
        origin.on('/v', answer('one for all', { 'cache-control': 'max-age=100' }));
        await ask('c');
        expect(await ask('a')).to.include({ fromCache: true, data: 'one for all' });
        expect(await adapter.cache.count()).to.equal(1);
        origin.on('/v', byHeader('Accept'));
        await ask('a', { forceRefresh: true });
        expect(await ask('a')).to.include({ fromCache: true, data: 'Accept=a' });
        expect((await ask('b')).fromCache).to.equal(false);
      }),
    );

    it(
      'replaces a variant in place',
      using({ cacheControl }, async ({ http, origin, adapter, clock }) => {
        let n = 0;
        origin.on('/v', (_req, res) => {
          n += 1;
          res.writeHead(200, { vary: 'accept', 'cache-control': 'max-age=10' });
          res.end(String(n));
        });
        await http.get('/v', { expireAfter: 10 });
        clock.tick(11);
        await http.get('/v', { expireAfter: 10 });
        expect(await http.get('/v')).to.include({ fromCache: true, data: 2 });
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );

    it(
      'revalidates the variant that the request selects',
      using({ cacheControl }, async ({ http, origin, clock }) => {
        origin.on('/v', (req, res) => {
          const etag = `"${String(req.headers.accept)}"`;
          const isSame = req.headers['if-none-match'] === etag;
          res.writeHead(isSame ? 304 : 200, { vary: 'accept', etag, 'cache-control': 'max-age=10' });
          res.end(isSame ? undefined : etag);
        });
        for (const accept of ['a', 'b'])
          await http.get('/v', { headers: { accept }, expireAfter: 10, transformResponse: [] });
        clock.tick(11);
        for (const accept of ['a', 'b']) {
          const again = await http.get('/v', { headers: { accept }, expireAfter: 10, transformResponse: [] });
          expect(again).to.include({ revalidated: true, fromCache: true, data: `"${accept}"` });
        }
        for (const accept of ['a', 'b']) {
          const hit = await http.get('/v', { headers: { accept }, transformResponse: [] });
          expect(hit).to.include({ revalidated: false, fromCache: true });
        }
        expect(origin.count).to.equal(4);
      }),
    );

    it('loses none of the variants that come in at the same time, over a store that answers late', async () => {
      const backend = new RemoteStore();
      backend.before = () => new Promise((resolve) => setImmediate(resolve));
      await using({ cacheControl, backend }, async ({ http, origin }) => {
        const gate = new Gate();
        origin.on('/v', async (req, res) => {
          await gate.opened;
          await byHeader('Accept')(req, res, undefined as never);
        });
        const values = Array.from({ length: 12 }, (_, i) => `t/${i}`);
        // Each its own call: it is the storing side by side that is looked at.
        const all = values.map((accept) =>
          http.get('/v', { headers: { accept }, timeout: 0, maxRedirects: 5 }),
        );
        await until(() => origin.count === 1);
        gate.open();
        await Promise.all(all);
        for (const accept of values)
          expect((await http.get('/v', { headers: { accept } })).fromCache, accept).to.equal(true);
      })();
    });

    it(
      'does not grow without bound where Vary names something random',
      using({ cacheControl }, async ({ http, origin, adapter }) => {
        origin.on('/v', byHeader('X-Request-Id'));
        for (let i = 0; i < 130; i++) await http.get('/v', { headers: { 'X-Request-Id': String(i) } });
        expect(await adapter.cache.count()).to.equal(100);
        expect((await http.get('/v', { headers: { 'X-Request-Id': '129' } })).fromCache).to.equal(true);
        expect((await http.get('/v', { headers: { 'X-Request-Id': '0' } })).fromCache).to.equal(false);
      }),
    );
  });
}
