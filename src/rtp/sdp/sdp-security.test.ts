import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, makeIdentity } from '../dtls/certificate.js';
import { type AudioOptions, acceptAnswer, answerOffer, makeOffer, SdpSession } from './sdp.js';
import type { SrtpPolicy } from './sdp-security.js';

const LOCAL = { address: '192.0.2.10', port: 20_000 };
const KEY_A = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const KEY_B = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const KEY_GCM = Buffer.alloc(44, 9).toString('base64');
const FINGERPRINT = `sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;

function audio(srtp: SrtpPolicy): AudioOptions {
  return { codecs: ['PCMU', 'PCMA'], opus: { bitrate: 24_000, dtx: false }, srtp };
}

function sdp(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...lines, ''].join('\r\n');
}

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const REFUSED = { code: 'PARLEY_ERR_SRTP_POLICY', sip: 488 };

/** As baresip with mediaenc=srtp-mand. */
const BARESIP = [
  'm=audio 11000 RTP/SAVP 0 8 101',
  'a=rtpmap:101 telephone-event/8000',
  `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${KEY_A}`,
  `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${KEY_B}|2^20|1:4`,
  `a=crypto:3 AEAD_AES_128_GCM inline:${Buffer.alloc(28).toString('base64')}`,
  'a=rtcp-mux',
  'a=ptime:20',
];

describe('SDES', () => {
  it('answers a secure offer with the best suite and a key of our own that stays', () => {
    const session = new SdpSession();
    const { sdp: text, media } = answerOffer(sdp(...BARESIP), LOCAL, session, audio('preferred'));
    expect(media.security).toMatchObject({
      kind: 'sdes',
      remote: { suite: 'AES_CM_128_HMAC_SHA1_80', inline: KEY_B, mki: 4 },
      local: { suite: 'AES_CM_128_HMAC_SHA1_80' },
    });
    expect(structuredClone(media)).toEqual(media);
    expect(media.rtcpMux).toBe(true);
    expect(text).toContain('m=audio 20000 RTP/SAVP 0 101\r\n');
    expect(text).toContain('a=rtcp-mux\r\n');
    const ours = /a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:(\S{40})\r\n/.exec(text)?.[1];
    expect(ours).toBe(media.security?.kind === 'sdes' ? media.security.local.inline : '');
    const again = answerOffer(sdp(...BARESIP), LOCAL, session, audio('preferred'));
    expect(again).toEqual({ sdp: text, media });
    // A re-offer of ours has the same key, in the same way.
    const reoffer = makeOffer(LOCAL, session, audio('preferred'));
    expect(reoffer).toContain('m=audio 20000 RTP/SAVP 0 8 101\r\n');
    expect(reoffer).toContain(`AES_CM_128_HMAC_SHA1_80 inline:${ours}`);
    // The peer begins anew: so do we.
    const renewed = answerOffer(sdp(...BARESIP).replace(KEY_B, KEY_A), LOCAL, session, audio('preferred'));
    expect(renewed.media.security).toMatchObject({ remote: { inline: KEY_A } });
    expect(renewed.sdp).not.toContain(ours);
  });

  it('prefers AES-GCM of 256 bits, and passes over keys that cannot be used', () => {
    const { media } = answerOffer(
      sdp(
        'm=audio 4000 RTP/SAVPF 0',
        `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A} UNENCRYPTED_SRTP`,
        'a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=',
        `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A};inline:${KEY_B}`,
        'a=crypto:x',
        `a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:${KEY_A} WSH=64 -new`,
        `a=crypto:5 AEAD_AES_256_GCM inline:${KEY_GCM}`,
      ),
      LOCAL,
      new SdpSession(),
      audio('required'),
    );
    expect(media.security).toMatchObject({ remote: { suite: 'AEAD_AES_256_GCM', inline: KEY_GCM } });
  });

  it('holds to the policy', () => {
    const plain = sdp('m=audio 4000 RTP/AVP 0');
    const both = sdp('m=audio 4000 RTP/AVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A}`);
    const take = (offer: string, policy: SrtpPolicy) => () =>
      answerOffer(offer, LOCAL, new SdpSession(), audio(policy)).media.security?.kind;
    expect(thrown(take(sdp(...BARESIP), 'off'))).toMatchObject(REFUSED);
    expect(thrown(take(plain, 'required'))).toMatchObject(REFUSED);
    expect(thrown(take(sdp('m=audio 4000 RTP/SAVP 0'), 'preferred'))).toMatchObject(REFUSED);
    expect(take(plain, 'preferred')()).toBeUndefined();
    // Keys under RTP/AVP, as many phones write them.
    expect(take(both, 'off')()).toBeUndefined();
    expect(take(both, 'preferred')()).toBe('sdes');
    expect(take(both, 'required')()).toBe('sdes');
  });

  it('takes the encrypted one of two lines where that is preferred', () => {
    const offer = sdp(
      'm=audio 4000 RTP/AVP 0',
      'm=audio 4002 RTP/SAVP 0',
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A}`,
    );
    expect(answerOffer(offer, LOCAL, new SdpSession(), audio('preferred')).media.remote.port).toBe(4002);
    expect(answerOffer(offer, LOCAL, new SdpSession(), audio('off')).media.remote.port).toBe(4000);
  });

  it('offers keys by policy, and takes the answer', () => {
    for (const [policy, protocol] of [
      ['preferred', 'RTP/AVP'],
      ['required', 'RTP/SAVP'],
    ] as const) {
      const offer = makeOffer(LOCAL, new SdpSession(), audio(policy));
      expect(offer).toContain(`m=audio 20000 ${protocol} `);
      expect(offer.match(/a=crypto:/g)).toHaveLength(3);
      const answered = answerOffer(offer, { address: '127.0.0.1', port: 3000 }, new SdpSession(), audio('preferred'));
      const media = acceptAnswer(offer, answered.sdp, audio(policy));
      const theirs = answered.media.security;
      if (theirs?.kind !== 'sdes') throw new Error('no keys');
      expect(media.security).toEqual({ kind: 'sdes', local: theirs.remote, remote: theirs.local });
    }
    const offer = makeOffer(LOCAL, new SdpSession(), audio('preferred'));
    const plain = sdp('m=audio 5000 RTP/AVP 0');
    expect(acceptAnswer(offer, plain, audio('preferred')).security).toBeUndefined();
    const strict = makeOffer(LOCAL, new SdpSession(), audio('required'));
    expect(thrown(() => acceptAnswer(strict, plain, audio('required')))).toMatchObject(REFUSED);
    expect(thrown(() => acceptAnswer(offer, sdp('m=audio 5000 RTP/SAVP 0'), audio('preferred')))).toMatchObject(
      REFUSED,
    );
    expect(makeOffer(LOCAL, new SdpSession(), audio('off'))).not.toContain('crypto');
  });
});

/** As a browser offers, candidates still to come. */
const CHROME = [
  'v=0',
  'o=- 46117317 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS stream',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=ice-ufrag:Oyef',
  'a=ice-pwd:7S0kA1aVhQGzUn6tdEzVjH3C',
  'a=ice-options:trickle',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  '',
].join('\r\n');

describe('DTLS-SRTP and ICE', () => {
  it('answers a browser: passive, ICE-lite, one candidate, bundled with nothing, not held', () => {
    const session = new SdpSession();
    const { sdp: text, media } = answerOffer(CHROME, LOCAL, session, audio('preferred'));
    expect(media).toMatchObject({
      direction: 'sendrecv',
      rtcpMux: true,
      security: { kind: 'dtls', role: 'server', fingerprints: [{ hash: 'sha256' }] },
      ice: { remote: { ufrag: 'Oyef' }, remoteLite: false },
    });
    expect(media.rtcp).toBeUndefined();
    const lines = text.split('\r\n');
    expect(lines.slice(5, 7)).toEqual(['a=ice-lite', 'a=group:BUNDLE 0']);
    expect(lines).toContain('m=audio 20000 UDP/TLS/RTP/SAVPF 0 126');
    expect(lines).toContain('m=video 0 UDP/TLS/RTP/SAVPF 96');
    expect(lines).toContain('a=setup:passive');
    expect(lines).toContain('a=mid:0');
    expect(lines.filter((line) => line.startsWith('a=candidate'))).toEqual([
      'a=candidate:1 1 UDP 2130706431 192.0.2.10 20000 typ host',
    ]);
    if (media.security?.kind !== 'dtls') throw new Error('no DTLS');
    expect(lines).toContain(`a=fingerprint:sha-256 ${media.security.identity.fingerprint}`);
    // Nothing changes while the peer does not begin anew.
    expect(answerOffer(CHROME, LOCAL, session, audio('preferred')).sdp).toBe(text);
    const restarted = answerOffer(CHROME.replace('Oyef', 'Oyeg'), LOCAL, session, audio('preferred'));
    expect(restarted.media.ice?.local).not.toEqual(media.ice?.local);
    const reoffer = makeOffer(LOCAL, session, audio('preferred'));
    expect(reoffer).toContain('m=audio 20000 UDP/TLS/RTP/SAVPF 0 8 101\r\n');
    expect(reoffer).toContain('a=setup:actpass');
    expect(reoffer).toContain(`a=ice-ufrag:${restarted.media.ice?.local.ufrag}`);
    expect(thrown(() => answerOffer(CHROME, LOCAL, new SdpSession(), audio('off')))).toMatchObject(REFUSED);
  });

  it('begins the handshake where the peer waits for it, and keeps its role', () => {
    const session = new SdpSession();
    const answer = (offer: string) => answerOffer(offer, LOCAL, session, audio('preferred'));
    const { sdp: text, media } = answer(CHROME.replace('actpass', 'passive'));
    expect(text).toContain('a=setup:active\r\n');
    expect(media.security).toMatchObject({ kind: 'dtls', role: 'client' });
    // The same peer offers again, as RFC 8842 has it.
    expect(answer(CHROME).media.security).toEqual(media.security);
    const reoffer = makeOffer(LOCAL, session, audio('preferred'));
    const answered = (setup: string) =>
      sdp('m=audio 5000 UDP/TLS/RTP/SAVPF 0', `a=fingerprint:${FINGERPRINT}`, `a=setup:${setup}`);
    expect(acceptAnswer(reoffer, answered('passive'), audio('preferred')).security).toEqual(media.security);
    expect(acceptAnswer(reoffer, answered('active'), audio('preferred')).security).toMatchObject({ role: 'server' });
    expect(thrown(() => answer(CHROME.replace('actpass', 'holdconn')))).toMatchObject(REFUSED);
  });

  it('answers a PBX: attributes of the session, RTCP on a port of its own', () => {
    const { sdp: text, media } = answerOffer(
      sdp(
        'a=ice-lite',
        'a=ice-ufrag:5d1b5a1e',
        'a=ice-pwd:4b7c3e2f1a0d9c8b7a6f5e4d',
        `a=fingerprint:${FINGERPRINT}`,
        'a=setup:active',
        'm=audio 12000 RTP/SAVPF 0 101',
        'a=rtpmap:101 telephone-event/8000',
        'a=candidate:Hc0a80001 1 UDP 2130706431 198.51.100.7 12000 typ host',
        'a=end-of-candidates',
        'a=rtcp:12005',
      ),
      LOCAL,
      new SdpSession(),
      audio('preferred'),
    );
    expect(media).toMatchObject({ rtcp: { address: '198.51.100.7', port: 12_005 }, ice: { remoteLite: true } });
    expect(media.security?.kind).toBe('dtls');
    expect(text.match(/a=candidate:.*/g)).toEqual([
      'a=candidate:1 1 UDP 2130706431 192.0.2.10 20000 typ host',
      'a=candidate:1 2 UDP 2130706430 192.0.2.10 20001 typ host',
    ]);
    expect(text).not.toContain('BUNDLE');
  });

  it('makes a certificate that OpenSSL reads', () => {
    const identity = makeIdentity(Date.now());
    const certificate = new X509Certificate(identity.certificate);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.subject).toBe('CN=parley');
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
    expect(certificate.fingerprint256).toBe(identity.fingerprint);
    expect(fingerprintOf(certificate.raw, 'sha1')).toBe(certificate.fingerprint);
  });
});
