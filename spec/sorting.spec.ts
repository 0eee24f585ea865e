import { expect } from 'chai';
import fc from 'fast-check';
import { sortInTurns } from '../lib/sorting.js';

describe('sorting in turns', () => {
  it('gives what sort() gives', async () => {
    const many = fc.array(fc.string({ unit: 'binary' }), { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(many, async (strings) => {
        expect(await sortInTurns(strings)).to.deep.equal([...strings].sort());
      }),
    );
    const more = Array.from({ length: 30_001 }, (_, n) => `https://example.org/${(n * 7919) % 30_001}`);
    expect(await sortInTurns(more)).to.deep.equal([...more].sort());
  });

  it('lets the event loop go on', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    await sortInTurns(Array.from({ length: 200_000 }, (_, n) => String((n * 7919) % 200_000)));
    clearInterval(timer);
    expect(turns).to.be.greaterThan(5);
  });
});
