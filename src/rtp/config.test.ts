import { describe, expect, it } from 'vitest';
import { advertisedAddress, rtpConfig } from './config.js';
import { audioOptions, mediaProfile } from './profile.js';
import { makeOffer, SdpSession } from './sdp/sdp.js';

describe('rtpConfig', () => {
  it('has defaults that work without any configuration', () => {
    expect(rtpConfig.parse({})).toEqual({
      bind: '127.0.0.1',
      ports: { from: 20_000, to: 29_999 },
      codecOrder: 'caller',
      codecs: ['opus', 'G722', 'PCMU', 'PCMA'],
      opus: { bitrate: 32_000, dtx: false },
      srtp: 'preferred',
      ptime: 20,
      inbandDtmf: 'auto',
      workers: 1,
    });
    expect(rtpConfig.safeParse({ codecs: ['G729'] }).success).toBe(false);
    expect(rtpConfig.safeParse({ codecs: ['PCMU', 'PCMU'] }).success).toBe(false);
    expect(rtpConfig.safeParse({ ptime: 25 }).success).toBe(false);
    expect(rtpConfig.parse({ srtp: 'required' }).srtp).toBe('required');
  });

  it('reads a range and refuses what is none', () => {
    expect(rtpConfig.parse({ ports: '30000 - 30099' }).ports).toEqual({ from: 30_000, to: 30_099 });
    for (const ports of ['30000', '30099-30000', '80-90', '60000-70000', '-', 'a-b']) {
      expect(rtpConfig.safeParse({ ports }).success).toBe(false);
    }
    expect(rtpConfig.safeParse({ bind: 'localhost' }).success).toBe(false);
  });
});

describe('mediaProfile', () => {
  it('decides what is offered', () => {
    const profile = mediaProfile.parse({ codecs: ['opus', 'PCMA', 'PCMU'], ptime: 30, srtp: 'required' });
    const offer = makeOffer(
      { address: '192.0.2.1', port: 20_000 },
      new SdpSession(),
      audioOptions(profile, ['PCMU', 'PCMA']),
    );
    expect(offer).toContain('m=audio 20000 RTP/SAVP 8 0 101\r\n');
    expect(offer).toContain('a=ptime:30\r\na=maxptime:60\r\n');
  });
});

describe('advertisedAddress', () => {
  it('is the configured one, else the bound one, and never 0.0.0.0', () => {
    expect(advertisedAddress('127.0.0.1')).toBe('127.0.0.1');
    expect(advertisedAddress('127.0.0.1', '203.0.113.1')).toBe('203.0.113.1');
    expect(advertisedAddress('0.0.0.0')).not.toBe('0.0.0.0');
  });
});
