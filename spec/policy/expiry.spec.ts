import { expect } from 'chai';
import {
  assertExpireAfter,
  assertStaleLimit,
  durationMs,
  expiryMoment,
  staleLimitMs,
} from '../../lib/policy/expiry.js';
import { DO_NOT_CACHE, EXPIRE_IMMEDIATELY, type ExpireAfter, NEVER_EXPIRE } from '../../lib/policy/types.js';
import { T0 } from './views.js';

type Given = Exclude<ExpireAfter, typeof DO_NOT_CACHE | null | undefined>;

/** As Temporal's: calendar units throw without a reference date. */
const temporalDuration = { total: (unit: string) => (unit === 'milliseconds' ? 90_000 : Number.NaN) };
const calendarDuration = {
  total: (): number => {
    throw new RangeError('a starting point is required for months total');
  },
};
const instant = { epochMilliseconds: T0 + 5000 };

describe('An expiry', () => {
  const moments: [string, Given, number | undefined][] = [
    ['60 is that many seconds from now', 60, T0 + 60_000],
    ['a fraction of a second counts', 1.5, T0 + 1500],
    ['-1 is never', NEVER_EXPIRE, undefined],
    ['0 is now', EXPIRE_IMMEDIATELY, T0],
    ['another negative number is past', -2, T0 - 2000],
    ['-0.5 is past, not never', -0.5, T0 - 500],
    [
      'the fields of an object add up',
      { hours: 1, minutes: 30, seconds: 1, milliseconds: 5 },
      T0 + 5_401_005,
    ],
    ['weeks and days are of fixed length', { weeks: 1, days: 1 }, T0 + 8 * 86_400_000],
    ['an object of -1 second is past, not never', { seconds: -1 }, T0 - 1000],
    ['a Date is that moment', new Date(T0 + 1), T0 + 1],
    ['a past Date is past', new Date(0), 0],
    ['a Temporal duration is from now', temporalDuration, T0 + 90_000],
    ['a Temporal instant is that moment', instant, T0 + 5000],
    ['beyond what a Date holds is never', 1e18, undefined],
    ['the last moment of a Date is still a moment', new Date(8.64e15), 8.64e15],
    ['far in the past stays within what a Date holds', -1e18, -8.64e15],
  ];
  for (const [name, value, moment] of moments) {
    it(`${name}.`, () => expect(expiryMoment(value, T0)).to.equal(moment));
  }

  const valid: unknown[] = [
    undefined,
    null,
    0,
    -1,
    -7,
    0.25,
    DO_NOT_CACHE,
    { days: 1 },
    { days: 1, hours: undefined },
    Object.assign(Object.create(null), { seconds: 3 }),
    new Date(),
    temporalDuration,
    instant,
  ];
  for (const [index, value] of valid.entries()) {
    it(`is accepted (${index}: ${typeof value}).`, () => {
      expect(() => assertExpireAfter('expireAfter', value)).not.to.throw();
    });
  }

  const invalid: [string, unknown][] = [
    ['a string', '60'],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['an empty object', {}],
    ['an object of undefined fields', { days: undefined }],
    ['an unknown field', { days: 1, months: 1 }],
    ['an inherited name as field', { toString: 1 }],
    ['a field that is a string', { days: '1' }],
    ['a field that is NaN', { days: Number.NaN }],
    ['true', true],
    ['false', false],
    ['a bigint', 60n],
    ['an invalid Date', new Date('tomorrow')],
    ['an array', [60]],
    ['a function', () => 60],
    ['a total that is no method', { total: 60 }],
    ['a function that is like an instant', Object.assign(() => 60, { epochMilliseconds: 60 })],
    ['a function that is like a duration', Object.assign(() => 60, { total: () => 60 })],
    ['another symbol', Symbol('DO_NOT_CACHE')],
    ['an invalid instant', { epochMilliseconds: Number.NaN }],
    ['a duration of NaN', { total: () => Number.NaN }],
    ['a duration in months', calendarDuration],
  ];
  for (const [name, value] of invalid) {
    it(`is refused: ${name}.`, () => {
      expect(() => assertExpireAfter('expireAfter', value))
        .to.throw(/expireAfter/)
        .with.property('code', 'ERR_CACHE_OPTION');
    });
  }

  it('with a total that is no method is not taken for a duration.', () => {
    expect(() => assertExpireAfter('expireAfter', { total: 60 })).to.throw(/allowed: seconds/);
  });

  it('in calendar units is refused with the reason and the cause.', () => {
    expect(() => assertExpireAfter('expireAfter', calendarDuration))
      .to.throw(/fixed length/)
      .with.property('cause')
      .that.is.instanceOf(RangeError);
  });

  it('DO_NOT_CACHE is the same symbol in every copy of the package.', () => {
    expect(DO_NOT_CACHE).to.equal(Symbol.for('axios-stash.DO_NOT_CACHE'));
  });
});

describe('A stale limit', () => {
  for (const value of [true, false, 0, 60, 0.5, { minutes: 5 }, { seconds: 0 }]) {
    it(`is accepted: ${JSON.stringify(value)}.`, () => {
      expect(() => assertStaleLimit('staleIfError', value)).not.to.throw();
    });
  }
  for (const value of [
    -1,
    -0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '60',
    null,
    undefined,
    {},
    { seconds: -1 },
    { years: 1 },
    [],
    new Date(),
  ]) {
    it(`is refused: ${String(value)} (${JSON.stringify(value)}).`, () => {
      expect(() => assertStaleLimit('staleIfError', value)).to.throw(/staleIfError/);
    });
  }
  it('is unbounded for true and nothing for false.', () => {
    expect(staleLimitMs(true)).to.equal(Number.POSITIVE_INFINITY);
    expect(staleLimitMs(false)).to.equal(0);
    expect(staleLimitMs({ minutes: 1 })).to.equal(60_000);
  });
});

describe('durationMs', () => {
  it('takes numbers for seconds.', () => expect(durationMs(2.5)).to.equal(2500));
  it('asks a Temporal duration for its total.', () => expect(durationMs(temporalDuration)).to.equal(90_000));
  it('leaves undefined fields out.', () =>
    expect(durationMs({ days: 1, hours: undefined })).to.equal(86_400_000));
});
