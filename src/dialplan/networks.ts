import { BlockList, isIP } from 'node:net';

/**
 * Compiles a list of networks in CIDR notation or single addresses, IPv4 and IPv6.
 *
 * @throws Error whose message names the entry that is not a network
 */
export function compileNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) addNetwork(list, network);
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefix, ...more] = network.split('/');
  const family = isIP(address);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : Number(prefix);
  const fits = Number.isInteger(length) && length >= 0 && length <= bits && prefix !== '';
  if (family === 0 || !fits || more.length > 0) throw new Error(`"${network}" is not a network`);
  list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
}
