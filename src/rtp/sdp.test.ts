import { describe, expect, it } from 'vitest';
import { acceptAnswer, answerOffer, makeOffer, SdpSession } from './sdp.js';

const LOCAL = { address: '192.0.2.10', port: 20_000 };

function sdp(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...lines, ''].join('\r\n');
}

function answer(...lines: string[]): ReturnType<typeof answerOffer> {
  return answerOffer(sdp(...lines), LOCAL, new SdpSession());
}

const PLAIN = ['m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000'];

describe('answerOffer', () => {
  it("takes the offerer's first codec that we speak, with telephone-event, ptime and address", () => {
    // As baresip and Linphone offer: wide-band codecs first, dynamic types, telephone-event for several clocks.
    const { sdp: text, media } = answer(
      'm=audio 7078 RTP/AVP 96 9 8 0 98 97',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:98 telephone-event/48000',
      'a=rtpmap:97 Telephone-Event/8000',
      'a=fmtp:97 0-16',
      'a=rtcp:7079',
      'a=ptime:30',
      'a=sendrecv',
    );
    expect(media).toEqual({
      remote: { address: '198.51.100.7', port: 7078 },
      codec: { name: 'PCMA', payloadType: 8, clockRate: 8000 },
      telephoneEvent: 97,
      ptime: 30,
      direction: 'sendrecv',
    });
    expect(text).toContain('m=audio 20000 RTP/AVP 8 97\r\n');
    expect(text).toContain('a=rtpmap:97 telephone-event/8000\r\n');
    expect(text).toContain('c=IN IP4 192.0.2.10\r\n');
    expect(text.endsWith('a=ptime:30\r\na=sendrecv\r\n')).toBe(true);
  });

  it('knows static types without rtpmap (sipp) and G.711 under a dynamic type', () => {
    expect(answer('m=audio 6000 RTP/AVP 0').media.codec).toEqual({ name: 'PCMU', payloadType: 0, clockRate: 8000 });
    expect(answer('m=audio 6000 RTP/AVP 18 0').media.codec.name).toBe('PCMU');
    const dynamic = answer('m=audio 6000 RTP/AVP 110', 'a=rtpmap:110 pcma/8000/1').media;
    expect(dynamic.codec).toEqual({ name: 'PCMA', payloadType: 110, clockRate: 8000 });
    expect(dynamic.telephoneEvent).toBeUndefined();
  });

  it('answers every media line in its place and refuses what it does not do', () => {
    const { sdp: text, media } = answer(
      'm=audio 4100 RTP/SAVP 0',
      'm=video 4200 RTP/AVP 96 97',
      'a=rtpmap:96 H264/90000',
      ...PLAIN,
      'c=IN IP4 198.51.100.99',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    );
    expect(text.split('\r\n').filter((line) => line.startsWith('m='))).toEqual([
      'm=audio 0 RTP/SAVP 0',
      'm=video 0 RTP/AVP 96 97',
      'm=audio 20000 RTP/AVP 0',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
    expect(media.remote).toEqual({ address: '198.51.100.99', port: 4000 });
  });

  it('mirrors hold, also at session level and as RFC 2543 did it', () => {
    expect(answer(...PLAIN, 'a=sendonly').media.direction).toBe('recvonly');
    expect(answer(...PLAIN, 'a=recvonly').media.direction).toBe('sendonly');
    expect(answer(...PLAIN, 'a=inactive').sdp).toContain('a=inactive');
    expect(answer('a=sendonly', ...PLAIN).media.direction).toBe('recvonly');
    expect(answer('a=sendonly', ...PLAIN, 'a=sendrecv').media.direction).toBe('sendrecv');
    expect(answer(...PLAIN, 'c=IN IP4 0.0.0.0').media.direction).toBe('recvonly');
    expect(answer(...PLAIN, 'a=recvonly', 'c=IN IP4 0.0.0.0').media.direction).toBe('inactive');
  });

  it('keeps the packet time within what we make', () => {
    for (const [wish, ptime] of [
      ['a=ptime:20', 20],
      ['a=ptime:5', 10],
      ['a=ptime:200', 60],
      ['a=ptime:25', 20],
      ['a=ptime:20.0', 20],
      ['a=ptime:0', 20],
      ['a=ptime:abc', 20],
      ['a=maxptime:10', 10],
    ] as const) {
      expect(answer(...PLAIN, wish).media.ptime).toBe(ptime);
    }
  });

  it('speaks IPv6 and takes host names', () => {
    const offer = sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1');
    const { sdp: text, media } = answerOffer(offer, { address: '::1', port: 20_000 }, new SdpSession());
    expect(media.remote.address).toBe('2001:db8::1');
    expect(text).toContain('c=IN IP6 ::1');
    expect(answer('m=audio 4000 RTP/AVP 0', 'c=IN IP4 media.example.com').media.remote.address).toBe(
      'media.example.com',
    );
  });

  it('passes over junk', () => {
    const { media } = answer(
      'junk',
      'x=?',
      '=',
      'a=',
      'a=rtpmap:',
      'b=AS:64',
      'k=clear:x',
      ...PLAIN,
      'a=ptime',
      '\u0000',
    );
    expect(media.codec.name).toBe('PCMU');
    expect(answerOffer(sdp(...PLAIN).replaceAll('\r\n', '\n'), LOCAL, new SdpSession()).media.remote.port).toBe(4000);
  });

  it('says what is invalid, and answers 488 when no codec fits', () => {
    const invalid = { code: 'PARLEY_ERR_SDP_INVALID', sip: 400 };
    const noCodec = { code: 'PARLEY_ERR_SDP_NO_CODEC', sip: 488 };
    const thrown = (text: string): unknown => {
      try {
        return answerOffer(text, LOCAL, new SdpSession());
      } catch (error) {
        return error;
      }
    };
    expect(thrown('')).toMatchObject(invalid);
    expect(thrown('hello')).toMatchObject(invalid);
    expect(thrown(sdp())).toMatchObject(invalid);
    expect(thrown(sdp('m=audio 99999 RTP/AVP 0'))).toMatchObject(invalid);
    expect(thrown(sdp('m=audio RTP/AVP 0'))).toMatchObject(invalid);
    expect(thrown(sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4'))).toMatchObject(invalid);
    expect(thrown('v=0\r\nm=audio 4000 RTP/AVP 0\r\n')).toMatchObject(invalid);
    expect(thrown(sdp(...Array(100).fill('m=audio 4000 RTP/AVP 0')))).toMatchObject(invalid);
    expect(thrown(sdp('a'.repeat(70_000)))).toMatchObject(invalid);
    expect(thrown(sdp('m=audio 4000 RTP/AVP 18 4'))).toMatchObject(noCodec);
    expect(thrown(sdp('m=audio 0 RTP/AVP 0'))).toMatchObject(noCodec);
    expect(thrown(sdp('m=audio 4000 RTP/SAVP 0'))).toMatchObject(noCodec);
    expect(thrown(sdp('m=video 4000 RTP/AVP 31'))).toMatchObject(noCodec);
    expect(thrown(sdp('m=audio 4000 RTP/AVP 8', 'a=rtpmap:8 PCMA/16000'))).toMatchObject(noCodec);
  });

  it('keeps to the codecs it is told', () => {
    expect(answerOffer(sdp(...PLAIN), LOCAL, new SdpSession(), ['PCMA']).media.codec.name).toBe('PCMA');
  });
});

describe('SdpSession', () => {
  it('raises the version when the description changes, and only then', () => {
    const session = new SdpSession();
    const version = (text: string): number => Number(/^o=parley \d+ (\d+) /m.exec(text)?.[1]);
    const first = version(answerOffer(sdp(...PLAIN), LOCAL, session).sdp);
    expect(version(answerOffer(sdp(...PLAIN), LOCAL, session).sdp)).toBe(first);
    expect(version(answerOffer(sdp(...PLAIN, 'a=sendonly'), LOCAL, session).sdp)).toBe(first + 1);
    expect(version(answerOffer(sdp(...PLAIN), LOCAL, session).sdp)).toBe(first + 2);
  });
});

describe('our own offer', () => {
  const offer = makeOffer(LOCAL, new SdpSession());

  it('is answered by ourselves and accepted', () => {
    const answered = answerOffer(offer, { address: '127.0.0.1', port: 30_000 }, new SdpSession());
    expect(answered.media.remote).toEqual(LOCAL);
    expect(acceptAnswer(offer, answered.sdp)).toEqual({
      ...answered.media,
      remote: { address: '127.0.0.1', port: 30_000 },
    });
  });

  it("follows the answer's choice, direction and packet time", () => {
    const media = acceptAnswer(offer, sdp('m=audio 5000 RTP/AVP 8', 'a=sendonly', 'a=ptime:10'));
    expect(media).toMatchObject({ codec: { name: 'PCMA' }, direction: 'recvonly', ptime: 10 });
    expect(media.telephoneEvent).toBeUndefined();
    const held = makeOffer(LOCAL, new SdpSession(), ['PCMU'], 'sendonly');
    expect(acceptAnswer(held, sdp('m=audio 5000 RTP/AVP 0', 'a=recvonly')).direction).toBe('sendonly');
    expect(acceptAnswer(held, sdp('m=audio 5000 RTP/AVP 0')).direction).toBe('sendonly');
  });

  it('refused or answered with what was not offered is an error', () => {
    expect(() => acceptAnswer(offer, sdp('m=audio 0 RTP/AVP 0'))).toThrow('port 0');
    expect(() => acceptAnswer(offer, sdp('m=audio 5000 RTP/AVP 18'))).toThrow('RTP/AVP 18');
  });
});
