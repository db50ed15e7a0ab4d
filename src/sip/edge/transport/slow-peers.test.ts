import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeBench } from '../../../../test/kit/edge-bench.js';

let bench: EdgeBench;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  bench = await EdgeBench.start();
});

afterEach(async () => {
  vi.useRealTimers();
  await bench.close();
});

async function connected(): Promise<Socket> {
  const socket = connect(bench.edge.sipPort, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** Lets the edge read what was written. */
async function read(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

const OPTIONS = (i: number, port: number) =>
  `OPTIONS sip:8001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bK${i}\r\n` +
  `From: <sip:a@b>;tag=1\r\nTo: <sip:8001@b>\r\nCall-ID: slow-${i}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;

describe('a TCP peer that takes its time', () => {
  it('is cut off when bytes trickle in that make no message', async () => {
    const socket = await connected();
    const closed = once(socket, 'close');
    const text = OPTIONS(1, socket.localPort ?? 0);
    for (let i = 0; i < 4; i++) {
      socket.write(text[i] ?? '');
      await read();
      vi.advanceTimersByTime(9000);
    }
    await closed;
    expect(bench.edge.counts().tcpConnections).toBe(0);
  });

  it('is cut off when it only sends blank lines, and left alone when it sends messages', async () => {
    const idle = await connected();
    const busy = await connected();
    const closed = once(idle, 'close');
    for (let i = 0; i < 4; i++) {
      idle.write('\r\n\r\n');
      const answered = once(busy, 'data');
      busy.write(OPTIONS(i, busy.localPort ?? 0));
      await answered;
      await read();
      vi.advanceTimersByTime(9000);
    }
    await closed;
    expect(bench.edge.counts().tcpConnections).toBe(1);
    busy.destroy();
  });
});
