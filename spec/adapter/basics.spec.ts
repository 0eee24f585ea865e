import { expect } from 'chai';
import { type Rig, rig } from '../support/harness.js';

describe('cacheAdapter', () => {
  let it_: Rig;
  beforeEach(async () => {
    it_ = await rig();
  });
  afterEach(() => it_.close());

  it('asks the network once and the store afterwards', async () => {
    const { http, origin } = it_;
    const first = await http.get('/a', { params: { x: 1 } });
    const second = await http.get('/a', { params: { x: 1 } });
    expect(origin.count).to.equal(1);
    expect(first.fromCache).to.equal(false);
    expect(first.cacheStatus).to.include({ hit: false, fwd: 'uri-miss', fwdStatus: 200, stored: true });
    expect(second.fromCache).to.equal(true);
    expect(second.cacheStatus).to.include({ hit: true });
    expect(second.data).to.deep.equal(first.data);
    expect(second.cacheKey).to.equal(first.cacheKey);
  });

  it('lets a response expire and replaces it', async () => {
    const { http, origin, clock, adapter } = it_;
    await http.get('/a', { expireAfter: 360 });
    clock.tick(359);
    expect((await http.get('/a')).fromCache).to.equal(true);
    clock.tick(2);
    expect((await http.get('/a')).fromCache).to.equal(false);
    expect(origin.count).to.equal(2);
    expect(await adapter.cache.count()).to.equal(1);
  });
});
