import { expect } from 'chai';
import { type Rig, rig } from '../support/harness.js';

describe('frozen: true', () => {
  let bench: Rig;
  beforeEach(async () => {
    bench = await rig({ frozen: true });
    bench.origin.on('/json', (_, res) => {
      res.end('{"a":{"b":[1,{"c":2}]}}');
    });
    bench.origin.on('/text', (_, res) => {
      res.end('no JSON');
    });
  });
  afterEach(() => bench.close());

  it('hands all hits one deep-frozen object', async () => {
    const { http } = bench;
    const miss = await http.get('/json');
    const first = await http.get('/json');
    const second = await http.get('/json');
    expect(first.data).to.deep.equal(miss.data);
    expect(second.data).to.equal(first.data);
    expect(Object.isFrozen(first.data.a.b[1])).to.equal(true);
    expect(() => {
      first.data.a.b.push(2);
    }).to.throw(TypeError);
    expect(Object.isFrozen(miss.data), 'what came from the network is the caller’s').to.equal(false);
  });

  it('leaves alone what any other transform, responseType or text is for', async () => {
    const { http } = bench;
    await http.get('/json');
    expect((await http.get('/json', { responseType: 'text' })).data).to.equal('{"a":{"b":[1,{"c":2}]}}');
    expect((await http.get('/json', { responseType: 'arraybuffer' })).data).to.be.instanceOf(Buffer);
    expect((await http.get('/json', { transformResponse: (data) => `own ${data.length}` })).data).to.equal(
      'own 23',
    );
    expect(Object.isFrozen((await http.get('/json', { responseType: 'json' })).data)).to.equal(true);
    await http.get('/text');
    expect((await http.get('/text')).data).to.equal('no JSON');
  });
});
