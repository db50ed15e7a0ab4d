import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { SipTarget } from './raw-peer.js';
import { type HeardPacket, toSound } from './rtp-peer.js';
import type { Sound } from './wav.js';

/**
 * Stands on the wire between a UDP caller and the server, for callers that can't record (sipp): passes SIP on, with
 * the audio address in each SDP replaced by its own, and RTP, of which it keeps what goes to the caller. One call.
 */
export class Tap {
  /** RTP from the server to the caller. */
  readonly heard: HeardPacket[] = [];
  /** RTP packets from the caller to the server. */
  said = 0;
  private caller: RemoteInfo | undefined;
  private callerMedia = 0;
  private serverMedia = 0;

  private constructor(
    private readonly server: SipTarget,
    private readonly outside: Socket,
    private readonly inside: Socket,
    private readonly mediaOutside: Socket,
    private readonly mediaInside: Socket,
  ) {
    outside.on('message', (bytes, from) => {
      this.caller = from;
      const text = this.readdress(bytes, mediaInside, (port) => {
        this.callerMedia = port;
      });
      inside.send(text, server.port, server.host);
    });
    inside.on('message', (bytes) => {
      if (!this.caller) return;
      const text = this.readdress(bytes, mediaOutside, (port) => {
        this.serverMedia = port;
      });
      outside.send(text, this.caller.port, this.caller.address);
    });
    mediaOutside.on('message', (bytes) => {
      this.said++;
      if (this.serverMedia) mediaInside.send(bytes, this.serverMedia, server.host);
    });
    mediaInside.on('message', (bytes, from) => this.hear(bytes, from));
  }

  static async open(server: SipTarget): Promise<Tap> {
    const [outside, inside, mediaOutside, mediaInside] = await Promise.all([bound(), bound(), bound(), bound()]);
    return new Tap(server, outside, inside, mediaOutside, mediaInside);
  }

  /** Where the caller is to send its SIP. */
  get target(): SipTarget {
    return { host: '127.0.0.1', port: this.outside.address().port };
  }

  /** What the caller heard. */
  sound(): Sound {
    return toSound(this.heard);
  }

  close(): void {
    for (const socket of [this.outside, this.inside, this.mediaOutside, this.mediaInside]) socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private hear(bytes: Buffer, from: RemoteInfo): void {
    if (bytes.length < 12) return;
    this.heard.push({
      at: performance.now(),
      from: { address: from.address, port: from.port },
      marker: (bytes[1]! & 0x80) !== 0,
      payloadType: bytes[1]! & 0x7f,
      sequence: bytes.readUInt16BE(2),
      timestamp: bytes.readUInt32BE(4),
      ssrc: bytes.readUInt32BE(8),
      payload: bytes.subarray(12),
    });
    if (this.callerMedia) this.mediaOutside.send(bytes, this.callerMedia, '127.0.0.1');
  }

  /** The message with our port in its SDP; all addresses here are 127.0.0.1. */
  private readdress(bytes: Buffer, media: Socket, found: (port: number) => void): string {
    const [head = '', body = ''] = split(bytes.toString('utf8'));
    const sdp = body.replace(/^m=audio (\d+)/m, (_, port: string) => {
      found(Number(port));
      return `m=audio ${media.address().port}`;
    });
    // Requests inside the dialog go to the tap too: the contact of the server is ours towards the caller.
    const contact = head.startsWith('SIP/2.0')
      ? head.replace(/^(Contact:.*<sip:[^@>]*@?)127\.0\.0\.1:\d+/im, `$1127.0.0.1:${this.target.port}`)
      : head.replace(/^([A-Z]+ sip:[^ ]*?)127\.0\.0\.1:\d+/, `$1${this.server.host}:${this.server.port}`);
    const length = contact.replace(/^(Content-Length|l): *\d+/im, `Content-Length: ${Buffer.byteLength(sdp)}`);
    return `${length}\r\n\r\n${sdp}`;
  }
}

function split(message: string): [string, string] {
  const end = message.indexOf('\r\n\r\n');
  return end < 0 ? [message, ''] : [message.slice(0, end), message.slice(end + 4)];
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  return socket;
}
