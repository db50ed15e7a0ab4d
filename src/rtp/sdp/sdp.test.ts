import { describe, expect, it } from 'vitest';
import type { CodecName } from '../negotiated.js';
import { type AudioOptions, acceptAnswer, answerOffer, legRate, makeOffer, SdpSession } from './sdp.js';

const LOCAL = { address: '192.0.2.10', port: 20_000 };

function only(...codecs: CodecName[]): AudioOptions {
  return { codecs, opus: { bitrate: 24_000, dtx: false } };
}

function sdp(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...lines, ''].join('\r\n');
}

function answer(...lines: string[]): ReturnType<typeof answerOffer> {
  return answerOffer(sdp(...lines), LOCAL, new SdpSession());
}

const PLAIN = ['m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000'];

describe('answerOffer', () => {
  /** As Linphone offers: wideband first, dynamic types, telephone-event for several clocks. */
  const LINPHONE = [
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
  ];

  it("takes the offerer's first codec of those it may, with telephone-event, ptime and address", () => {
    const { sdp: text, media } = answerOffer(sdp(...LINPHONE), LOCAL, new SdpSession(), only('PCMU', 'PCMA'));
    expect(media).toEqual({
      remote: { address: '198.51.100.7', port: 7078 },
      codec: { name: 'PCMA', payloadType: 8, clockRate: 8000 },
      telephoneEvent: { payloadType: 97, clockRate: 8000 },
      receives: [
        { payloadType: 8, name: 'PCMA' },
        { payloadType: 97, name: 'telephone-event' },
      ],
      ptime: 30,
      direction: 'sendrecv',
    });
    expect(text).toContain('m=audio 20000 RTP/AVP 8 97\r\n');
    expect(text).toContain('a=rtpmap:97 telephone-event/8000\r\n');
    expect(text).toContain('c=IN IP4 192.0.2.10\r\n');
    expect(text.endsWith('a=ptime:30\r\na=maxptime:60\r\na=sendrecv\r\n')).toBe(true);
  });

  it('answers Opus under its number, mono, with keys at its clock, and no packet time that Opus lacks', () => {
    const { sdp: text, media } = answer(...LINPHONE);
    expect(media).toMatchObject({
      codec: {
        name: 'opus',
        payloadType: 96,
        clockRate: 48_000,
        opus: { bitrate: 24_000, fec: true, dtx: false },
      },
      telephoneEvent: { payloadType: 98, clockRate: 48_000 },
      ptime: 20,
    });
    expect(text).toContain(
      [
        'm=audio 20000 RTP/AVP 96 98',
        'a=rtpmap:96 opus/48000/2',
        'a=fmtp:96 minptime=10',
        'a=rtpmap:98 telephone-event/48000',
        'a=fmtp:98 0-15',
        'a=ptime:20',
        'a=maxptime:60',
        'a=sendrecv',
      ].join('\r\n'),
    );
  });

  it('takes G.722 before the others, its clock as odd as it is', () => {
    // As baresip with g722 loaded first.
    const { sdp: text, media } = answer(
      'm=audio 10000 RTP/AVP 9 0 8 101',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
    );
    expect(media.codec).toEqual({ name: 'G722', payloadType: 9, clockRate: 8000 });
    expect(text).toContain('m=audio 20000 RTP/AVP 9 101\r\na=rtpmap:9 G722/8000\r\n');
    expect(answer('m=audio 10000 RTP/AVP 9').media.codec.name).toBe('G722');
  });

  it('understands a browser: codecs of no use between, wishes about Opus, keys only at 8 kHz', () => {
    const { sdp: text, media } = answerOffer(
      sdp(
        'm=audio 9 RTP/AVPF 111 63 9 0 8 13 126',
        'a=rtpmap:111 OPUS/48000/2',
        'a=rtcp-fb:111 transport-cc',
        'a=fmtp:111 minptime=10; useinbandfec=1; maxaveragebitrate=16000',
        'a=rtpmap:63 red/48000/2',
        'a=fmtp:63 111/111',
        'a=rtpmap:9 G722/8000',
        'a=rtpmap:13 CN/8000',
        'a=rtpmap:126 telephone-event/8000',
        'a=maxptime:60',
      ),
      LOCAL,
      new SdpSession(),
      { ...only('opus', 'PCMU'), opus: { bitrate: 32_000, dtx: true } },
    );
    expect(media.codec.opus).toEqual({ bitrate: 16_000, fec: true, dtx: true });
    expect(media.telephoneEvent).toEqual({ payloadType: 126, clockRate: 8000 });
    expect(text).toContain('m=audio 20000 RTP/AVPF 111 126\r\n');
    expect(text).toContain('a=fmtp:111 minptime=10;usedtx=1\r\n');
  });

  it('tells before a leg is opened whether it will be wideband', () => {
    expect(legRate(sdp(...LINPHONE), only('opus', 'PCMA'))).toBe(16_000);
    expect(legRate(sdp(...LINPHONE), only('G722', 'PCMA'))).toBe(16_000);
    expect(legRate(sdp(...LINPHONE), only('PCMA'))).toBe(8000);
    expect(legRate(sdp(...PLAIN), only('opus', 'PCMU'))).toBe(8000);
    expect(legRate(undefined, only('PCMU', 'G722'))).toBe(16_000);
    expect(legRate(undefined, only('PCMU', 'PCMA'))).toBe(8000);
    expect(() => legRate('junk', only('PCMU'))).toThrow('invalid SDP');
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
    expect(thrown(sdp('m=audio 4000 RTP/SAVP 0'))).toMatchObject({ code: 'PARLEY_ERR_SRTP_POLICY', sip: 488 });
    expect(thrown(sdp('m=video 4000 RTP/AVP 31'))).toMatchObject(noCodec);
    expect(thrown(sdp('m=audio 4000 RTP/AVP 8', 'a=rtpmap:8 PCMA/16000'))).toMatchObject(noCodec);
  });

  it('takes the first of its own codecs where its own order counts', () => {
    const of = (codecOrder: 'caller' | 'own') =>
      answerOffer(sdp(...PLAIN), LOCAL, new SdpSession(), { ...only('PCMA', 'PCMU'), codecOrder }).media.codec.name;
    expect([of('caller'), of('own')]).toEqual(['PCMU', 'PCMA']);
  });

  it('keeps to the codecs it is told', () => {
    expect(answerOffer(sdp(...PLAIN), LOCAL, new SdpSession(), only('PCMA')).media.codec.name).toBe('PCMA');
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
    const held = makeOffer(LOCAL, new SdpSession(), only('PCMU'), 'sendonly');
    expect(acceptAnswer(held, sdp('m=audio 5000 RTP/AVP 0', 'a=recvonly')).direction).toBe('sendonly');
    expect(acceptAnswer(held, sdp('m=audio 5000 RTP/AVP 0')).direction).toBe('sendonly');
  });

  it('is in our order, with keys at every clock', () => {
    expect(makeOffer(LOCAL, new SdpSession(), only('opus', 'G722', 'PCMU'))).toContain(
      [
        'm=audio 20000 RTP/AVP 111 9 0 110 101',
        'a=rtpmap:111 opus/48000/2',
        'a=fmtp:111 minptime=10',
        'a=rtpmap:9 G722/8000',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:110 telephone-event/48000',
        'a=fmtp:110 0-15',
        'a=rtpmap:101 telephone-event/8000',
      ].join('\r\n'),
    );
    expect(makeOffer(LOCAL, new SdpSession(), only('PCMU', 'PCMA'))).toContain('m=audio 20000 RTP/AVP 0 8 101\r\n');
  });

  it('may be answered under other numbers: theirs are sent, ours come, or theirs', () => {
    const media = acceptAnswer(
      offer,
      sdp(
        'm=audio 5000 RTP/AVP 96 0 97',
        'a=rtpmap:96 opus/48000/2',
        'a=fmtp:96 useinbandfec=1',
        'a=rtpmap:97 telephone-event/48000',
      ),
    );
    expect(media.codec).toMatchObject({ name: 'opus', payloadType: 96, opus: { fec: true } });
    expect(media.telephoneEvent).toEqual({ payloadType: 97, clockRate: 48_000 });
    expect(media.receives).toEqual([
      { payloadType: 111, name: 'opus' },
      { payloadType: 0, name: 'PCMU' },
      { payloadType: 110, name: 'telephone-event' },
      { payloadType: 96, name: 'opus' },
      { payloadType: 97, name: 'telephone-event' },
    ]);
  });

  it('refused or answered with what was not offered is an error', () => {
    expect(() => acceptAnswer(offer, sdp('m=audio 0 RTP/AVP 0'))).toThrow('port 0');
    expect(() => acceptAnswer(offer, sdp('m=audio 5000 RTP/AVP 18'))).toThrow('RTP/AVP 18');
  });
});
