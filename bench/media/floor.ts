import { createSocket } from 'node:dgram';

/*
 * What this machine can do at best: a program that does nothing but send a packet every 20 ms. Its first argument is where to.
 */

const FRAME_MS = 20;
const to = Number(process.argv[2]);
const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) });
const packet = Buffer.alloc(172);
socket.bind(0, '127.0.0.1', () => {
  const origin = performance.now();
  let sent = 0;
  const aim = (): NodeJS.Timeout => setTimeout(send, Math.max(0, origin + (sent + 1) * FRAME_MS - performance.now()));
  const send = (): void => {
    packet.writeUInt16BE(++sent & 0xffff, 2);
    socket.send(packet, to, '127.0.0.1');
    timer = aim();
  };
  let timer = aim();
  process.stdout.write('ready\n');
  process.stdin.on('end', () => {
    clearTimeout(timer);
    socket.close();
  });
  process.stdin.resume();
});
