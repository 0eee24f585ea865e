/** No secret of a request is in any store, in any form, whichever place it was given in; nor after it was deleted. */
import { randomBytes } from 'node:crypto';
import axios, { type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { type Handler, Origin } from '../support/origin.js';
import { places } from './secrets.js';
import { holds, type OpenStore, stores, type TrustStore } from './stores.js';

/** Answers `ok`; redirects below /hop, /location, /user-location and /cookie, with the secret in what it answers. */
const handler: Handler = (req, res) => {
  const url = new URL(req.url, 'http://h');
  const secret = url.searchParams.get('password') ?? String(req.headers['x-api-token']);
  switch (url.pathname) {
    case '/hop':
      return void res.writeHead(302, { location: `/landed?token=${url.searchParams.get('token')}` }).end();
    case '/location':
      return void res.writeHead(302, { location: `/landed?secret=${secret}#${secret}` }).end(secret);
    case '/user-location':
      return void res.writeHead(302, { location: `//ann:${secret}@${req.headers.host}/landed` }).end();
    case '/cookie':
      return void res.writeHead(302, { location: '/landed', 'set-cookie': `session=${secret}` }).end();
    default:
      res.setHeader('vary', 'authorization, cookie, x-api-key');
      res.end('ok');
  }
};

/** Every spelling in which the secret could be there to be read. */
function spellings(secret: string): string[] {
  const basic = Buffer.from(`ann:${secret}`).toString('base64');
  // As UTF-16, in UTF-8 and in JSON.
  const wide = ['\0', '\\u0000'].map((between) => [...secret].join(between));
  return [secret, Buffer.from(secret).toString('hex'), basic, ...wide];
}

const SETTINGS = {
  storeTimeout: 20,
  allowableMethods: ['GET', 'POST'],
  ignoredParameters: ['nonce', 'x-nonce'],
  matchHeaders: true,
} as const;

async function holding<T>(
  store: TrustStore,
  look: (open: OpenStore, origin: Origin) => Promise<T>,
): Promise<T> {
  const origin = await Origin.start(handler);
  const open = await store.open();
  try {
    return await look(open, origin);
  } finally {
    await open.remove();
    await origin.close();
  }
}

for (const store of stores) {
  describe(`secrets at rest: ${store.name}`, () => {
    // What a record holds is the same for all: in readable form, and in what is told of it, one store shows it.
    const isFirst = store === stores[0];
    for (const more of isFirst ? ([{}, { serializer: 'json' }] as const) : ([{}] as const)) {
      it(`are in no byte of it (${'serializer' in more ? more.serializer : 'binary'})`, () =>
        holding(store, async ({ store: backend, raw }, origin) => {
          const adapter = cacheAdapter({ ...SETTINGS, ...more, backend } as CacheOptions);
          const http = axios.create({ adapter, baseURL: origin.url });
          const secrets: [string, string][] = [];
          for (const [where, request] of places(origin.url)) {
            const secret = `s3cr3t${randomBytes(12).toString('hex')}`;
            secrets.push([where, secret]);
            await http.request({ url: `/${secrets.length}`, ...request(secret) } as AxiosRequestConfig);
          }
          await adapter.cache.flush();
          expect(await adapter.cache.count()).to.be.at.least(secrets.length - 3);
          const before = await raw();
          // The grep itself works: what is no secret is there.
          expect(holds(before, '/landed')).to.equal(true);
          await adapter.cache.clear();
          await adapter.cache.flush();
          const after = await raw();
          for (const [where, secret] of secrets) {
            for (const text of spellings(secret)) {
              expect(holds(before, text), `${where}: ${text}`).to.equal(false);
              expect(holds(after, text), `${where}, cleared: ${text}`).to.equal(false);
            }
          }
        }));
    }

    if (isFirst)
      it('are in no event, stored request, URL list or text of an entry', () =>
        holding(store, async ({ store: backend }, origin) => {
          const adapter = cacheAdapter({ ...SETTINGS, backend } as CacheOptions);
          const http = axios.create({ adapter, baseURL: origin.url });
          const told: unknown[] = [];
          const names = ['hit', 'miss', 'stored', 'bypass', 'invalidated', 'error'] as const;
          for (const name of names) adapter.cache.on(name, (event) => told.push(event));
          const secret = 'hush-hush';
          for (const [, request] of places(origin.url)) {
            const config = () => ({ url: '/same', ...request(secret) }) as AxiosRequestConfig;
            await http.request(config());
            await http.request(config());
            await http.put('/same', 'x', { params: config().params, headers: { Authorization: secret } });
          }
          for await (const entry of adapter.cache.values())
            told.push(String(entry), entry.request, entry.url, entry.redirects);
          told.push(await adapter.cache.urls());
          expect(told.length).to.be.greaterThan(50);
          expect(JSON.stringify(told)).to.not.include(secret);
        }));

    it('leave nothing readable at all with encryptionKey, in stored or in deleted entries', () =>
      holding(store, async ({ store: backend, raw }, origin) => {
        const adapter = cacheAdapter({
          ...SETTINGS,
          backend,
          encryptionKey: randomBytes(32),
        } as CacheOptions);
        const http = axios.create({ adapter, baseURL: origin.url });
        for (let n = 0; n < 20; n++) {
          await http.get(`/visible-path-${n}`, {
            params: { plain: 'visible-value' },
            headers: { 'X-Plain': 'visible-header' },
          });
        }
        await adapter.cache.flush();
        const before = await raw();
        await adapter.cache.delete({ olderThan: 0, filter: () => true });
        await adapter.cache.flush();
        for (const bytes of [before, await raw()]) {
          for (const text of ['visible-', '127.0.0.1', 'authorization', 'x-plain']) {
            expect(holds(bytes, text), text).to.equal(false);
          }
        }
      }));
  });
}

describe('what was deleted', () => {
  for (const store of stores.filter(({ name }) => /sqlite|filesystem/.test(name))) {
    it(`is not in a file of ${store.name} once the cache was cleared`, () =>
      holding(store, async ({ store: backend, raw }) => {
        const body = `private-${randomBytes(8).toString('hex')}`;
        const origin = await Origin.start((_req, res) => void res.end(body.repeat(500)));
        try {
          const adapter = cacheAdapter({ backend } as CacheOptions);
          for (let n = 0; n < 40; n++) await axios.get(`${origin.url}/${n}`, { adapter });
          await adapter.cache.flush();
          expect(holds(await raw(), body)).to.equal(true);
          await adapter.clear();
          if (store.name.includes('keyv')) await backend.close();
          expect(holds(await raw(), body)).to.equal(false);
        } finally {
          await origin.close();
        }
      }));
  }
});
