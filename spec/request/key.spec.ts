import https from 'node:https';
import { createSecureContext } from 'node:tls';
import { expect } from 'chai';
import fc from 'fast-check';
import { CacheOptionError } from '../../lib/errors.js';
import { KeyFnError } from '../../lib/request/key.js';
import { type Given, keyer, keyOf, lateKeyOf, post, request } from './requests.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('keys and credentials', () => {
  it('separate users by Authorization, auth, userinfo, Cookie and proxy credentials', () => {
    const users: Given[] = [
      {},
      { headers: { Authorization: 'a' } },
      { headers: { authorization: 'b' } },
      { config: { auth: { username: 'u', password: 'p' } } },
      { config: { auth: { username: 'u', password: '' } } },
      { config: { auth: {} } },
      { url: 'http://v:p@h/' },
      { headers: { Cookie: 'a' } },
      { headers: { Cookie: '' } },
      { headers: { 'Proxy-Authorization': 'a' } },
      { config: { proxy: { host: 'p', auth: { username: 'u', password: 'p' } } } },
      { headers: { Cookie: 'a', Authorization: 'a' } },
    ];
    expect(new Set(users.map((user) => keyOf(user))).size).to.equal(users.length);
  });

  const equal: [string, Given, Given][] = [
    [
      'auth and the header that it becomes',
      { config: { auth: { username: 'ü', password: 'p' } } },
      { headers: { Authorization: basic('ü:p') } },
    ],
    [
      'userinfo and the header that it becomes',
      { url: 'http://a%40b:p%2F@h/' },
      { headers: { Authorization: basic('a@b:p/') } },
    ],
    [
      'userinfo that does not decode, and itself',
      { url: 'http://%zz:p@h/' },
      { headers: { Authorization: basic('%zz:p') } },
    ],
    [
      'auth over userinfo and header',
      {
        url: 'http://x:y@h/',
        config: { auth: { username: 'u', password: 'p' } },
        headers: { Authorization: 'z' },
      },
      { headers: { Authorization: basic('u:p') } },
    ],
    [
      'userinfo over header',
      { url: 'http://u:p@h/', headers: { Authorization: 'z' } },
      { headers: { Authorization: basic('u:p') } },
    ],
    [
      'a proxy of no user, and none',
      { config: { proxy: { host: 'p', port: 1 } } },
      { config: { proxy: false } },
    ],
  ];
  for (const [what, a, b] of equal) {
    it(`are the same for ${what}`, () => expect(keyOf(a)).to.equal(keyOf(b)));
  }

  it('separate users by every header that is redacted, unless it is ignored', () => {
    const redact = ['X-Api-Key', 'pin'];
    const given: Given[] = [
      {},
      { headers: { 'x-api-key': 'ann' } },
      { headers: { 'X-API-KEY': 'bob' } },
      { headers: { pin: 'ann' } },
      { headers: { pin: 'ann', 'x-api-key': 'ann' } },
      { headers: { pin: 'n', 'x-api-key': 'annan' } },
    ];
    expect(new Set(given.map((one) => keyOf(one, { redact }))).size).to.equal(given.length);
    expect(new Set(given.map((one) => keyOf(one, { redact: [] }))).size).to.equal(1);
    expect(
      new Set(given.map((one) => keyOf(one, { redact, ignoredParameters: ['PIN', 'x-api-key'] }))).size,
    ).to.equal(1);
  });

  it('separate sites by a Host header that is not the host of the URL', () => {
    const of = (url: string, Host: string) => keyOf({ url, headers: { Host } });
    expect(of('http://h/', 'a.test')).to.not.equal(of('http://h/', 'b.test'));
    expect(of('http://h/', 'a.test')).to.not.equal(keyOf({ url: 'http://h/' }));
    expect(of('http://h:8080/', 'H:8080')).to.equal(keyOf({ url: 'http://h:8080/' }));
    const ignoring = { ignoredParameters: ['host'] };
    expect(keyOf({ headers: { Host: 'a.test' } }, ignoring)).to.equal(keyOf({}, ignoring));
  });

  it('leave ignored credentials out, whatever their case', () => {
    const ignoring = { ignoredParameters: ['AUTHORIZATION', 'Cookie', 'proxy-authorization'] };
    const plain = keyOf({}, ignoring);
    expect(
      keyOf({ headers: { authorization: 'a', cookie: 'c', 'proxy-authorization': 'p' } }, ignoring),
    ).to.equal(plain);
    expect(keyOf({ url: 'http://u:p@h/', config: { auth: { username: 'x' } } }, ignoring)).to.equal(plain);
  });

  it('read auth from a class, but never from a polluted prototype', () => {
    class Login {
      get username() {
        return 'u';
      }
      get password() {
        return 'p';
      }
    }
    expect(keyOf({ config: { auth: new Login() } })).to.equal(
      keyOf({ headers: { Authorization: basic('u:p') } }),
    );
    const plain = keyOf({});
    const prototype: Record<string, unknown> = Object.prototype as never;
    Object.assign(prototype, {
      auth: { username: 'evil' },
      decompress: false,
      maxRedirects: 0,
      socketPath: '/x',
    });
    try {
      expect(keyOf({})).to.equal(plain);
    } finally {
      for (const name of ['auth', 'decompress', 'maxRedirects', 'socketPath']) delete prototype[name];
    }
  });
});

describe('keys and ignoredParameters', () => {
  const ignoring = { ignoredParameters: ['auth-token', 'ids'] };
  const same: [string, Given, Given][] = [
    ['a parameter present or absent', { url: 'http://h/?auth-token=1' }, { url: 'http://h/' }],
    ['an escaped name', { url: 'http://h/?auth%2Dtoken=1&a=1' }, { url: 'http://h/?a=1' }],
    ['a parameter without value', { url: 'http://h/?auth-token' }, { url: 'http://h/' }],
    ['a list as axios sends it', { url: 'http://h/?ids%5B%5D=1&ids[]=2' }, { url: 'http://h/' }],
    [
      'a form field',
      post('auth-token=1&a=1', 'application/x-www-form-urlencoded'),
      post('a=1', 'application/x-www-form-urlencoded'),
    ],
    [
      'JSON at any depth',
      post('{"a":[{"auth-token":{"b":1}}]}', 'application/json'),
      post('{"a":[{}]}', 'application/json'),
    ],
    [
      'an escaped JSON name',
      post('{"auth\\u002dtoken":1}', 'application/json'),
      post('{}', 'application/json'),
    ],
    ['a header that is not matched', { headers: { 'Auth-Token': 'x' } }, {}],
  ];
  for (const [what, a, b] of same) {
    it(`do not see ${what}`, () => expect(keyOf(a, ignoring)).to.equal(keyOf(b, ignoring)));
  }

  it('compare names in queries and bodies by case, in headers not', () => {
    expect(keyOf({ url: 'http://h/?AUTH-TOKEN=1' }, ignoring)).not.to.equal(keyOf({}, ignoring));
    expect(keyOf(post('{"IDS":1}', 'application/json'), ignoring)).not.to.equal(
      keyOf(post('{}', 'application/json'), ignoring),
    );
    const matching = { ...ignoring, matchHeaders: true };
    expect(keyOf({ headers: { 'AUTH-token': 'x' } }, matching)).to.equal(keyOf({}, matching));
  });

  it('ignore a field of a multipart body', () => {
    const form = new FormData();
    form.append('a', '1');
    const more = new FormData();
    more.append('auth-token', 'x');
    more.append('a', '1');
    expect(keyOf(post(more), ignoring)).to.equal(keyOf(post(form), ignoring));
  });
});

describe('keys and matchHeaders', () => {
  const accept = (value: string): Given => ({ headers: { Accept: value } });

  it('see no header by default', () => expect(keyOf(accept('a'))).to.equal(keyOf({})));

  it('see every header when all are matched', () => {
    const all = { matchHeaders: true };
    const keys = [{}, accept('a'), accept('b'), accept(''), { headers: { 'X-A': 'a' } }].map((given) =>
      keyOf(given, all),
    );
    expect(new Set(keys).size).to.equal(5);
    expect(keyOf({ headers: { a: '1', b: '2' } }, all)).to.equal(keyOf({ headers: { B: '2', A: '1' } }, all));
  });

  it('see the named ones only, in any case and order', () => {
    const settings = { matchHeaders: ['X-B', 'ACCEPT', 'accept'] };
    expect(keyOf(accept('a'), settings)).not.to.equal(keyOf(accept('b'), settings));
    expect(keyOf({ headers: { 'X-C': '1' } }, settings)).to.equal(keyOf({}, settings));
    expect(keyOf(accept('a'), settings)).to.equal(keyOf(accept('a'), { matchHeaders: ['accept', 'x-b'] }));
  });

  it('do not count white space round commas; order and case do count', () => {
    const settings = { matchHeaders: ['accept'] };
    expect(keyOf(accept('a ,\tb'), settings)).to.equal(keyOf(accept('a,b'), settings));
    expect(keyOf(accept('b,a'), settings)).not.to.equal(keyOf(accept('a,b'), settings));
    expect(keyOf(accept('A,b'), settings)).not.to.equal(keyOf(accept('a,b'), settings));
    expect(keyOf(accept(`a${' '.repeat(100_000)}b`), settings)).not.to.equal(keyOf(accept('a b'), settings));
  });

  it('do not let a value pass for a name and value', () => {
    const all = { matchHeaders: true };
    expect(keyOf({ headers: { a: '1', b: '2' } }, all)).not.to.equal(
      keyOf({ headers: { a: '11:b1:2' } }, all),
    );
  });

  it('match the content type of a multipart body without its boundary', () => {
    const body = (boundary: string) =>
      post(
        `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${boundary}--\r\n`,
        `multipart/form-data; boundary=${boundary}`,
      );
    expect(keyOf(body('xx'), { matchHeaders: true })).to.equal(keyOf(body('yyy'), { matchHeaders: true }));
  });
});

/** Where it connects to is its own affair. */
class Connecting extends https.Agent {
  override createConnection(): never {
    throw new Error('not connected');
  }
}

/** As agentkeepalive's, which only looks after its sockets. */
class HttpsAgent extends Connecting {}

describe('keys and the config that changes bytes', () => {
  const agent = (options: https.AgentOptions) => ({ config: { httpsAgent: new https.Agent(options) } });
  const distinct: Given[] = [
    {},
    { config: { decompress: false } },
    { config: { maxRedirects: 0 } },
    { config: { socketPath: '/a' } },
    { config: { socketPath: '/b' } },
    agent({ rejectUnauthorized: false }),
    agent({ cert: 'one' }),
    agent({ cert: Buffer.from('two') }),
    agent({ pfx: 'one' }),
    agent({ pfx: [{ buf: 'three' }] }),
    agent({ ca: 'one' }),
    agent({ servername: 'one' }),
    agent({ checkServerIdentity: () => undefined }),
    agent({ secureContext: createSecureContext() }),
    agent({ secureContext: createSecureContext() }),
    { config: { httpsAgent: { proxy: new URL('http://ann:x@proxy'), options: {} } } },
    { config: { httpsAgent: { proxy: new URL('http://bob:x@proxy'), options: {} } } },
    { config: { httpsAgent: { proxy: new URL('http://proxy'), connectOpts: { cert: 'one' } } } },
    { config: { decompress: false, maxRedirects: 0 } },
    { config: { fetchOptions: { headers: { Authorization: 'ann' } } } },
    { config: { fetchOptions: { headers: new Headers({ authorization: 'bob' }) } } },
    agent({ pskCallback: () => null } as https.AgentOptions),
    agent({ pskCallback: () => null } as https.AgentOptions),
    // Node from 24 on.
    agent({ proxyEnv: { HTTPS_PROXY: 'http://ann:x@proxy' } } as https.AgentOptions),
    agent({ proxyEnv: { HTTPS_PROXY: 'http://bob:x@proxy' } } as https.AgentOptions),
    // https-proxy-agent 5, socks-proxy-agent, tunnel, tunnel-agent, hpagent, https-proxy-agent 7.
    { config: { httpsAgent: { proxy: { host: 'proxy', auth: 'amy:x' } } } },
    { config: { httpsAgent: { proxy: { host: 'proxy', auth: 'bea:x' } } } },
    { config: { httpsAgent: { proxy: { host: 'proxy', userId: 'cid', password: 'x' } } } },
    { config: { httpsAgent: { proxyOptions: { proxyAuth: 'dan:x' }, options: {} } } },
    { config: { httpsAgent: { options: { proxy: { proxyAuth: 'eve:x' } } } } },
    { config: { httpsAgent: { options: { proxy: { headers: { 'Proxy-Authorization': 'fay' } } } } } },
    { config: { httpsAgent: { proxyRequestOptions: { headers: { 'Proxy-Authorization': 'guy' } } } } },
    { config: { httpsAgent: { proxyHeaders: { 'Proxy-Authorization': 'hal' } } } },
    { config: { httpsAgent: { proxyHeaders: () => ({ 'Proxy-Authorization': 'ida' }) } } },
    { config: { httpsAgent: new Connecting() } },
    { config: { httpsAgent: new Connecting() } },
  ];

  it('differ by each of it', () => {
    expect(new Set(distinct.map((given) => keyOf(given))).size).to.equal(distinct.length);
  });

  const indifferent: Given[] = [
    { config: { decompress: true } },
    { config: { maxRedirects: 5 } },
    { config: { fetchOptions: { redirect: 'follow' } } },
    { config: { responseType: 'arraybuffer' } },
    { config: { timeout: 5 } },
    { config: { responseEncoding: 'latin1' } },
    agent({ rejectUnauthorized: true }),
    agent({ keepAlive: true }),
    { config: { httpsAgent: new (class extends https.Agent {})() } },
    { config: { httpsAgent: new HttpsAgent() } },
    agent({ proxyEnv: { HTTPS_PROXY: 'http://proxy' } } as https.AgentOptions),
    { config: { httpsAgent: { proxy: new URL('http://proxy'), connectOpts: {} } } },
  ];
  for (const given of indifferent) {
    it(`do not depend on ${Object.keys(given.config ?? {})}`, () => expect(keyOf(given)).to.equal(keyOf({})));
  }

  it('are the same whether a fetch or the http adapter is told not to follow redirects', () => {
    expect(keyOf({ config: { fetchOptions: { redirect: 'manual' } } })).to.equal(
      keyOf({ config: { maxRedirects: 0 } }),
    );
  });
});

describe('keyFn', () => {
  const byUrl = { keyFn: ({ url }: { url: string }) => url };

  it('decides alone, and is hashed', () => {
    expect(keyOf({ headers: { Cookie: 'a' } }, byUrl)).to.equal(keyOf({ headers: { Cookie: 'b' } }, byUrl));
    expect(keyOf({ url: 'http://h/?a' }, byUrl)).not.to.equal(keyOf({}, byUrl));
    expect(keyOf({}, byUrl)).to.match(/^[0-9a-f]{64}$/);
  });

  it('gets the request and the default key, and can never make a default key', () => {
    const settings = { keyFn: (_: unknown, defaultKey: () => string) => defaultKey() };
    expect(keyOf({ url: 'http://h/a' }, settings)).not.to.equal(keyOf({ url: 'http://h/a' }));
    expect(keyOf({ url: 'http://h/a' }, settings)).not.to.equal(keyOf({ url: 'http://h/b' }, settings));
  });

  it('tells lone surrogates apart', () => {
    expect(keyOf({}, { keyFn: () => '\ud800' })).not.to.equal(keyOf({}, { keyFn: () => '\ufffd' }));
  });

  it('has the default key of a body that is read late', async () => {
    const settings = { keyFn: (_: unknown, defaultKey: () => string) => defaultKey() };
    const one = await lateKeyOf(post(new Blob(['a'])), settings);
    expect(one).to.equal(await lateKeyOf(post(new Blob(['a'])), settings));
    expect(one).not.to.equal(await lateKeyOf(post(new Blob(['b'])), settings));
  });

  const broken: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['returns an empty string', () => ''],
    ['returns a number', () => 1],
    ['returns nothing', () => undefined],
    ['returns a promise that rejects', () => Promise.reject(new Error('late'))],
  ];
  for (const [what, keyFn] of broken) {
    it(`makes a KeyFnError when it ${what}`, () => {
      expect(() => keyOf({}, { keyFn: keyFn as () => string }))
        .to.throw(KeyFnError, /^Option keyFn: got .*; it (threw|returned)/)
        .and.be.instanceOf(CacheOptionError);
    });
  }
});

describe('the memo of keys', () => {
  it('gives the same key again and confuses no parts', () => {
    const one = keyer();
    const given: Given[] = [
      { method: 'get', url: 'http://h/a' },
      { method: 'gethttp://h/', url: 'http://h/a' },
      { headers: { Authorization: 'a', Cookie: 'b' } },
      { headers: { Authorization: 'ab' } },
      { headers: { Cookie: 'ab' } },
      { headers: { Cookie: 'a', 'Proxy-Authorization': 'b' } },
      { config: { auth: { username: 'a', password: 'b' } } },
      { config: { socketPath: 'a' } },
      { config: { decompress: false } },
    ];
    const first = given.map((each) => one.keyOf(request(each)));
    const again = given.map((each) => one.keyOf(request(each)));
    expect(again).to.deep.equal(first);
    expect(first).to.deep.equal(given.map((each) => keyOf(each)));
    expect(new Set(first).size).to.equal(given.length);
  });
});

describe('keys of whole requests', () => {
  it('are the same exactly when every part is', () => {
    // Values that would run into each other if parts were not delimited.
    const text = fc.constantFrom('a', 'b', 'ab', '1:a', '-', 'a-', '1:a1:b');
    const maybe = fc.option(text, { nil: undefined });
    const parts = fc.record({
      method: fc.constantFrom('A', 'AB', 'B'),
      path: text,
      authorization: maybe,
      cookie: maybe,
      proxy: maybe,
      accept: maybe,
      other: maybe,
      body: maybe,
      socketPath: maybe,
      decompress: fc.boolean(),
    });
    const seen = new Map<string, string>();
    const one = keyer({ matchHeaders: ['accept', 'x-other'] });
    fc.assert(
      fc.property(parts, (given) => {
        const { method, path, authorization, cookie, proxy, accept, other, body, socketPath, decompress } =
          given;
        const headers: Record<string, string> = { 'content-type': 'text/plain' };
        if (authorization !== undefined) headers.authorization = authorization;
        if (cookie !== undefined) headers.cookie = cookie;
        if (proxy !== undefined) headers['proxy-authorization'] = proxy;
        if (accept !== undefined) headers.accept = accept;
        if (other !== undefined) headers['x-other'] = other;
        const snapshot = request({
          method,
          url: `http://h/${path}`,
          headers,
          data: body,
          config: { socketPath, decompress },
        });
        const key = String(one.keyOf(snapshot));
        const meaning = JSON.stringify(given);
        expect(seen.get(key) ?? meaning).to.equal(meaning);
        seen.set(key, meaning);
        expect(keyOf(snapshot, { matchHeaders: ['X-OTHER', 'Accept'] })).to.equal(key);
      }),
      { numRuns: 2000 },
    );
  });
});
