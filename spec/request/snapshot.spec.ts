import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import oldest from 'axios-oldest';
import { expect } from 'chai';
import NodeFormData from 'form-data';
import { finalUrl } from '../../lib/axios.js';
import { snapshotRequest, unkeyableReason } from '../../lib/request/snapshot.js';
import { request } from './requests.js';

describe('snapshotRequest', () => {
  it('copies headers in lower case, as they are at that moment', () => {
    const given = request({
      headers: { Accept: 'a', 'X-List': ['1', '2'], 'X-Number': 7, 'X-Gone': null, 'X-Off': false },
    });
    given.config.headers.set('Accept', 'changed');
    given.config.headers.set('User-Agent', 'axios/1');
    expect({ ...given.headers }).to.deep.equal({ accept: 'a', 'x-list': '1, 2', 'x-number': '7' });
  });

  it('takes the headers of another copy of axios', () => {
    const headers = new oldest.AxiosHeaders({ Accept: 'a', 'X-Off': false });
    const given = snapshotRequest({ method: 'get', headers } as never, 'http://h/');
    expect({ ...given.headers }).to.deep.equal({ accept: 'a' });
  });

  it('takes plain headers too, the later of two spellings winning', () => {
    const headers = { ACCEPT: 'a', accept: 'b' };
    const given = snapshotRequest({ method: 'get', headers } as never, 'http://h/');
    expect({ ...given.headers }).to.deep.equal({ accept: 'b' });
  });

  it('tells a default that is refused from one that is not given, and joins cookies as Node does', () => {
    const headers = { 'User-Agent': false, 'Accept-Encoding': false, Cookie: ['a=1', 'b=2'] };
    expect({ ...request({ headers }).headers }).to.deep.equal({
      'user-agent': '',
      'accept-encoding': '',
      cookie: 'a=1; b=2',
    });
  });

  it('keeps a header named __proto__ as data', () => {
    const headers = JSON.parse('{"__proto__": "x"}');
    const given = snapshotRequest({ method: 'get', headers } as never, 'http://h/');
    expect(Object.keys(given.headers)).to.deep.equal(['__proto__']);
  });

  it('upper-cases the method, drops the fragment and keeps userinfo', () => {
    const { method, url } = request({ method: 'post', url: 'http://u:p@h/a?b#c?d' });
    expect([method, url]).to.deep.equal(['POST', 'http://u:p@h/a?b']);
  });

  it('keeps a # that params bring, which goes out as it is; then there is no key', () => {
    const rows: [url: string, final: string, kept: string][] = [
      ['/a', 'http://h/a?t=#x', 'http://h/a?t=#x'],
      ['/a#x', 'http://h/a?t=#x', 'http://h/a?t=#x'],
      ['/a#x', 'http://h/a#x', 'http://h/a'],
      ['http://h/a?b#x', 'http://h/a?b#x', 'http://h/a?b'],
    ];
    for (const [url, final, kept] of rows) {
      const given = snapshotRequest({ method: 'get', url, params: {}, headers: {} } as never, final);
      expect(given.url, `${url} ${final}`).to.equal(kept);
      expect(unkeyableReason(given)).to.equal(kept === final ? 'unsupported-url' : undefined);
    }
  });

  it('reads a URL object as its text', () => {
    const rows: [given: Record<string, unknown>, kept: string][] = [
      [{ url: new URL('http://h/a?b=1#x') }, 'http://h/a?b=1'],
      [{ url: new URL('http://h/a?b=1#x'), params: { c: 2 } }, 'http://h/a?b=1&c=2'],
      [{ url: new URL('http://h/a#x'), params: {} }, 'http://h/a'],
      [
        { url: new URL('http://u:p@h/a'), params: { c: 2 }, paramsSerializer: { serialize: () => 'z' } },
        'http://u:p@h/a?z',
      ],
    ];
    for (const [config, kept] of rows) {
      const ready = { method: 'get', headers: {}, ...config } as never;
      const given = snapshotRequest(ready, finalUrl(ready));
      expect(given.url).to.equal(kept);
      expect(unkeyableReason(given)).to.equal(undefined);
    }
  });

  it('makes the path of a request over a socket absolute as axios does', () => {
    expect(request({ url: '/v1/info?x', config: { socketPath: '/run/s' } }).url).to.equal(
      'http://localhost/v1/info?x',
    );
    expect(request({ url: 'http://docker/v1', config: { socketPath: '/run/s' } }).url).to.equal(
      'http://docker/v1',
    );
  });
});

/** As http-cookie-agent: it puts the cookies of a jar into each request. */
class CookieAgent extends Agent {
  addRequest(): void {}
}
class HttpProxyAgent extends CookieAgent {}

describe('unkeyableReason', () => {
  const form = (value: unknown) => {
    const made = new NodeFormData();
    made.append('field', value);
    return made;
  };
  const specForm = new FormData();
  specForm.append('a', new Blob(['x']));
  const rows: [string, Parameters<typeof request>[0], string | undefined][] = [
    ['a plain GET', {}, undefined],
    ['https', { url: 'https://h/' }, undefined],
    ['a scheme in capitals', { url: 'HTTP://h/' }, undefined],
    ['a scheme that only the parser sees', { url: 'ht\ntp://h/' }, undefined],
    ['a data: URL', { url: 'data:,x' }, 'unsupported-url'],
    ['a file: URL', { url: 'file:///etc/passwd' }, 'unsupported-url'],
    ['a relative URL', { url: '/a' }, 'unsupported-url'],
    ['no URL', { url: '' }, 'unsupported-url'],
    ['an agent that is handed each request', { config: { httpAgent: new CookieAgent() } }, 'agent'],
    ['the same for TLS', { config: { httpsAgent: { addRequest() {} } } }, 'agent'],
    ["Node's own agent", { config: { httpAgent: new Agent({ keepAlive: true }) } }, undefined],
    ['an agent of a known proxy package', { config: { httpAgent: new HttpProxyAgent() } }, undefined],
    ['a port out of range', { url: 'http://h:99999/' }, 'unsupported-url'],
    ['a path over a socket', { url: '/a', config: { socketPath: '/s' } }, undefined],
    ['X-HTTP-Method-Override', { headers: { 'X-HTTP-Method-Override': 'DELETE' } }, 'method-override'],
    ['X-HTTP-Method', { headers: { 'x-http-method': 'PUT' } }, 'method-override'],
    ['X-Method-Override', { headers: { 'X-Method-Override': '' } }, 'method-override'],
    ['a string body', { data: 'a' }, undefined],
    ['a Buffer', { data: Buffer.from('a') }, undefined],
    ['an ArrayBuffer', { data: new ArrayBuffer(2) }, undefined],
    ['a Blob', { data: new Blob(['a']) }, undefined],
    ['FormData with a Blob', { data: specForm }, undefined],
    ['form-data in memory', { data: form(Buffer.from('a')) }, undefined],
    ['form-data that holds a stream', { data: form(Readable.from(['a'])) }, 'stream-body'],
    ['a Node stream', { data: Readable.from(['a']) }, 'stream-body'],
    ['a web stream', { data: new Blob(['a']).stream() }, 'stream-body'],
    ['an async iterable', { data: { async *[Symbol.asyncIterator]() {} } }, 'stream-body'],
    ['an object that no transform serialised', { data: { a: 1 } }, 'unreadable-body'],
    ['a number', { data: 1 }, 'unreadable-body'],
    ['null', { data: null }, undefined],
  ];
  for (const [what, given, reason] of rows) {
    it(`says ${reason ?? 'nothing'} of ${what}`, () => {
      expect(unkeyableReason(request(given))).to.equal(reason);
    });
  }

  it('says stream-body of form-data that is being sent already', () => {
    const sent = form('a');
    sent.resume();
    expect(unkeyableReason(request({ data: sent }))).to.equal('stream-body');
  });

  it('is not moved by a polluted prototype', () => {
    const prototype: Record<string, unknown> = Object.prototype as never;
    prototype.socketPath = '/run/evil';
    try {
      expect(unkeyableReason(request({ url: '/a' }))).to.equal('unsupported-url');
    } finally {
      delete prototype.socketPath;
    }
  });
});
