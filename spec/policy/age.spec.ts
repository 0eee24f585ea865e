import { expect } from 'chai';
import { ageHeader, currentAge, initialAge } from '../../lib/policy/age.js';
import { at, fields, httpDate, received, stored } from './views.js';

describe('The age of a response', () => {
  const rows: [string, Record<string, string | string[]>, number][] = [
    ['is 0 when the origin says nothing', {}, 0],
    ['is what Age says', { Age: '30' }, 30],
    ['is the time since Date', { Date: httpDate(-40) }, 40],
    ['is the larger of both', { Date: httpDate(-40), Age: '30' }, 40],
    ['is not negative when Date is in the future', { Date: httpDate(40) }, 0],
    ['takes no account of an invalid Date', { Date: 'foo', Age: '5' }, 5],
    // RFC 9111 5.1
    ['takes the first of several', { Age: '7200, 0' }, 7200],
    ['takes the first of several lines', { Age: ['0', '7200'] }, 0],
    ['ignores text', { Age: 'abc' }, 0],
    ['ignores a negative number', { Age: '-7200' }, 0],
    ['ignores a fraction', { Age: '7200.0' }, 0],
    ['ignores parameters', { Age: '7200;foo=bar' }, 0],
    ['ignores nothing at all', { Age: '' }, 0],
    ['is capped', { Age: '99999999999999999999' }, 2 ** 31],
  ];
  for (const [name, headers, age] of rows) {
    it(`${name}.`, () => expect(initialAge(received(headers))).to.equal(age));
  }

  it('grows by the time the response took, and by the time since (RFC 9111 4.2.3).', () => {
    const response = { ...stored(60, { Age: '10' }), requestTime: at(-2) };
    expect(initialAge(response)).to.equal(12);
    expect(currentAge(response, at(5))).to.equal(17);
    expect(currentAge(response, at(5.5))).to.equal(17.5);
  });

  it('is apparent from Date in whole seconds: a response is not old for being sent within the second.', () => {
    const response = {
      status: 200,
      headers: fields({ Date: httpDate(0) }),
      requestTime: at(0.9),
      responseTime: at(0.9),
    };
    expect(initialAge(response)).to.equal(0);
    expect(initialAge({ ...response, headers: fields({ Date: httpDate(-1) }) })).to.equal(1);
  });

  it('does not shrink when the clock goes back.', () => {
    expect(currentAge(stored(60, { Age: '10' }), at(-5))).to.equal(10);
    expect(initialAge({ ...received({ Age: '10' }), requestTime: at(5) })).to.equal(10);
  });

  it('is sent in whole seconds, at most 2^31.', () => {
    expect(ageHeader(stored(60), at(1.999))).to.equal('1');
    expect(ageHeader(stored(60, { Age: '9999999999' }), at(1))).to.equal(String(2 ** 31));
  });
});
