import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { writeRtpHeader } from '../../src/rtp/packet.js';
import { SRTP_OVERHEAD, SrtpSender } from '../../src/rtp/srtp/session.js';
import type { SrtpKey } from '../../src/rtp/srtp/suites.js';

/*
 * The callers of the media bench, a process of its own: sends one speaker's packets to many ports every 20 ms, a
 * tenth of the ports every 2 ms. All callers say the same, so that this costs less than what it measures.
 */

/** What the bench tells it, in a JSON file that the first argument names. */
export interface CallersOrder {
  from: number;
  ports: number[];
  payloadType: number;
  /** RTP clock ticks of 20 ms. */
  ticks: number;
  /** Payloads of 20 ms each, base64; said again and again. */
  frames: string[];
  /** Under which packets are protected; plain without it. */
  key?: SrtpKey;
}

const SLOTS = 10;
const order: CallersOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const frames = order.frames.map((frame) => Buffer.from(frame, 'base64'));
const sender = order.key && new SrtpSender(order.key);
const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) });
socket.bind(order.from, '127.0.0.1', () => {
  process.stdout.write('ready\n');
  let slot = 0;
  let packet: Uint8Array = new Uint8Array();
  const origin = performance.now();
  const timer = setInterval(() => {
    for (; slot * (20 / SLOTS) <= performance.now() - origin; slot++) {
      if (slot % SLOTS === 0) packet = next(slot / SLOTS);
      for (let n = slot % SLOTS; n < order.ports.length; n += SLOTS) {
        socket.send(packet, order.ports[n], '127.0.0.1');
      }
    }
  }, 1);
  process.stdin.on('end', () => {
    clearInterval(timer);
    socket.close();
  });
  process.stdin.resume();
});

function next(frame: number): Uint8Array {
  const payload = frames[frame % frames.length]!;
  const packet = Buffer.alloc(12 + payload.length);
  writeRtpHeader(packet, order.payloadType, frame === 0, frame & 0xffff, frame * order.ticks, 0x1234);
  payload.copy(packet, 12);
  if (!sender) return packet;
  const protectedPacket = Buffer.alloc(packet.length + SRTP_OVERHEAD);
  return protectedPacket.subarray(0, sender.protectRtp(packet, protectedPacket));
}
