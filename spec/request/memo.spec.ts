import { expect } from 'chai';
import { KeyMemo } from '../../lib/request/memo.js';

describe('KeyMemo', () => {
  it('stays within its bytes, whatever comes', () => {
    const memo = new KeyMemo(100_000);
    for (let at = 0; at < 10_000; at++) memo.set(`name ${at}`, 'key');
    expect(memo.size).to.be.within(200, 500);
    expect(memo.get('name 9999')).to.equal('key');
    expect(memo.get('name 0')).to.equal(undefined);
    expect([memo.has('name 9999'), memo.has('name 0')]).to.deep.equal([true, false]);
  });

  it('keeps what is used while others come and go', () => {
    const memo = new KeyMemo(100_000);
    memo.set('used', 'key');
    for (let at = 0; at < 10_000; at++) {
      memo.set(`name ${at}`, 'other');
      expect(memo.get('used')).to.equal('key');
    }
  });

  it('takes no giant name', () => {
    const memo = new KeyMemo(100_000);
    memo.set('a'.repeat(50_000), 'key');
    expect(memo.size).to.equal(0);
  });
});
