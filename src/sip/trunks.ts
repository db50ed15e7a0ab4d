import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** A CIDR block or a single address, read. */
interface Network {
  list: BlockList;
  /** Of the prefix, as IPv6 counts it: an IPv4 block and an IPv6 block of an address never compete. */
  bits: number;
}

/**
 * `trunks:` of parley.yaml: the carriers and PBXs that calls come from, by their addresses.
 *
 * @param media what a trunk may say of its media: the overrides of the room that reads them
 */
export function trunksConfig<M extends z.ZodType>(media: M) {
  const network = z
    .string()
    .refine((text) => readNetwork(text) !== undefined, 'must be a network, e.g. 203.0.113.0/24, or an address');
  const trunk = z.strictObject({
    name: z.string().min(1).describe('What the trunk is called in logs and metrics.'),
    networks: z
      .array(network)
      .min(1)
      .describe('CIDR blocks or addresses that its INVITEs come from; the longest prefix of all trunks decides.'),
    outbound: z
      .strictObject({
        host: z
          .string()
          .regex(
            /^[\w.[\]:-]+(?:;[\w=.-]+)*$/,
            'must be a host, e.g. sip.carrier.example or pbx.example:5080;transport=tcp',
          )
          .describe('Where numbers are called: host, port, and parameters of the URI.'),
        username: z.string().min(1).optional().describe('For digest authentication.'),
        password: z.string().optional().describe('Its password.'),
        from: z
          .string()
          .regex(/^[^\s<>"@;]+$/)
          .optional()
          .describe("The number that calls come from, where the trunk does not take the caller's."),
      })
      .optional()
      .describe('How targets with this trunk are called.'),
    media: media.describe("What differs on this trunk from rtp's own settings."),
  });
  return z
    .array(trunk)
    .default([])
    .superRefine((trunks, context) => {
      const complain = (path: (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path, message });
      const names = new Set<string>();
      const owners = new Map<string, string>();
      for (const [index, { name, networks }] of trunks.entries()) {
        if (names.has(name)) complain([index, 'name'], `"${name}" is already used above`);
        names.add(name);
        for (const [n, text] of networks.entries()) {
          const owner = owners.get(text);
          if (owner !== undefined) complain([index, 'networks', n], `${text} belongs to ${owner} already`);
          owners.set(text, name);
        }
      }
    });
}

/** What is looked up: a trunk as configured. */
export interface TrunkLike {
  name: string;
  networks: readonly string[];
}

/** Finds the trunk that a request came by. */
export class Trunks<T extends TrunkLike> {
  /** Longest prefix first; of equals the one that is configured first. */
  private readonly networks: { trunk: T; network: Network }[];

  constructor(trunks: readonly T[]) {
    this.networks = trunks
      .flatMap((trunk) => trunk.networks.flatMap((text) => ({ trunk, network: readNetwork(text) })))
      .flatMap(({ trunk, network }) => (network ? [{ trunk, network }] : []))
      .sort((a, b) => b.network.bits - a.network.bits);
  }

  /** @param address that the INVITE came from, IPv4, IPv6, or IPv4 within IPv6 */
  of(address: string): T | undefined {
    const plain = address.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    if (family === 0) return undefined;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    return this.networks.find(({ network }) => network.list.check(plain, type))?.trunk;
  }
}

function readNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || more.length > 0 || bits < 0 || bits > most) return undefined;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  return { list, bits: family === 6 ? bits : bits + 96 };
}
