import { describe, expect, it } from 'vitest';
import { mediaOf, onlyMedium, redirected, sessionOf, unheard, usedMedium } from './sdp-lines.js';

const SESSION = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n';
const VIDEO = 'm=video 0 RTP/AVP 96\r\n';
const AUDIO = 'm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n';

describe('the parts of a session description', () => {
  it('are found', () => {
    expect(sessionOf(SESSION + VIDEO + AUDIO)).toBe(SESSION);
    expect(mediaOf(SESSION + VIDEO + AUDIO)).toEqual([VIDEO, AUDIO]);
    expect(usedMedium(SESSION + VIDEO + AUDIO)).toBe(1);
    expect(onlyMedium(SESSION + VIDEO + AUDIO, 1)).toBe(SESSION + AUDIO);
    expect(onlyMedium(SESSION + AUDIO, 1)).toBe(SESSION + AUDIO);
    expect(mediaOf(SESSION)).toEqual([]);
  });

  it('are offered again with another direction', () => {
    expect(redirected(SESSION + VIDEO + AUDIO, 'sendonly')).toBe(VIDEO + AUDIO.replace('sendrecv', 'sendonly'));
  });

  it('are read by one who does not listen', () => {
    expect(unheard(SESSION + AUDIO)).toBe(`${SESSION}a=recvonly\r\n${AUDIO.replace('sendrecv', 'recvonly')}`);
    expect(unheard(`${SESSION}a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n`)).toBe(
      `${SESSION}a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n`,
    );
    expect(unheard(SESSION + AUDIO.replace('sendrecv', 'recvonly'))).toContain('PCMU/8000\r\na=recvonly');
  });
});
