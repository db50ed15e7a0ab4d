import { isDeepStrictEqual } from 'node:util';
import { type DtlsPeer, openDtls } from './dtls/host.js';
import type { MediaSecurity } from './negotiated.js';
import { SrtpReceiver, SrtpSender } from './srtp/session.js';
import type { SrtpKey } from './srtp/suites.js';

/** A stranger may spoil a handshake by one of its own; it is waited for anew so many times. */
const HANDSHAKES = 10;

/**
 * The keys of one leg's packets: from SDP, or from a DTLS handshake. What does not change in a new negotiation goes on,
 * with its roll-over counters.
 */
export class PacketSecurity {
  /** Packets are to be protected; until the keys are known none go out, and none are heard. */
  required = false;
  sender: SrtpSender | undefined;
  receiver: SrtpReceiver | undefined;
  private local: SrtpKey | undefined;
  private remote: SrtpKey | undefined;
  private agreed: MediaSecurity | undefined;
  private dtls: DtlsPeer | undefined;
  private address = '';
  private port = 0;
  private fromSignalled = false;

  /**
   * @param send brings a datagram of the handshake to where its last one came from
   * @param failed tells why there are no keys
   */
  constructor(
    private readonly send: (datagram: Uint8Array, address: string, port: number) => void,
    private readonly failed: (reason: string) => void,
  ) {}

  negotiated(security: MediaSecurity | undefined): void {
    this.required = security !== undefined;
    if (isDeepStrictEqual(security, this.agreed)) return;
    this.agreed = security;
    this.fromSignalled = false;
    this.closeDtls();
    if (security?.kind === 'dtls') {
      this.keys(undefined, undefined);
      if (security.role === 'server') this.openDtls(security, HANDSHAKES);
    } else this.keys(security?.local, security?.remote);
  }

  /** Where the peer is to be found: a handshake that is ours to begin begins, or goes on, there. */
  reach(address: string, port: number): void {
    const { agreed } = this;
    if (agreed?.kind !== 'dtls' || agreed.role !== 'client' || port === 0) return;
    this.address = address;
    this.port = port;
    if (!this.dtls && !this.sender) this.openDtls(agreed, HANDSHAKES);
  }

  /**
   * A datagram of DTLS has come.
   *
   * @param signalled whether from where SDP says: once it has been, nobody else can disturb the handshake
   */
  handshake(datagram: Uint8Array, address: string, port: number, signalled: boolean): void {
    const { agreed } = this;
    if (agreed?.kind === 'dtls' && agreed.role === 'client') {
      // It answers from where it was asked.
      if (address === this.address && port === this.port) this.dtls?.receive(datagram);
      return;
    }
    if (this.fromSignalled && !signalled) return;
    this.fromSignalled = signalled;
    this.address = address;
    this.port = port;
    this.dtls?.receive(datagram);
  }

  close(): void {
    this.closeDtls();
    this.agreed = undefined;
  }

  private openDtls(security: Extract<MediaSecurity, { kind: 'dtls' }>, left: number): void {
    this.dtls = openDtls(security.role, security.identity, security.fingerprints, {
      send: (datagram) => this.send(datagram, this.address, this.port),
      keys: (local, remote) => this.keys(local, remote),
      failed: (reason) => {
        if (this.agreed !== security || this.sender) return;
        this.failed(reason);
        this.closeDtls();
        if (left > 1) this.openDtls(security, left - 1);
      },
    });
  }

  private closeDtls(): void {
    this.dtls?.close();
    this.dtls = undefined;
  }

  private keys(local: SrtpKey | undefined, remote: SrtpKey | undefined): void {
    if (!isDeepStrictEqual(local, this.local)) this.sender = local && new SrtpSender(local);
    if (!isDeepStrictEqual(remote, this.remote)) this.receiver = remote && new SrtpReceiver(remote);
    this.local = local;
    this.remote = remote;
  }
}
