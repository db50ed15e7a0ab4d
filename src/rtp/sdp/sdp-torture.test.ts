import { describe, expect, it } from 'vitest';
import { ParleyError } from '../../errors.js';
import { acceptAnswer, answerOffer, makeOffer, SdpSession } from './sdp.js';

const LOCAL = { address: '192.0.2.10', port: 20_000 };
const OPTIONS = { codecs: ['PCMU', 'PCMA'], opus: { bitrate: 24_000, dtx: false }, srtp: 'preferred' } as const;
const ICE = ['a=ice-ufrag:8hhY', 'a=ice-pwd:asd88fgpdd777uzjYhagZg'];

function sdp(session: readonly string[], media: readonly string[], formats = '0 8 101'): string {
  const head = ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0'];
  return [...head, ...session, `m=audio 4000 RTP/AVP ${formats}`, ...media, ''].join('\r\n');
}

function answered(session: readonly string[], media: readonly string[], formats?: string) {
  return answerOffer(sdp(session, media, formats), LOCAL, new SdpSession(), OPTIONS);
}

function lines(text: string, name: string): string[] {
  return text.split('\r\n').filter((line) => line.startsWith(`a=${name}`));
}

describe('ICE in an offer', () => {
  it.each([
    ['of the session', ICE, []],
    ['of the medium', [], ICE],
    ['of both, where the medium’s counts', ['a=ice-ufrag:other', 'a=ice-pwd:another-password-of-its-own'], ICE],
    ['with all that may stand beside it', ['a=ice-options:trickle ice2 rtp+ecn', 'a=ice-pacing:50', ...ICE], []],
  ])('%s is answered, ICE-lite', (_, session, media) => {
    const { sdp: text, media: agreed } = answered(session, media);
    expect(agreed.ice?.remote).toEqual({ ufrag: '8hhY', pwd: 'asd88fgpdd777uzjYhagZg' });
    expect(lines(text, 'ice-lite')).toHaveLength(1);
    // Before the m= line: it is of the session (RFC 8839, 5.3).
    expect(text.indexOf('a=ice-lite')).toBeLessThan(text.indexOf('m=audio'));
    expect(lines(text, 'candidate')).toHaveLength(2);
  });

  it.each([
    ['without a password', ['a=ice-ufrag:8hhY']],
    ['with one that is too short', ['a=ice-ufrag:8hhY', 'a=ice-pwd:short']],
    ['with one that no ice-char may be in', ['a=ice-ufrag:8hhY', 'a=ice-pwd:asd88fgpdd777uzj"YhagZg"']],
    ['with a name that is too long', [`a=ice-ufrag:${'x'.repeat(257)}`, ICE[1]!]],
    ['with candidates alone', ['a=candidate:1 1 UDP 2130706431 198.51.100.7 4000 typ host']],
  ])('%s is none', (_, media) => {
    const { sdp: text, media: agreed } = answered([], media);
    expect(agreed.ice).toBeUndefined();
    expect(lines(text, 'ice')).toEqual([]);
    expect(lines(text, 'candidate')).toEqual([]);
  });

  it('of one that is lite itself is answered, and kept in mind', () => {
    expect(answered(['a=ice-lite', ...ICE], []).media.ice?.remoteLite).toBe(true);
    // Where it may not stand it says nothing.
    expect(answered(ICE, ['a=ice-lite']).media.ice?.remoteLite).toBe(false);
  });

  it('has candidates of one port where RTCP comes there too, whatever they are said to be', () => {
    const odd = ['a=candidate', 'a=candidate:', 'a=candidate:1 x UDP y z', 'a=remote-candidates:1 198.51.100.7 99999'];
    const { sdp: text } = answered(ICE, ['a=rtcp-mux', ...odd]);
    expect(lines(text, 'candidate')).toEqual(['a=candidate:1 1 UDP 2130706431 192.0.2.10 20000 typ host']);
  });
});

describe('rtcp-mux', () => {
  it.each([
    ['once', ['a=rtcp-mux']],
    ['twice', ['a=rtcp-mux', 'a=rtcp-mux']],
    ['with another port for who can’t', ['a=rtcp:4007 IN IP4 198.51.100.9', 'a=rtcp-mux']],
    ['and nothing else (RFC 8858)', ['a=rtcp-mux', 'a=rtcp-mux-only']],
  ])('offered %s is answered once', (_, media) => {
    const { sdp: text, media: agreed } = answered([], media);
    expect(agreed).toMatchObject({ rtcpMux: true });
    expect(agreed.rtcp).toBeUndefined();
    expect(lines(text, 'rtcp-mux')).toEqual(['a=rtcp-mux']);
  });

  it('not offered is not answered, and RTCP goes where it shall', () => {
    const { sdp: text, media } = answered([], ['a=rtcp:4007 IN IP4 198.51.100.9']);
    expect(media).toMatchObject({ rtcp: { address: '198.51.100.9', port: 4007 } });
    expect(lines(text, 'rtcp')).toEqual([]);
    for (const odd of ['a=rtcp', 'a=rtcp:', 'a=rtcp:0', 'a=rtcp:70000', 'a=rtcp:4001', 'a=rtcp:4007 IN IP4 <x>']) {
      expect(answered([], [odd]).media.rtcp, odd).toBeUndefined();
    }
  });
});

describe('payload types', () => {
  it('are the peer’s in what we send, by its numbers, and ours stay in what comes', () => {
    const offer = makeOffer(LOCAL, new SdpSession(), { ...OPTIONS, codecs: ['G722', 'PCMU'] });
    const [ours] = /telephone-event\/8000/.test(offer) ? [/a=rtpmap:(\d+) telephone-event\/8000/.exec(offer)?.[1]] : [];
    const media = acceptAnswer(
      offer,
      sdp([], ['a=rtpmap:98 PCMU/8000', 'a=rtpmap:96 telephone-event/8000'], '98 96'),
      OPTIONS,
    );
    expect(media.codec).toMatchObject({ name: 'PCMU', payloadType: 98 });
    expect(media.telephoneEvent).toEqual({ payloadType: 96, clockRate: 8000 });
    const numbers = Object.fromEntries(media.receives.map(({ payloadType, name }) => [payloadType, name]));
    expect(numbers).toMatchObject({ 0: 'PCMU', 98: 'PCMU', [Number(ours)]: 'telephone-event', 96: 'telephone-event' });
  });

  it.each([
    ['a static number that means another codec', ['a=rtpmap:8 PCMU/8000'], '8', 'PCMU', 8],
    ['the same codec twice', ['a=rtpmap:96 PCMU/8000', 'a=rtpmap:97 PCMU/8000'], '96 97', 'PCMU', 96],
    ['a number that is mapped twice', ['a=rtpmap:96 PCMU/8000', 'a=rtpmap:96 PCMA/8000'], '96', 'PCMA', 96],
    ['a number listed twice', [], '0 0 8 0', 'PCMU', 0],
    [
      'a codec of another clock or of two channels',
      ['a=rtpmap:96 PCMU/16000', 'a=rtpmap:97 PCMU/8000/2'],
      '96 97 8',
      'PCMA',
      8,
    ],
    ['small letters and channels', ['a=rtpmap:96 pcmu/8000/1'], '96', 'PCMU', 96],
    ['a mapping of what is not offered', ['a=rtpmap:99 PCMA/8000'], '0', 'PCMU', 0],
    ['numbers beyond all bounds', ['a=rtpmap:999 PCMA/8000'], '999 128 -1 x 0', 'PCMU', 0],
  ])('of an offer with %s are understood', (_, media, formats, name, payloadType) => {
    const { sdp: text, media: agreed } = answered([], media, formats);
    expect(agreed.codec).toMatchObject({ name, payloadType });
    expect(text).toContain(`m=audio 20000 RTP/AVP ${payloadType}`);
  });
});

describe('packet times', () => {
  it.each([
    [['a=ptime:40', 'a=maxptime:30'], 30],
    [['a=maxptime:30', 'a=ptime:40'], 30],
    [['a=maxptime:150'], 20],
    [['a=maxptime:15'], 10],
    [['a=maxptime:5'], 10],
    [['a=maxptime:0'], 20],
    [['a=maxptime:60.0', 'a=ptime:60'], 60],
    [['a=maxptime:-20', 'a=ptime:1e1'], 20],
    [['a=ptime:20', 'a=ptime:30'], 30],
    [['a=maxptime:99999999999', 'a=ptime:30'], 30],
  ])('%j: %i ms', (wishes, ptime) => {
    const { sdp: text, media } = answered([], wishes);
    expect(media.ptime).toBe(ptime);
    expect(lines(text, 'ptime')).toEqual([`a=ptime:${ptime}`]);
  });
});

it('any of these lines cut, doubled or out of place is answered or refused, never worse', () => {
  const whole = sdp(
    ['a=ice-lite', ...ICE, 'a=group:BUNDLE 0', 'a=setup:actpass'],
    ['a=mid:0', 'a=rtcp-mux', 'a=rtcp:4001', 'a=ptime:20', 'a=maxptime:40', 'a=rtpmap:101 telephone-event/8000'],
  );
  const all = whole.split('\r\n');
  for (const [n, line] of all.entries()) {
    for (const end of [0, 1, 2, 5, Math.floor(line.length / 2), line.length - 1]) {
      for (const odd of [[line.slice(0, Math.max(0, end))], [line, line], [line, all[(n + 7) % all.length]!]]) {
        const text = [...all.slice(0, n), ...odd, ...all.slice(n + 1)].join('\r\n');
        try {
          expect(answerOffer(text, LOCAL, new SdpSession(), OPTIONS).sdp).toMatch(/^v=0\r\n/);
        } catch (error) {
          if (!(error instanceof ParleyError)) throw error;
        }
      }
    }
  }
});
