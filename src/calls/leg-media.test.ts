import { describe, expect, it } from 'vitest';
import type { MediaHost, MediaLeg } from '../workers/media-host.js';
import { LegMedia } from './leg-media.js';

const CLOSED = { sent: 0, received: 0, lost: 0, late: 0, malformed: 0 };

function offer(family: string, address: string): string {
  const lines = ['v=0', `o=- 1 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0'];
  return [...lines, 'm=audio 40000 RTP/AVP 0', ''].join('\r\n');
}

/** A host whose one leg has an IPv4 port; `closed` counts. */
function host(): { host: MediaHost; closed: () => number } {
  let closed = 0;
  const leg: Partial<MediaLeg> = {
    address: '127.0.0.1',
    port: 20_000,
    negotiated: () => undefined,
    close: async () => {
      closed++;
      return CLOSED;
    },
  };
  const open = async () => leg as MediaLeg;
  return { host: { open } as unknown as MediaHost, closed: () => closed };
}

describe('LegMedia', () => {
  it('refuses a peer that its socket cannot reach, and gives the port back', async () => {
    const { host: media, closed } = host();
    const opened = LegMedia.open(media, 'a', offer('IP6', '::1'), () => undefined);
    await expect(opened).rejects.toMatchObject({ code: 'PARLEY_ERR_SDP_FAMILY', sip: 488 });
    expect(closed()).toBe(1);
    await expect(LegMedia.open(media, 'a', offer('IP4', '127.0.0.1'), () => undefined)).resolves.toBeDefined();
  });

  it('does not take an ACK without the answer to its own offer for one', async () => {
    const media = await LegMedia.open(host().host, 'a', undefined, () => undefined);
    expect(() => media.accept(undefined)).toThrow('no answer to our offer');
    media.accept(offer('IP4', '127.0.0.1'));
    expect(() => media.accept(undefined)).not.toThrow();
  });
});
