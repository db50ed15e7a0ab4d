import { describe, expect, it } from 'vitest';
import { answerCheck, type IceSession } from './responder.js';
import { ATTRIBUTE, BINDING, parseStun, writeStun, xorMappedAddress } from './stun.js';

const SESSION: IceSession = {
  local: { ufrag: 'ours', pwd: 'a-password-of-22-chars' },
  remote: { ufrag: 'them', pwd: 'another-one-of-22-char' },
  remoteLite: false,
};
const TRANSACTION = Buffer.from('0123456789ab');

type Attributes = [number, Buffer][];

function check(extra: Attributes = [], username = 'ours:them', pwd: string | undefined = SESSION.local.pwd): Buffer {
  return writeStun(
    BINDING.request,
    TRANSACTION,
    [
      [ATTRIBUTE.username, Buffer.from(username)],
      [ATTRIBUTE.priority, Buffer.alloc(4, 1)],
      [ATTRIBUTE.controlling, Buffer.alloc(8, 1)],
      ...extra,
    ],
    pwd,
  );
}

function codeOf(request: Buffer): number | undefined {
  const answer = answerCheck(request, SESSION, '192.0.2.7', 5000);
  const error = answer && parseStun(answer.response)?.attributes.get(ATTRIBUTE.errorCode);
  return error && error[2]! * 100 + error[3]!;
}

describe('STUN', () => {
  it('reads the sample request of RFC 5769, 2.1', () => {
    const bytes = Buffer.from(
      '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36' +
        '000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
      'hex',
    );
    const message = parseStun(bytes);
    expect(message?.type).toBe(BINDING.request);
    expect(message?.attributes.get(ATTRIBUTE.username)?.toString()).toBe('evtj:h6vY');
    expect(message?.hasIntegrity('VOkJxbRl1RmTxUk/WvJxBt')).toBe(true);
    expect(message?.hasIntegrity('VOkJxbRl1RmTxUk/WvJxBT')).toBe(false);
    for (let n = 0; n < bytes.length - 8; n++) {
      expect(parseStun(bytes.subarray(0, n))).toBeUndefined();
      const bent = Buffer.from(bytes);
      bent[n] = bent[n]! ^ 0x10;
      expect(parseStun(bent)?.hasIntegrity('VOkJxbRl1RmTxUk/WvJxBt') ?? false).toBe(false);
    }
  });

  it('writes the mapped addresses of RFC 5769, 2.2 and 2.3', () => {
    const transaction = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
    expect(xorMappedAddress('192.0.2.1', 32_853, transaction).toString('hex')).toBe('0001a147e112a643');
    expect(xorMappedAddress('2001:db8:1234:5678:11:2233:4455:6677', 32_853, transaction).toString('hex')).toBe(
      '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
    );
    const mask = xorMappedAddress('::', 0, transaction).subarray(4);
    const last = xorMappedAddress('::1', 0, transaction).subarray(4);
    expect(last[15]! ^ mask[15]!).toBe(1);
  });
});

describe('ICE-lite', () => {
  it('answers a check with the address it came from, and sees the nomination', () => {
    const answer = answerCheck(check(), SESSION, '192.0.2.7', 5000);
    expect(answer).toMatchObject({ valid: true, nominated: false });
    const response = parseStun(answer?.response ?? Buffer.alloc(0));
    expect(response?.type).toBe(BINDING.success);
    expect(response?.transaction).toEqual(TRANSACTION);
    expect(response?.hasIntegrity(SESSION.local.pwd)).toBe(true);
    expect(response?.attributes.get(ATTRIBUTE.xorMappedAddress)).toEqual(
      xorMappedAddress('192.0.2.7', 5000, TRANSACTION),
    );
    const nominating = check([[ATTRIBUTE.useCandidate, Buffer.alloc(0)]]);
    expect(answerCheck(nominating, SESSION, '192.0.2.7', 5000)).toMatchObject({ valid: true, nominated: true });
  });

  it('refuses what is not authenticated, not understood or of the wrong role', () => {
    expect(codeOf(writeStun(BINDING.request, TRANSACTION, []))).toBe(400);
    expect(codeOf(check([], 'ours:them', 'wrong'))).toBe(401);
    expect(codeOf(check([], 'other:them'))).toBe(401);
    expect(codeOf(check([[0x0033, Buffer.alloc(4)]]))).toBe(420);
    expect(codeOf(check([[0x8033, Buffer.alloc(4)]]))).toBeUndefined();
    expect(codeOf(check([[ATTRIBUTE.controlled, Buffer.alloc(8)]]))).toBe(487);
    expect(answerCheck(writeStun(BINDING.success, TRANSACTION, []), SESSION, '192.0.2.7', 5000)).toBeUndefined();
    expect(answerCheck(Buffer.from('hello, this is no STUN..'), SESSION, '192.0.2.7', 5000)).toBeUndefined();
  });
});
