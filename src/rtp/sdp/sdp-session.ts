import { randomBytes, randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { DtlsRole } from '../dtls/handshake.js';
import type { IceCredentials } from '../ice/responder.js';
import { type SrtpKey, type SrtpSuite, SUITE_FACTS } from '../srtp/suites.js';

/** What was agreed on when the peer offered last: offers of ours say the same then. */
export interface AgreedTransport {
  /** As in m=. */
  protocol: string;
  security: 'plain' | 'sdes' | 'dtls';
  ice: boolean;
  rtcpMux: boolean;
  mid: string | undefined;
}

/**
 * What one leg's descriptions have in common: the o= line, whose version rises when what we describe changes, and only
 * then (RFC 3264, 8), and our own keys, which stay until the peer changes its own.
 */
export class SdpSession {
  /** Undefined until the peer has offered. */
  agreed: AgreedTransport | undefined;
  /** What we have answered that we are in the handshake. */
  dtlsRole: DtlsRole | undefined;
  // Below 2^53 and without a leading zero: some peers read it into a signed number.
  private readonly id = randomInt(1_000_000_000, 2_000_000_000);
  private version = this.id;
  private described: string | undefined;
  private readonly keys = new Map<SrtpSuite, SrtpKey>();
  private remoteKey: string | undefined;
  private ice: IceCredentials | undefined;
  private remoteUfrag: string | undefined;

  /**
   * @param body the description from m= on
   * @param lines of the session
   */
  write(address: string, body: string, lines: readonly string[] = []): string {
    const described = [address, ...lines, body].join('\n');
    if (this.described !== undefined && this.described !== described) this.version++;
    this.described = described;
    const network = isIPv6(address) ? 'IN IP6' : 'IN IP4';
    return [
      'v=0',
      `o=parley ${this.id} ${this.version} ${network} ${address}`,
      's=parley',
      `c=${network} ${address}`,
      't=0 0',
      ...lines,
      body,
    ].join('\r\n');
  }

  /** Our key for the suite, the same for the whole session. */
  key(suite: SrtpSuite): SrtpKey {
    const known = this.keys.get(suite);
    if (known) return known;
    const { key, salt } = SUITE_FACTS[suite];
    const made = { suite, inline: randomBytes(key + salt).toString('base64') };
    this.keys.set(suite, made);
    return made;
  }

  /** Our key beside this one of the peer's: a new one when the peer's is new, too. */
  keyAgainst({ suite, inline }: SrtpKey): SrtpKey {
    if (this.remoteKey !== undefined && this.remoteKey !== inline) this.keys.clear();
    this.remoteKey = inline;
    return this.key(suite);
  }

  /** Our name and password beside the peer's: new ones when it begins anew (RFC 8445, 9). */
  credentials(remoteUfrag: string): IceCredentials {
    const restarted = this.remoteUfrag !== undefined && this.remoteUfrag !== remoteUfrag;
    if (!this.ice || restarted)
      this.ice = { ufrag: randomBytes(6).toString('hex'), pwd: randomBytes(18).toString('hex') };
    this.remoteUfrag = remoteUfrag;
    return this.ice;
  }

  /** Ours, when the peer has offered ICE. */
  get ownCredentials(): IceCredentials | undefined {
    return this.ice;
  }
}
