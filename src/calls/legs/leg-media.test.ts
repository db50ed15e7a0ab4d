import { describe, expect, it } from 'vitest';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { MediaHost } from '../../workers/media/media-host.js';
import { LegMedia } from './leg-media.js';

const AUDIO = { codecs: ['G722', 'PCMU'], opus: { bitrate: 24_000, dtx: false } } as const;
const CLOSED = { sent: 0, received: 0, lost: 0, late: 0, malformed: 0 };

function offer(family: string, address: string, format = 0): string {
  const lines = ['v=0', `o=- 1 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0'];
  return [...lines, `m=audio 40000 RTP/AVP ${format}`, ''].join('\r\n');
}

/** A host whose one leg has an IPv4 port; `closed` counts, `rates` are those that legs were opened with, `negotiated` what they were told. */
function host(): { host: MediaHost; closed: () => number; rates: number[]; negotiated: NegotiatedMedia[] } {
  let closed = 0;
  const negotiated: NegotiatedMedia[] = [];
  const rates: number[] = [];
  const leg: Partial<MediaLeg> = {
    address: '127.0.0.1',
    port: 20_000,
    negotiated: (media) => void negotiated.push(media),
    close: async () => {
      closed++;
      return CLOSED;
    },
  };
  const open = async (_leg: string, _listener: unknown, rate: number) => {
    rates.push(rate);
    return leg as MediaLeg;
  };
  return { host: { open } as unknown as MediaHost, closed: () => closed, rates, negotiated };
}

describe('LegMedia', () => {
  it('refuses a peer that its socket cannot reach, and gives the port back', async () => {
    const { host: media, closed } = host();
    const opened = LegMedia.open(media, 'a', offer('IP6', '::1'), AUDIO, () => undefined);
    await expect(opened).rejects.toMatchObject({ code: 'PARLEY_ERR_SDP_FAMILY', sip: 488 });
    expect(closed()).toBe(1);
    await expect(LegMedia.open(media, 'a', offer('IP4', '127.0.0.1'), AUDIO, () => undefined)).resolves.toBeDefined();
  });

  it('does not take an ACK without the answer to its own offer for one', async () => {
    const media = await LegMedia.open(host().host, 'a', undefined, AUDIO, () => undefined);
    expect(() => media.accept(undefined)).toThrow('no answer to our offer');
    media.accept(offer('IP4', '127.0.0.1'));
    expect(() => media.accept(undefined)).not.toThrow();
  });

  it('opens the leg at the rate of the codec that will be spoken, and none for an offer that cannot be answered', async () => {
    const { host: media, rates } = host();
    await LegMedia.open(media, 'a', offer('IP4', '127.0.0.1', 9), AUDIO, () => undefined);
    await LegMedia.open(media, 'b', offer('IP4', '127.0.0.1', 0), AUDIO, () => undefined);
    const refused = LegMedia.open(media, 'c', offer('IP4', '127.0.0.1', 18), AUDIO, () => undefined);
    await expect(refused).rejects.toMatchObject({ code: 'PARLEY_ERR_SDP_NO_CODEC' });
    expect(rates).toEqual([16_000, 8000]);
  });

  it('keeps the media that were refused in their places when the offer is ours, and what is spoken first', async () => {
    const video = offer('IP4', '127.0.0.1').replace('m=audio', 'm=video 5000 RTP/AVP 96\r\nm=audio');
    const media = await LegMedia.open(host().host, 'a', video, AUDIO, () => undefined);
    const lines = (sdp: string) => sdp.split('\r\n').filter((line) => line.startsWith('m='));
    expect(lines(media.offer(true))).toEqual(['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 0']);
    const { sdp } = media.reoffered(undefined);
    expect(lines(sdp)).toEqual(['m=video 0 RTP/AVP 96', expect.stringMatching(/^m=audio 20000 RTP\/AVP 0 9 /)]);
    expect(media.accept(`${video}a=sendonly\r\n`)).toBe(true);
    expect([media.codec, media.held]).toEqual(['PCMU', true]);
  });
});

describe('LegMedia of a secured call', () => {
  const KEY = Buffer.alloc(30, 3).toString('base64');
  const OTHER = Buffer.alloc(30, 4).toString('base64');
  const audio = { ...AUDIO, srtp: 'required' } as const;
  const secured = (inline: string, tag = 1) =>
    `${offer('IP4', '127.0.0.1').replace('RTP/AVP', 'RTP/SAVP')}a=crypto:${tag} AES_CM_128_HMAC_SHA1_80 inline:${inline}\r\n`;
  const keyIn = (sdp: string) => /^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:(\S+)/m.exec(sdp)?.[1];
  const remoteKeys = (told: readonly NegotiatedMedia[]) =>
    told.map(({ security }) => (security?.kind === 'sdes' ? security.remote.inline : security?.kind));

  it('answers with a key of its own, keeps it on hold, and leaves all as it is when keys are missing', async () => {
    const { host: media, negotiated } = host();
    const call = await LegMedia.open(media, 'a', secured(KEY), audio, () => undefined);
    const ours = keyIn(call.localSdp);
    expect(call.localSdp).toMatch(/^m=audio 20000 RTP\/SAVP /m);
    expect(negotiated.at(-1)?.security).toMatchObject({
      kind: 'sdes',
      local: { inline: ours },
      remote: { inline: KEY },
    });
    const hold = call.offer(true);
    expect([keyIn(hold), /^a=sendonly/m.test(hold)]).toEqual([ours, true]);
    call.offerAccepted(hold, `${secured(KEY)}a=recvonly\r\n`, true);
    expect(() => call.reoffered(offer('IP4', '127.0.0.1'))).toThrow(
      expect.objectContaining({ code: 'PARLEY_ERR_SRTP_POLICY', sip: 488 }),
    );
    expect(remoteKeys(negotiated)).toEqual([KEY, KEY]);
    // The peer takes another key: so do we.
    expect(keyIn(call.reoffered(secured(OTHER)).sdp)).not.toBe(ours);
    expect(remoteKeys(negotiated)).toEqual([KEY, KEY, OTHER]);
  });

  it('offers keys where the INVITE had no offer, and takes the one that is chosen', async () => {
    const { host: media, negotiated } = host();
    const call = await LegMedia.open(media, 'a', undefined, audio, () => undefined);
    expect(call.localSdp).toMatch(/^m=audio 20000 RTP\/SAVP /m);
    const tag = Number(/^a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 /m.exec(call.localSdp)?.[1]);
    expect(() => call.accept(offer('IP4', '127.0.0.1'))).toThrow('no key');
    call.accept(secured(KEY, tag));
    const security = negotiated.at(-1)?.security;
    expect(security).toMatchObject({ local: { inline: keyIn(call.localSdp) }, remote: { inline: KEY } });
  });

  it('keeps its part in a DTLS handshake through a hold of its own', async () => {
    const { host: media, negotiated } = host();
    const print = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;
    const dtls = (setup: string) =>
      `${offer('IP4', '127.0.0.1').replace('RTP/AVP', 'UDP/TLS/RTP/SAVP')}${print}\r\na=setup:${setup}\r\n`;
    const call = await LegMedia.open(media, 'a', dtls('passive'), audio, () => undefined);
    expect(call.localSdp).toContain('a=setup:active');
    const hold = call.offer(true);
    expect(hold).toContain('a=setup:actpass');
    call.offerAccepted(hold, `${dtls('passive')}a=recvonly\r\n`, true);
    expect(negotiated.map(({ security }) => security)).toEqual([
      expect.objectContaining({ kind: 'dtls', role: 'client' }),
      negotiated[0]?.security,
    ]);
  });
});
