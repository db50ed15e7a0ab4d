import { describe, expect, it } from 'vitest';
import { AesGcmCipher } from './aes-gcm.js';
import { deriveKeys } from './key-derivation.js';
import { SRTP_OVERHEAD, SrtpReceiver, SrtpSender } from './session.js';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite, SUITE_FACTS } from './suites.js';

const KEY_80: SrtpKey = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  inline: hex('E1F97A0D3E018BE0D64FA32C06DE4139', '0EC675AD498AFEEBB6960B3AABE6').toString('base64'),
};

function hex(...parts: string[]): Buffer {
  return Buffer.from(parts.join(''), 'hex');
}

function keyOf(suite: SrtpSuite, fill = 7): SrtpKey {
  const { key, salt } = SUITE_FACTS[suite];
  return { suite, inline: Buffer.from(Array.from({ length: key + salt }, (_, n) => n * fill)).toString('base64') };
}

function rtp(sequence: number, payload = 160, ssrc = 0xcafebabe): Buffer {
  const packet = Buffer.alloc(12 + payload, sequence);
  packet[0] = 0x80;
  packet[1] = 0;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 160) >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

function protect(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_OVERHEAD);
  return out.subarray(0, sender.protectRtp(packet, out));
}

function protectRtcp(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_OVERHEAD);
  return out.subarray(0, sender.protectRtcp(packet, out));
}

describe('test vectors', () => {
  it('derives the keys of RFC 3711, B.3', () => {
    const { rtp: keys } = deriveKeys(KEY_80);
    expect(keys.cipher).toEqual(hex('C61E7A93744F39EE10734AFE3FF7A087'));
    expect(keys.salt).toEqual(hex('30CBBC08863D8C85D49DB34A9AE1'));
    expect(keys.auth).toEqual(hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'));
  });

  it('protects by AES-CM as libsrtp does', () => {
    const plain = hex('800f1234decafbadcafebabe', 'ab'.repeat(16));
    const out = protect(new SrtpSender(KEY_80), plain);
    expect(out).toEqual(hex('800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb'));
    expect(new SrtpReceiver(KEY_80).unprotectRtp(out)).toBe(plain.length);
    expect(out.subarray(0, plain.length)).toEqual(plain);
  });

  // The vectors begin with session keys, so they are put where derived ones go.
  const KEYS = {
    cipher: hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
    salt: hex('517569642070726f2071756f'),
    auth: Buffer.alloc(0),
  };

  it('seals and opens RTP as RFC 7714, 16.2', () => {
    const cipher = new AesGcmCipher(KEYS, false);
    const plain = hex(
      '8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e6973206469766973',
      '6120696e207061727465732074726573',
    );
    const bytes = Buffer.concat([plain, Buffer.alloc(16)]);
    cipher.seal(bytes, 12, plain.length, 0x5501a0b2, 0xf17b, 0);
    expect(bytes).toEqual(
      hex(
        '8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58',
        'e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
      ),
    );
    expect(cipher.open(bytes, 12, plain.length, 0x5501a0b2, 0xf17b, 0)).toBe(true);
    expect(bytes.subarray(0, plain.length)).toEqual(plain);
  });

  it('seals and opens RTCP as RFC 7714, 17.2', () => {
    const cipher = new AesGcmCipher(KEYS, true);
    const plain = hex('81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61', 'deadbeef'.repeat(5));
    const bytes = Buffer.concat([plain, Buffer.alloc(16)]);
    cipher.seal(bytes, 8, plain.length, 0x4d617273, 0x5d4, 0x800005d4);
    expect(bytes).toEqual(
      hex(
        '81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2ea',
        'a5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be',
      ),
    );
    expect(cipher.open(bytes, 8, plain.length, 0x4d617273, 0x5d4, 0x800005d4)).toBe(true);
    expect(bytes.subarray(0, plain.length)).toEqual(plain);
  });
});

describe.each(SRTP_SUITES)('%s', (suite) => {
  const key = keyOf(suite);

  it('carries a stream through loss, reordering and five wraps, and takes no packet twice', () => {
    const sender = new SrtpSender(key);
    const receiver = new SrtpReceiver(key);
    const held: { at: number; packet: Buffer; plain: Buffer }[] = [];
    let taken = 0;
    let wrong = 0;
    let replayed = 0;
    const arrive = (packet: Buffer, plain: Buffer): void => {
      const copy = Buffer.from(packet);
      const length = receiver.unprotectRtp(packet);
      if (length === plain.length && packet.subarray(0, length).equals(plain)) taken++;
      else wrong++;
      if (receiver.unprotectRtp(copy) === 'replayed') replayed++;
    };
    let lost = 0;
    let sent = 0;
    // One packet of 250, and all around each wrap.
    for (let n = 65_000, step = 0; n < 5 * 65_536; n += step) {
      step = n % 65_536 > 65_300 || n % 65_536 < 200 ? 1 : 250;
      const plain = rtp(n, 20);
      const packet = protect(sender, plain);
      sent++;
      if (sent % 17 === 0) lost++;
      else if (sent % 5 === 0 && (n + 200) % 65_536 < 350) held.push({ at: sent + 2, packet, plain });
      else arrive(packet, plain);
      while (held[0] && held[0].at <= sent) {
        const late = held.shift();
        if (late) arrive(late.packet, late.plain);
      }
    }
    for (const { packet, plain } of held) arrive(packet, plain);
    expect(wrong).toBe(0);
    expect(taken).toBe(sent - lost);
    expect(replayed).toBe(taken);
  });

  it('refuses what is forged, too old, cut or of another key, and goes on', () => {
    const sender = new SrtpSender(key);
    const receiver = new SrtpReceiver(key);
    const old = protect(sender, rtp(1));
    for (let n = 2; n < 200; n++) expect(receiver.unprotectRtp(protect(sender, rtp(n)))).toBe(172);
    expect(receiver.unprotectRtp(old)).toBe('replayed');
    const forged = protect(sender, rtp(200));
    const right = Buffer.from(forged);
    forged[20] = forged[20]! ^ 1;
    expect(receiver.unprotectRtp(forged)).toBe('unauthenticated');
    expect(new SrtpReceiver(keyOf(suite, 5)).unprotectRtp(Buffer.from(right))).toBe('unauthenticated');
    expect(receiver.unprotectRtp(right)).toBe(172);
    for (let n = 0; n < 32; n++)
      expect(typeof receiver.unprotectRtp(protect(sender, rtp(300)).subarray(0, n))).toBe('string');
    expect(receiver.unprotectRtp(Buffer.alloc(2000, 0x80))).toBe('malformed');
  });

  it('carries RTCP, and several streams under one key', () => {
    const sender = new SrtpSender(key);
    const receiver = new SrtpReceiver(key);
    const plain = hex('81c8000bcafebabe', 'ab'.repeat(40));
    for (let n = 0; n < 3; n++) {
      const packet = protectRtcp(sender, plain);
      const copy = Buffer.from(packet);
      expect(packet.subarray(8, plain.length)).not.toEqual(plain.subarray(8));
      expect(receiver.unprotectRtcp(packet)).toBe(plain.length);
      expect(packet.subarray(0, plain.length)).toEqual(plain);
      expect(receiver.unprotectRtcp(copy)).toBe('replayed');
    }
    const forged = protectRtcp(sender, plain);
    forged[10] = forged[10]! ^ 1;
    expect(receiver.unprotectRtcp(forged)).toBe('unauthenticated');
    expect(receiver.unprotectRtcp(forged.subarray(0, 10))).toBe('malformed');
    for (let ssrc = 1; ssrc < 40; ssrc++) {
      expect(receiver.unprotectRtp(protect(sender, rtp(9, 20, ssrc)))).toBe(32);
    }
  });
});

describe('SrtpReceiver', () => {
  it('passes over a master key identifier', () => {
    for (const suite of SRTP_SUITES) {
      const key = keyOf(suite);
      const { aead, rtpTag } = SUITE_FACTS[suite];
      const packet = protect(new SrtpSender(key), rtp(5));
      const at = aead ? packet.length : packet.length - rtpTag;
      const marked = Buffer.concat([packet.subarray(0, at), hex('01020304'), packet.subarray(at)]);
      expect(new SrtpReceiver({ ...key, mki: 4 }).unprotectRtp(marked)).toBe(172);
      expect(marked.subarray(0, 172)).toEqual(rtp(5));
    }
  });

  it('reads SRTCP as libsrtp writes it', () => {
    const packet = hex('81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798');
    expect(new SrtpReceiver(KEY_80).unprotectRtcp(packet)).toBe(24);
    expect(packet.subarray(0, 24)).toEqual(hex('81c8000bcafebabe', 'ab'.repeat(16)));
  });
});
