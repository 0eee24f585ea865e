import { expect } from 'chai';
import { varyNames } from '../../lib/policy/vary.js';
import { fields } from './views.js';

const MANY = Array.from({ length: 32 }, (_, n) => `x-${n}`);

describe('Vary', () => {
  const rows: [string, Record<string, string | string[]>, '*' | string[]][] = [
    ['absent: nothing', {}, []],
    ['empty: nothing', { Vary: '' }, []],
    ['one name in lower case', { Vary: 'Accept-Encoding' }, ['accept-encoding']],
    ['unique, trimmed, without empty members', { vary: ' Foo ,, bar,FOO ,' }, ['foo', 'bar']],
    ['over several lines', { Vary: ['Foo', 'Bar'] }, ['foo', 'bar']],
    ['over several fields', { Vary: 'Foo', vary: 'Bar' }, ['foo', 'bar']],
    ['a star', { Vary: '*' }, '*'],
    ['as many names as anybody needs', { Vary: MANY.join() }, MANY],
    ['more names than that: none is like another', { Vary: [...MANY, 'one-more'] }, '*'],
    ['a star among names', { Vary: 'Foo, *' }, '*'],
    ['a star before names', { Vary: '*, Foo' }, '*'],
    ['a star after an empty line', { Vary: ['', '*'] }, '*'],
  ];
  for (const [name, headers, names] of rows) {
    it(`${name}.`, () => expect(varyNames(fields(headers))).to.deep.equal(names));
  }
});
