import { BlockList, isIP } from 'node:net';

/** A CIDR block or a single address, read. */
export interface Network {
  list: BlockList;
  /** Of the prefix, as IPv6 counts it: an IPv4 block and an IPv6 block of an address never compete. */
  bits: number;
}

/** Reads one; undefined when it is none. */
export function readNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || more.length > 0 || bits < 0 || bits > most) return undefined;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  return { list, bits: family === 6 ? bits : bits + 96 };
}

/** Whether a text is one. */
export function isNetwork(text: string): boolean {
  return readNetwork(text) !== undefined;
}
