/** One user never gets another's response: each answer is compared with what plain axios gets for the same request. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import axios, { type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { type Handler, Origin } from '../support/origin.js';

/** Whom the origin takes the request to be from. */
const WHO = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-auth-token', 'host'];

const handler: Handler = (req, res) => {
  const path = new URL(req.url, 'http://h').pathname;
  const vary = /^\/vary\/(.+)$/.exec(path)?.[1];
  if (vary !== undefined) res.setHeader('vary', vary);
  res.setHeader('cache-control', 'private, max-age=100');
  if (path === '/redirect') return void res.writeHead(302, { location: '/landed' }).end();
  if (path === '/away')
    return void res.writeHead(302, { location: `http://localhost:${req.headers['x-port']}/landed` }).end();
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify(WHO.map((name) => req.headers[name] ?? null)));
};

type User = [who: string, config: (origin: Origin) => AxiosRequestConfig];

const users: User[] = [
  ['nobody', () => ({})],
  ['ann by header', () => ({ headers: { Authorization: 'Bearer ann' } })],
  ['bob by header, in lower case', () => ({ headers: { authorization: 'Bearer bob' } })],
  ['BOB by header', () => ({ headers: { AUTHORIZATION: 'Bearer BOB' } })],
  ['ann by auth', () => ({ auth: { username: 'ann', password: '1' } })],
  ['ann by auth, of another password', () => ({ auth: { username: 'ann', password: '2' } })],
  ['ann by userinfo', ({ url }) => ({ baseURL: url.replace('://', '://ann:3@') })],
  ['ann by Cookie', () => ({ headers: { Cookie: 'session=ann' } })],
  ['bob by Cookie', () => ({ headers: { cookie: 'session=bob' } })],
  ['ann by both', () => ({ headers: { Cookie: 'session=ann', Authorization: 'Bearer ann' } })],
  ['ann by an API key', () => ({ headers: { 'X-Api-Key': 'ann' } })],
  ['bob by an API key', () => ({ headers: { 'x-api-key': 'bob' } })],
  ['bob by another token', () => ({ headers: { 'X-AUTH-TOKEN': 'bob' } })],
  [
    'ann at a proxy',
    ({ url }) => ({
      proxy: {
        protocol: 'http',
        host: '127.0.0.1',
        port: Number(new URL(url).port),
        auth: { username: 'ann', password: '1' },
      },
    }),
  ],
  [
    'bob at a proxy',
    ({ url }) => ({
      proxy: {
        protocol: 'http',
        host: '127.0.0.1',
        port: Number(new URL(url).port),
        auth: { username: 'bob', password: '1' },
      },
    }),
  ],
  ['somebody of another site', () => ({ headers: { Host: 'a.test' } })],
  ['somebody of a third site', () => ({ headers: { Host: 'b.test' } })],
];

const PATHS = ['/plain', '/vary/authorization', '/vary/cookie', '/vary/accept, x-none', '/redirect', '/away'];

/** The same order for the same number. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed;
  const next = () => (state = (state * 48271) % 2147483647);
  return list
    .map((one) => [next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

describe('users of one cache', () => {
  let origin: Origin;
  let elsewhere: Origin;
  before(async () => {
    origin = await Origin.start(handler);
    elsewhere = await Origin.start(handler);
  });
  after(async () => {
    await origin.close();
    await elsewhere.close();
  });

  const configOf = (user: User, path: string): AxiosRequestConfig => {
    const config = user[1](origin);
    const port = new URL(elsewhere.url).port;
    return { baseURL: origin.url, url: path, ...config, headers: { ...config.headers, 'X-Port': port } };
  };

  for (const options of [{}, { cacheControl: true }] as const) {
    for (const path of PATHS) {
      it(`each get their own of ${path}, in any order and all at once (${JSON.stringify(options)})`, async () => {
        // Node would look for the other site's name on the way to where it redirects.
        const asking = users.filter(([who]) => path !== '/redirect' || !who.includes('site'));
        const wanted = new Map<User, unknown>();
        for (const user of asking) wanted.set(user, (await axios.request(configOf(user, path))).data);
        for (const seed of [1, 2]) {
          const adapter = cacheAdapter({ backend: 'memory', ...options } as CacheOptions);
          const http = axios.create({ adapter });
          const ask = async (user: User) => {
            const { data } = await http.request(configOf(user, path));
            expect(data, user[0]).to.deep.equal(wanted.get(user));
          };
          const order = shuffled(asking, seed);
          if (seed === 1) await Promise.all([...order, ...order].map(ask));
          for (const user of [...order, ...shuffled(asking, seed + 10)]) await ask(user);
          expect(adapter.cache.stats().hits).to.be.at.least(asking.length);
        }
      });
    }
  }

  it('get nothing of each other where their own hook decides what is sent after a redirect', async () => {
    const http = axios.create({ adapter: cacheAdapter({ backend: 'memory' }), baseURL: origin.url });
    const as = (user: string): AxiosRequestConfig => ({
      beforeRedirect: (options: Record<string, unknown>) => {
        options.headers = { ...(options.headers as object), authorization: user };
      },
    });
    const anonymous = (await axios.get('/redirect', { baseURL: origin.url })).data;
    for (let round = 0; round < 2; round++) {
      expect((await http.get('/redirect', as('ann'))).data[0]).to.equal('ann');
      expect((await http.get('/redirect')).data).to.deep.equal(anonymous);
      expect((await http.get('/redirect', as('bob'))).data[0]).to.equal('bob');
      expect((await http.get('/landed')).data).to.deep.equal(anonymous);
    }
  });
});

describe('users by client certificate', () => {
  const keys = JSON.parse(
    readFileSync(new URL('fixtures/certificates.json', import.meta.url), 'utf8'),
  ) as Record<'server' | 'ann' | 'bob', { key: string; cert: string }>;

  it('each get their own', async () => {
    const server = https.createServer(
      { ...keys.server, requestCert: true, rejectUnauthorized: false },
      (req, res) => {
        const { subject } = (req.socket as import('node:tls').TLSSocket).getPeerCertificate();
        res.end(String(subject?.CN));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const ca = keys.server.cert;
    const agents: [string, https.Agent][] = [
      ['undefined', new https.Agent({ ca })],
      ['ann', new https.Agent({ ca, ...keys.ann })],
      ['bob', new https.Agent({ ca, ...keys.bob })],
      ['ann', new https.Agent({ secureContext: createSecureContext({ ca, ...keys.ann }) })],
      ['bob', new https.Agent({ secureContext: createSecureContext({ ca, ...keys.bob }) })],
    ];
    const http = axios.create({ adapter: cacheAdapter({ backend: 'memory' }) });
    try {
      for (const fromCache of [false, true]) {
        for (const [user, httpsAgent] of agents) {
          const response = await http.get(url, { httpsAgent });
          expect([response.data, response.fromCache]).to.deep.equal([user, fromCache]);
        }
      }
    } finally {
      for (const [, agent] of agents) agent.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});
