import { inspect } from 'node:util';
import { AxiosHeaders } from 'axios';
import { expect } from 'chai';
import { onEachStore, redirect } from './support.js';

onEachStore('CachedResponse', (start) => {
  it('shows all of a response', async () => {
    const { http, adapter, origin, clock } = await start({
      allowableCodes: [203],
      allowableMethods: ['POST'],
    });
    origin.on('/a', (_req, res) => {
      res.writeHead(203, 'Second hand', {
        'Content-Type': 'application/json; charset=utf-8',
        'X-One': '1',
        'Set-Cookie': ['a=1', 'b=2'],
      });
      res.end('\ufeff{"ü": [1]}');
    });
    const { cacheKey = '' } = await http.post(
      '/a?x=1',
      { q: 'ü' },
      { headers: { 'X-Ask': 'me' }, expireAfter: 60.5 },
    );
    const createdAt = new Date(clock.now());
    clock.tick(10);
    const found = await adapter.cache.get(cacheKey);
    if (found === undefined) throw new Error('not found');
    expect(found.key).to.equal(cacheKey);
    expect(found.request).to.include({ method: 'POST', url: `${origin.url}/a?x=1`, data: '{"q":"ü"}' });
    expect(found.request.headers).to.include({ 'x-ask': 'me', 'content-type': 'application/json' });
    expect([found.status, found.statusText]).to.deep.equal([203, 'Second hand']);
    expect(found.headers).to.be.instanceOf(AxiosHeaders);
    expect(found.headers.get('x-one')).to.equal('1');
    expect(found.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(found.url).to.equal(`${origin.url}/a?x=1`);
    expect(found.redirects).to.deep.equal([]);
    expect(found.createdAt).to.deep.equal(createdAt);
    expect(found.expires).to.deep.equal(new Date(createdAt.getTime() + 60_500));
    expect(found.isExpired).to.equal(false);
    expect(found.expiresIn).to.equal(50.5);
    expect(found.data).to.be.instanceOf(Buffer);
    expect(found.data.toString()).to.equal('\ufeff{"ü": [1]}');
    expect(found.size).to.equal(found.data.length);
    expect(found.text()).to.equal('{"ü": [1]}');
    expect(found.json()).to.deep.equal({ ü: [1] });
    expect(found.toString()).to.equal(
      `<CachedResponse [203]: POST ${origin.url}/a?x=1, ${found.size} bytes, ` +
        `created ${createdAt.toISOString()}, expires ${found.expires?.toISOString()}>`,
    );
    expect(`${found}`).to.equal(found.toString());
    expect(inspect(found)).to.equal(found.toString());
  });

  it('goes with the clock', async () => {
    const { http, adapter, origin, clock } = await start();
    await http.get('/a', { expireAfter: 10 });
    await http.get('/b');
    const a = await adapter.cache.get({ url: `${origin.url}/a` });
    const b = await adapter.cache.get({ url: `${origin.url}/b` });
    clock.tick(12);
    expect([a?.isExpired, a?.expiresIn]).to.deep.equal([true, -2]);
    expect(a?.toString()).to.include('expired 20');
    expect([b?.isExpired, b?.expires, b?.expiresIn]).to.deep.equal([false, undefined, undefined]);
    expect(b?.toString()).to.include('never expires');
  });

  it('names the final URL and those that redirected', async () => {
    const { http, adapter, origin } = await start();
    origin.on('/first', redirect('/second')).on('/second', redirect('/target'));
    const { cacheKey = '' } = await http.get('/first');
    const found = await adapter.cache.get(cacheKey);
    expect(found?.url).to.equal(`${origin.url}/target`);
    expect(found?.redirects).to.deep.equal([`${origin.url}/first`, `${origin.url}/second`]);
  });

  it('has the body without its content encoding, and any bytes exactly', async () => {
    const { gzipSync } = await import('node:zlib');
    const { http, adapter, origin } = await start();
    const bytes = Buffer.from([0, 1, 254, 255, 13, 10]);
    origin.on('/a', (_req, res) => {
      res.setHeader('content-encoding', 'gzip').end(gzipSync(bytes));
    });
    await http.get('/a', { responseType: 'arraybuffer' });
    const found = await adapter.cache.get({ url: `${origin.url}/a` });
    expect(found?.data).to.deep.equal(bytes);
    expect(() => found?.json()).to.throw(SyntaxError);
  });

  it('is a copy: changing it changes nothing that is stored', async () => {
    const { http, adapter, origin } = await start();
    const url = `${origin.url}/a`;
    await http.get('/a', { expireAfter: 60 });
    const change = async () => {
      const found = await adapter.cache.get({ url });
      if (found === undefined) throw new Error('not found');
      found.data.fill(0);
      found.headers.set('content-type', 'text/evil');
      found.headers.set('x-new', '1');
      found.request.headers.accept = 'evil';
      found.redirects.push('evil');
      found.createdAt.setTime(0);
      found.expires?.setTime(0);
    };
    await http.get('/a');
    await change();
    await change();
    const found = await adapter.cache.get({ url });
    expect(found?.json()).to.include({ method: 'GET' });
    expect(found?.headers.get('content-type')).to.equal('application/json');
    expect(found?.headers.has('x-new')).to.equal(false);
    expect(found?.redirects).to.deep.equal([]);
    expect(found?.expiresIn).to.equal(60);
    const hit = await http.get('/a');
    expect(hit.fromCache).to.equal(true);
    expect(hit.data).to.include({ method: 'GET' });
    expect(hit.headers['x-new']).to.equal(undefined);
  });

  it('never has a secret of the request: header, query, form, JSON at any depth, userinfo, auth', async () => {
    const { http, adapter, origin, store } = await start({
      allowableMethods: ['GET', 'POST'],
      ignoredParameters: ['sid'],
    });
    const at = origin.url.replace('//', '//user:hush-1@');
    const form = new FormData();
    form.append('password', 'hush-2');
    origin.on('/go', redirect('/target?access_token=hush-3'));
    await http.get(`${at}/a?token=hush-4&API_KEY=hush-5&sid=hush-6&x=shown`, {
      headers: {
        Cookie: 'c=hush-7',
        'X-Api-Key': 'hush-8',
        'x-auth-token': 'hush-9',
        Sid: 'hush-10',
        Referer: `${at}/?token=hush-11`,
      },
    });
    await http.get('/b', { auth: { username: 'user', password: 'hush-12' } });
    await http.get('/b', { headers: { Authorization: 'Bearer hush-13' } });
    await http.post('/c', new URLSearchParams({ client_secret: 'hush-14', x: 'shown' }));
    await http.post('/c', {
      deep: [{ user: { Password: 'hush-15', list: [{ token: { of: 'hush-16' } }] } }],
      x: 'shown',
    });
    await http.post('/c', form);
    await http.get('/go');
    await adapter.cache.flush();
    let all = '';
    for await (const found of adapter.cache.values()) {
      const { request, url, redirects } = found;
      all +=
        JSON.stringify({ request, url, redirects }) +
        String(found) +
        inspect(found, { depth: 9, showHidden: true });
    }
    all += (await adapter.cache.urls()).join();
    expect(await adapter.cache.count()).to.equal(7);
    expect(all).to.include('x=shown').and.include('REDACTED');
    expect(all).to.not.include('hush');
    // Nor do the bytes at rest, in clear or as basic credentials.
    for await (const key of store.keys()) {
      const bytes = Buffer.from((await store.get(key)) ?? []).toString('latin1');
      const withoutBody = bytes.replaceAll(/\{"n":.*\}/g, '');
      expect(withoutBody).to.not.include('hush');
      for (const pair of ['user:hush-1', 'user:hush-12']) {
        expect(bytes).to.not.include(Buffer.from(pair).toString('base64'));
      }
    }
  });
});
