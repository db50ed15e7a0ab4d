import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { findRoute, hostPort } from './address.js';

describe('findRoute', () => {
  it('tells our address on the way, and says at once when nothing listens', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const uri = `sip:8001@127.0.0.1:${port}`;
    expect(await findRoute(uri)).toEqual({ host: '127.0.0.1', port, local: '127.0.0.1', loopback: true });
    socket.close();
    await once(socket, 'close');
    await expect(findRoute(uri)).rejects.toMatchObject({
      code: 'PARLEY_ERR_CALL_FAILED',
      message: `call to ${uri} failed: nothing listens there`,
      mend: 'Is `parley serve` running, and on this port?',
    });
    await expect(findRoute(`${uri};transport=tcp`)).rejects.toThrow('nothing listens there');
  });

  it('refuses what is no SIP address', async () => {
    await expect(findRoute('8001')).rejects.toMatchObject({ code: 'PARLEY_ERR_CALL_FAILED' });
  });
});

describe('hostPort', () => {
  it('takes names, addresses and IPv6 in brackets', () => {
    expect(hostPort('localhost:0')).toEqual({ host: 'localhost', port: 0 });
    expect(hostPort('[::1]:5060')).toEqual({ host: '::1', port: 5060 });
    for (const wrong of ['5060', '::1:5060', 'host:99999', 'host:sip'])
      expect(() => hostPort(wrong)).toThrow(/HOST:PORT/);
  });
});
