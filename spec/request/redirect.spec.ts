import axios from 'axios';
import { expect } from 'chai';
import NodeFormData from 'form-data';
import { hopRequest, type SentHop } from '../../lib/request/redirect.js';
import type { CacheRequest } from '../../lib/request/request.js';
import { snapshotRequest } from '../../lib/request/snapshot.js';
import { isCurrentAxios } from '../support/axios-version.js';
import { Origin } from '../support/origin.js';
import { type Given, keyer, keyOf, post, request } from './requests.js';

const ADDED = {
  'User-Agent': 'axios/1.2.3',
  'Accept-Encoding': 'gzip',
  Host: 'h',
  'Content-Length': 3,
  Connection: 'close',
};

describe('hopRequest', () => {
  const hop = (first: Given, sent: Partial<SentHop>): CacheRequest =>
    hopRequest(request(first), { url: 'http://h/to', method: 'GET', headers: ADDED, ...sent });

  it('is the request that somebody would make who asked for the hop, with all headers matched too', () => {
    const made = hop(
      { url: 'http://h/from', headers: { Accept: 'a' } },
      { headers: { ...ADDED, Accept: 'a' } },
    );
    const direct: Given = { url: 'http://h/to', headers: { Accept: 'a' } };
    expect(keyOf(made)).to.equal(keyOf(direct));
    expect(keyOf(made, { matchHeaders: true })).to.equal(keyOf(direct, { matchHeaders: true }));
  });

  it('keeps a header of the caller that the adapter would add otherwise', () => {
    const made = hop({ headers: { 'User-Agent': 'mine' } }, { headers: { ...ADDED, 'User-Agent': 'mine' } });
    expect({ ...made.headers }).to.deep.equal({ 'user-agent': 'mine' });
  });

  it('has the credentials that are really sent', () => {
    const first: Given = { config: { auth: { username: 'u', password: 'p' } } };
    expect(keyOf(hop(first, {}))).to.equal(keyOf({ url: 'http://h/to' }));
    expect(keyOf(hop(first, { auth: 'u:p' }))).to.equal(keyOf({ ...first, url: 'http://h/to' }));
    expect(keyOf(hop({}, { url: 'http://u:p@h/to' }))).to.equal(keyOf({ url: 'http://h/to' }));
    expect(keyOf(hop({}, { headers: { authorization: 'x' }, auth: null }))).to.equal(
      keyOf({ url: 'http://h/to', headers: { Authorization: 'x' } }),
    );
  });

  it('drops the body with the method, and keeps it with the method', () => {
    const first = post('{"a":1}', 'application/json');
    expect(hop(first, { method: 'GET' }).data).to.equal(undefined);
    const kept = hop(first, { method: 'POST', headers: { ...ADDED, 'Content-Type': 'application/json' } });
    expect(keyOf(kept)).to.equal(keyOf({ ...first, url: 'http://h/to' }));
  });

  it('keeps a form whose content type the adapter wrote', () => {
    const form = new NodeFormData();
    form.append('a', '1');
    const first = post(form, 'application/x-www-form-urlencoded');
    const kept = hop(first, { method: 'POST', headers: { ...ADDED, ...form.getHeaders() } });
    expect(keyOf(kept, { matchHeaders: true })).to.equal(
      keyOf({ ...first, url: 'http://h/to' }, { matchHeaders: true }),
    );
  });

  it('gives keyFn a config of its own and leaves the first untouched', () => {
    const first = request({
      url: '/from',
      headers: { Authorization: 'x' },
      config: { baseURL: 'http://h', params: { a: 1 }, auth: { username: 'u' }, timeout: 5 },
    });
    const before = { ...first.config };
    const { config } = hopRequest(first, { url: 'http://i/to', method: 'GET', headers: {} });
    expect(config).to.include({ url: 'http://i/to', method: 'get', timeout: 5 });
    expect(config).not.to.have.any.keys('baseURL', 'params', 'auth', 'data');
    expect(config.headers.has('Authorization')).to.equal(false);
    expect({ ...first.config }).to.deep.equal(before);
    expect(first.config.headers.get('Authorization')).to.equal('x');
  });
});

describe('hopRequest over the wire', () => {
  let origin: Origin;
  let other: Origin;
  before(async () => {
    origin = await Origin.start();
    other = await Origin.start();
  });
  after(async () => {
    await origin.close();
    await other.close();
  });

  // What the http adapter and follow-redirects really do, seen as the cache's adapter sees it.
  async function hops(given: Parameters<typeof axios.request>[0]): Promise<CacheRequest[]> {
    const made: CacheRequest[] = [];
    let first: CacheRequest | undefined;
    await axios.request({
      ...given,
      adapter: async (config) => {
        const url = axios.getUri(config);
        first = snapshotRequest(config, url);
        const inner = axios.getAdapter('http');
        return inner({
          ...config,
          beforeRedirect: (options) => {
            if (first === undefined) return;
            const { href, method, headers, auth } = options;
            made.push(hopRequest(first, { url: String(href), method: String(method), headers, auth }));
          },
        });
      },
    });
    return made;
  }

  async function direct(given: Parameters<typeof axios.request>[0]): Promise<CacheRequest> {
    const made: CacheRequest[] = [];
    await axios.request({
      ...given,
      adapter: async (config) => {
        made.push(snapshotRequest(config, axios.getUri(config)));
        const cache = { fromCache: false, isExpired: false, revalidated: false };
        return { data: '', status: 200, statusText: '', headers: {}, config, ...cache };
      },
    });
    const [only] = made;
    if (only === undefined) throw new Error('no request was made');
    return only;
  }

  it('gives hops the keys of direct requests', async () => {
    origin.on('/302', (_, res) => {
      res.writeHead(302, { location: `${origin.url}/to?x=1` }).end();
    });
    origin.on('/307', (_, res) => {
      res.writeHead(307, { location: '/302' }).end();
    });
    origin.on('/away', (_, res) => {
      res.writeHead(302, { location: `${other.url.replace('127.0.0.1', 'localhost')}/to` }).end();
    });
    for (const settings of [{}, { matchHeaders: true }]) {
      const key = (one: CacheRequest | undefined) => (one === undefined ? '' : keyer(settings).keyOf(one));
      const auth = { auth: { username: 'u', password: 'p' } };
      const [to] = await hops({ url: `${origin.url}/302`, ...auth });
      // The oldest axios sends no credentials to a hop, not even of the same origin: then its key has none.
      const sent = isCurrentAxios ? auth : {};
      expect(key(to)).to.equal(key(await direct({ url: `${origin.url}/to?x=1`, ...sent })));

      const [second, third] = await hops({ method: 'post', url: `${origin.url}/307`, data: { a: 1 } });
      expect(key(second)).to.equal(
        key(await direct({ method: 'post', url: `${origin.url}/302`, data: { a: 1 } })),
      );
      expect(third?.method).to.equal('GET');
      expect(key(third)).to.equal(key(await direct({ url: `${origin.url}/to?x=1` })));

      const [away] = await hops({ url: `${origin.url}/away`, ...auth, headers: { Cookie: 'c' } });
      expect(away?.headers).not.to.have.any.keys('authorization', 'cookie');
      expect(key(away)).to.equal(key(await direct({ url: away?.url ?? '' })));
    }
  });
});
