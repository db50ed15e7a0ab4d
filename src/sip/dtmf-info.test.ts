import { describe, expect, it } from 'vitest';
import { infoFor, readInfo } from './dtmf-info.js';

const RELAY = 'application/dtmf-relay';

describe('a key by INFO', () => {
  it.each<[string, string, string, number]>([
    [RELAY, 'Signal=5\r\nDuration=160\r\n', '5', 160],
    [RELAY, 'Signal= 5\nDuration= 240', '5', 240],
    [RELAY, 'signal=*\r\nduration=100', '*', 100],
    ['Application/DTMF-Relay;charset=utf-8', 'Duration=80\r\nSignal = #\r\n', '#', 80],
    [RELAY, 'Signal=10\r\nDuration=250\r\n', '*', 250],
    [RELAY, 'Signal=11\r\n', '#', 160],
    [RELAY, 'Signal=d\r\nDuration=0\r\n', 'D', 160],
    [RELAY, 'Signal=1\r\nDuration=999999\r\n', '1', 10_000],
    ['application/dtmf', '7', '7', 160],
    ['application/dtmf', '12', 'A', 160],
    ['application/dtmf', ' 0 \r\n', '0', 160],
    ['application/dtmf', 'Signal=3\r\nDuration=90\r\n', '3', 90],
  ])('%s %j', (type, body, digit, durationMs) => {
    expect(readInfo(type, body)).toEqual({ digit, durationMs });
  });

  it.each<[string | undefined, string, string]>([
    [undefined, '', 'nothing'],
    [RELAY, 'Signal=16\r\nDuration=250\r\n', 'nothing'],
    [RELAY, 'Signal=hf\r\n', 'nothing'],
    [RELAY, 'Signal=55\r\nDuration=160\r\n', 'invalid'],
    [RELAY, 'hello', 'invalid'],
    [RELAY, '', 'invalid'],
    ['application/media_control+xml', '<media_control/>', 'other'],
    [undefined, 'Signal=5', 'other'],
  ])('%s %j is none', (type, body, verdict) => {
    expect(readInfo(type, body)).toBe(verdict);
  });

  it('reads what it writes', () => {
    for (const digit of '0123456789*#ABCD') {
      const { contentType, body } = infoFor({ digit, durationMs: 120 });
      expect(readInfo(contentType, body)).toEqual({ digit, durationMs: 120 });
    }
  });
});
