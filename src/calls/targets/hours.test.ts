import { describe, expect, it } from 'vitest';
import { isOpen, readDays, readTime } from './hours.js';

const desk = {
  timeZone: 'Europe/Berlin',
  open: [
    { days: 'mon-fri', from: '09:00', to: '17:00' },
    { days: 'fri', from: '22:00', to: '06:00' },
  ],
  holidays: ['2026-12-24', '01-01'],
};

describe('business hours', () => {
  it.each([
    ['in the morning, by its own time zone', '2026-11-27T08:00:00Z', true],
    ['a minute before', '2026-11-27T07:59:00Z', false],
    ['at closing time', '2026-11-27T16:00:00Z', false],
    ['in summer time', '2026-07-01T07:00:00Z', true],
    ['at night on Friday', '2026-11-27T21:30:00Z', true],
    ['past midnight, on a shift that began on Friday', '2026-11-28T04:59:00Z', true],
    ['after that shift', '2026-11-28T05:00:00Z', false],
    ['on Saturday', '2026-11-28T12:00:00Z', false],
    ['on a holiday', '2026-12-24T10:00:00Z', false],
    ['on a holiday of each year', '2027-01-01T10:00:00Z', false],
  ])('%s', (_, time, open) => {
    expect(isOpen(desk, Date.parse(time))).toBe(open);
  });

  it('reads days around the end of the week, and times', () => {
    expect([...(readDays('sat-mon') ?? [])]).toEqual([6, 0, 1]);
    expect([...(readDays('Monday, wed') ?? [])]).toEqual([1, 3]);
    expect(readDays('someday')).toBeUndefined();
    expect([readTime('24:00'), readTime('9:05'), readTime('24:01'), readTime('9')]).toEqual([
      1440,
      545,
      undefined,
      undefined,
    ]);
  });
});
