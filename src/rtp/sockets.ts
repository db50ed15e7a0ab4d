import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { plainPackets, protectedPackets } from './packet-memory.js';

/** What arrives on a pair of ports. */
export interface SocketListener {
  rtp(datagram: Buffer, source: RemoteInfo): void;
  rtcp(datagram: Buffer, source: RemoteInfo): void;
  error(error: Error): void;
}

/** An RTP socket on an even port and an RTCP socket on the port above it (RFC 3550, 11). */
export interface SocketPair {
  /** Sends from the RTP port; errors go to the listener. What was made in {@link plainPackets} or {@link protectedPackets} is free again. */
  send(packet: Uint8Array, address: string, port: number): void;
  /** As `send`, from the RTCP port. */
  sendRtcp(packet: Uint8Array, address: string, port: number): void;
  /** Resolves when both ports are free again. */
  close(): Promise<void>;
}

/** Of so many packets one is asked whether it could be sent: about once a second. */
const ASKED_AFTER = 50;

/** Binds both; rejects with the system's error, of which EADDRINUSE means that another port may do. */
export async function bindPair(address: string, port: number, listener: SocketListener): Promise<SocketPair> {
  const rtp = await bind(address, port);
  const rtcp = await bind(address, port + 1).catch(async (error: unknown) => {
    await close(rtp);
    throw error;
  });
  rtp.on('message', (datagram, source) => listener.rtp(datagram, source));
  rtcp.on('message', (datagram, source) => listener.rtcp(datagram, source));
  for (const socket of [rtp, rtcp]) socket.on('error', (error) => listener.error(error));
  const sent = (error: Error | null): void => {
    if (error) listener.error(error);
  };
  let packets = 0;
  return {
    send: (packet, to, toPort) => {
      // Where one packet can't go none can: asking after each would cost a callback a packet.
      if (packets++ % ASKED_AFTER === 0) rtp.send(packet, toPort, to, sent);
      else rtp.send(packet, toPort, to);
      // A full socket has the packet read later.
      if (rtp.getSendQueueCount() > 0) {
        plainPackets.leave();
        protectedPackets.leave();
      }
    },
    sendRtcp: (packet, to, toPort) => rtcp.send(packet, toPort, to, sent),
    close: async () => {
      await Promise.all([close(rtp), close(rtcp)]);
    },
  };
}

async function bind(address: string, port: number): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Destinations are addresses already; going through the resolver would cost a tenth of the CPU.
    lookup: (host, _options, found) => found(null, host, family),
  });
  try {
    const bound = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await bound;
    return socket;
  } catch (error) {
    await close(socket);
    throw error;
  }
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
