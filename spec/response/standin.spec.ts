import type { ClientRequest, IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { headerList } from '../../lib/response/headers.js';
import { attachRequest, type RequestInfo, requestStandIn } from '../../lib/response/standin.js';
import { Origin } from '../support/origin.js';
import { ask, configOf } from './support.js';

const info = (fields: Partial<RequestInfo> = {}): RequestInfo => ({
  method: 'GET',
  url: 'http://127.0.0.1/start',
  finalUrl: 'https://[::1]:8443/end?x=1',
  redirects: ['http://127.0.0.1/start'],
  status: 200,
  headers: [
    ['Content-Type', 'text/plain'],
    ['set-cookie', ['a=1', 'b=2']],
  ],
  ...fields,
});

type Request = ClientRequest & {
  res: IncomingMessage & Record<string, unknown>;
  _redirectable: Record<string, unknown>;
};

describe('response/standin: what is read from response.request', () => {
  it('tells of an http request what a real one does', async () => {
    const origin = await Origin.start((req, res) => {
      if (req.url === '/start') res.writeHead(302, { location: '/end?x=1' });
      else res.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] });
      res.end('body');
    });
    try {
      const url = `${origin.url}/start`;
      const network = await ask('http', configOf({ url }));
      const real = network.request as Request;
      const ours = requestStandIn(
        info({
          url,
          finalUrl: `${origin.url}/end?x=1`,
          redirects: [url],
          headers: headerList(network.headers),
          requestHeaders: network.config.headers,
        }),
        'http',
      ) as Request;
      for (const field of [
        'path',
        'method',
        'host',
        'protocol',
        'finished',
        'aborted',
        'destroyed',
        'writableEnded',
        'writableFinished',
        'headersSent',
        'reusedSocket',
        'maxHeadersCount',
      ] as const) {
        expect(ours[field], field).to.equal(real[field]);
      }
      for (const field of [
        'responseUrl',
        'statusCode',
        'statusMessage',
        'headers',
        'redirects',
        'httpVersion',
        'httpVersionMajor',
        'httpVersionMinor',
        'complete',
        'aborted',
        'destroyed',
        'trailers',
        'rawTrailers',
        'url',
        'method',
        'upgrade',
        'readableEnded',
      ] as const) {
        expect(ours.res[field], field).to.deep.equal(real.res[field]);
      }
      expect(ours.res.rawHeaders.map((each) => each.toLowerCase())).to.have.members(
        real.res.rawHeaders.map((each) => each.toLowerCase()),
      );
      for (const field of ['_currentUrl', '_redirectCount', '_redirects', '_isRedirect']) {
        expect(ours._redirectable[field], field).to.deep.equal(real._redirectable[field]);
      }
      expect(ours.getHeaders()).to.deep.equal(real.getHeaders());
      expect(ours.getHeaderNames()).to.have.members(real.getHeaderNames());
      expect(ours.getRawHeaderNames()).to.have.members(real.getRawHeaderNames());
      expect(ours.getHeader('USER-AGENT')).to.equal(real.getHeader('user-agent'));
      expect(ours.hasHeader('nope')).to.equal(false);
      expect(ours.res.req).to.equal(ours);
      expect(ours.constructor.name).to.equal(real.constructor.name);
    } finally {
      await origin.close();
    }
  });

  it('takes the brackets off an IPv6 host, as axios does', () => {
    expect(requestStandIn(info(), 'http')).to.include({ host: '::1', path: '/end?x=1', protocol: 'https:' });
  });

  it('knows no peer, and may be aborted, destroyed and listened to in vain', () => {
    const request = requestStandIn(info(), 'http') as Request;
    expect(request.socket?.remoteAddress).to.equal(undefined);
    request.abort();
    request
      .destroy()
      .on('close', () => {})
      .once('error', () => {})
      .removeAllListeners();
    request.res.on('end', () => {}).destroy();
    expect(request.emit('close')).to.equal(false);
  });

  for (const flavour of ['http', 'fetch'] as const) {
    for (const [name, fields] of [
      ['a usual request', {}],
      ['a URL that is none', { url: 'nowhere', finalUrl: 'nowhere' }],
      ['userinfo', { url: 'http://a:b@127.0.0.1/' }],
      ['headers that Request refuses', { requestHeaders: { 'bad name': '\n' } }],
    ] as const) {
      it(`${flavour}: ${name} can be made, logged and serialised`, () => {
        const request = requestStandIn(info(fields), flavour);
        for (const depth of [0, 2, 10]) expect(inspect({ request }, { depth })).to.be.a('string');
        expect(JSON.parse(JSON.stringify({ request }))).to.have.property('request');
        expect(Object.keys(request)).to.deep.equal([]);
      });
    }
  }

  it('logs what is worth reading', () => {
    const text = inspect(requestStandIn(info(), 'http'));
    expect(text)
      .to.match(/^ClientRequest \{/)
      .and.include("path: '/end?x=1'")
      .and.include('statusCode: 200');
  });

  it('is a real Request for fetch', () => {
    const request = requestStandIn(info({ requestHeaders: { 'X-A': '1' } }), 'fetch') as globalThis.Request;
    expect(request).to.be.instanceOf(Request);
    expect(request.url).to.equal('http://127.0.0.1/start');
    expect(request.method).to.equal('GET');
    expect(request.headers.get('x-a')).to.equal('1');
  });

  it('attached for fetch, is made once and when first read', () => {
    const response: { status: number; request?: unknown } = { status: 200 };
    attachRequest(response, info(), 'fetch');
    expect(Object.keys(response)).to.deep.equal(['status', 'request']);
    const { request } = response;
    expect(request).to.be.instanceOf(Request);
    expect({ ...response }.request).to.equal(request);
    response.request = 'replaced';
    expect(response.request).to.equal('replaced');
  });
});
