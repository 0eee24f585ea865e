import { expect } from 'chai';
import fc from 'fast-check';
import { ownText, sortInTurns } from '../lib/sorting.js';
import { collectGarbage } from './support/garbage.js';

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

  it('lets the event loop go on, also between many short merges', async () => {
    const strings = Array.from({ length: 28_672 }, (_, n) => String((n * 7919) % 28_672));
    let turns = 0;
    let next = setImmediate(function count() {
      turns += 1;
      next = setImmediate(count);
    });
    await sortInTurns(strings);
    clearImmediate(next);
    // At most 4096 are sorted in one, and 16,384 merged: each as often as there are rounds, two and two.
    const runs = strings.length / 4096;
    const moved = strings.length * Math.log2(runs);
    expect(turns).to.be.at.least(Math.floor(runs + moved / 16_384));
  });
});

describe('a text of its own', () => {
  it('is the same text, of whatever characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => ownText(text) === text));
  });

  it('does not hold on to the text that it was cut from', () => {
    const before = process.memoryUsage().heapUsed;
    // Beyond the 13 characters below which V8 copies of itself.
    const pieces = Array.from({ length: 2000 }, (_, n) => ownText(`${n}${'x'.repeat(20_000)}`.slice(0, 20)));
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).to.be.below(10_000_000);
    expect(pieces).to.have.length(2000);
  });
});
