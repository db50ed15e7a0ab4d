import { isIP } from 'node:net';
import { z } from 'zod';
import { isNetwork, type Network, readNetwork } from '../networks.js';
import { ALGORITHMS } from '../registrar/digest.js';
import { isHeaderName, mayBeSet } from './trunk-headers.js';

const name = /^[A-Za-z_][\w-]*$/;
const hostName = /^(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/;
const sipUri = /^sips?:[^\s<>"]+$/i;

const inbound = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^\s"\\]{1,128}$/)
      .describe('The user name that it must show.'),
    password: z.string().min(8).optional().describe('Its password; better in `passwordFile`.'),
    passwordFile: z.string().optional().describe('File with the password in its first line.'),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .optional()
      .describe('What it is asked for: [MD5] for one that gives up when it is offered SHA-256 as well.'),
  })
  .refine(({ password, passwordFile }) => (password === undefined) !== (passwordFile === undefined), {
    message: 'must have either password or passwordFile',
  });

const headerMaps = z
  .strictObject({
    in: z
      .record(
        z.string().refine(isHeaderName, 'is no name of a header'),
        z.string().regex(name, 'must be the name of a variable'),
      )
      .default({})
      .describe('Headers of its INVITEs, and the variable of the agent that each becomes.'),
    out: z
      .record(
        z.string().refine(mayBeSet, 'belongs to the protocol, or is no name of a header'),
        z.string().regex(/^[^\r\n]*$/, 'must be one line'),
      )
      .default({})
      .describe('Headers of INVITEs to it, with {{variables}}: call, caller, called, and those of the agent.'),
  })
  .prefault({});

/**
 * `trunks:` of parley.yaml: the carriers and PBXs that calls come from, by their addresses.
 *
 * @param media what a trunk may say of its media: the overrides of the room that reads them
 */
export function trunksConfig<M extends z.ZodType>(media: M) {
  const network = z.string().refine(isNetwork, 'must be a network, e.g. 203.0.113.0/24, or an address');
  const trunk = z.strictObject({
    name: z.string().min(1).describe('What the trunk is called in logs and metrics.'),
    networks: z
      .array(network)
      .default([])
      .describe('CIDR blocks or addresses that its INVITEs come from; the longest prefix of all trunks decides.'),
    hosts: z
      .array(z.string().refine((text) => isIP(text) !== 0 || hostName.test(text), 'must be a host name or an address'))
      .default([])
      .describe('Host names (or addresses) that its INVITEs come from, looked up again every minute.'),
    transport: z
      .enum(['udp', 'tcp', 'tls'])
      .optional()
      .describe(
        'What it is called by, and the only one that its INVITEs may come by; any when left out, and UDP to it.',
      ),
    inbound: inbound.optional().describe('Digest credentials that its INVITEs must show.'),
    calls: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe(
        'Most calls at once, both ways. More from it are answered 503 with Retry-After; to it, the next target is tried.',
      ),
    overflow: z
      .strictObject({
        target: z.string().min(1).optional().describe('A target, to whose addresses they are redirected.'),
        uri: z.string().regex(sipUri, 'must be a SIP URI').optional().describe('A SIP URI instead.'),
      })
      .refine(({ target, uri }) => (target === undefined) !== (uri === undefined), 'must have either target or uri')
      .optional()
      .describe('Where calls that are more than `calls` are redirected (302) instead of refused.'),
    headers: headerMaps,
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
        password: z.string().optional().describe('Its password; better in `passwordFile`.'),
        passwordFile: z.string().optional().describe('File with the password in its first line.'),
        from: z
          .string()
          .regex(/^[^\s<>"@;]+$/)
          .optional()
          .describe("The number that calls come from, where the trunk does not take the caller's."),
        trusted: z
          .boolean()
          .default(false)
          .describe(
            'Whether it is told who has withheld their number (P-Asserted-Identity with `Privacy: id`, RFC 3325), and keeps that from its phones.',
          ),
      })
      .optional()
      .describe('How targets with this trunk are called.'),
    media: media.describe("What differs on this trunk from rtp's own settings."),
  });
  return z
    .array(trunk)
    .default([])
    .describe('Carriers and PBXs that calls come from and go to; an example for each is in docs/guides/trunks.md.')
    .superRefine((trunks, context) => {
      const complain = (path: (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path, message });
      const names = new Set<string>();
      const owners = new Map<string, string>();
      for (const [index, { name, networks, hosts, outbound, calls, overflow }] of trunks.entries()) {
        if (networks.length === 0 && hosts.length === 0 && !outbound)
          complain(
            [index, 'networks'],
            'nobody can call by this trunk, or be called: give it networks, hosts or outbound',
          );
        if (overflow && calls === undefined)
          complain([index, 'overflow'], 'needs calls: without it there is no too many');
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

/** One trunk, all but its media. */
export type TrunkConfig = z.output<ReturnType<typeof trunksConfig<z.ZodType>>>[number];

/** What is looked up: a trunk as configured. */
export interface TrunkLike {
  name: string;
  networks: readonly string[];
  hosts?: readonly string[];
}

/** Finds the trunk that a request came by. */
export class Trunks<T extends TrunkLike> {
  /** Longest prefix first; of equals the one that is configured first. */
  private networks: { trunk: T; network: Network }[] = [];
  /** By host name. */
  private readonly addresses = new Map<string, readonly string[]>();

  constructor(private readonly trunks: readonly T[]) {
    this.sort();
  }

  /** Host names that have to be looked up. */
  get names(): string[] {
    return [...new Set(this.trunks.flatMap(({ hosts = [] }) => hosts.filter((host) => isIP(host) === 0)))];
  }

  /** All that INVITEs of trunks may come from: networks and addresses. */
  get allowed(): string[] {
    return this.trunks.flatMap((trunk) => this.sourcesOf(trunk));
  }

  /** Takes the addresses of host names. @returns whether any are not what they were */
  resolved(found: ReadonlyMap<string, readonly string[]>): boolean {
    let changed = false;
    for (const [name, addresses] of found) {
      const sorted = [...addresses].sort();
      changed ||= sorted.join() !== this.addresses.get(name)?.join();
      this.addresses.set(name, sorted);
    }
    if (changed) this.sort();
    return changed;
  }

  /** @param address that the INVITE came from, IPv4, IPv6, or IPv4 within IPv6 */
  of(address: string): T | undefined {
    const plain = address.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    if (family === 0) return undefined;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    return this.networks.find(({ network }) => network.list.check(plain, type))?.trunk;
  }

  private sort(): void {
    this.networks = this.trunks
      .flatMap((trunk) => this.sourcesOf(trunk).map((text) => ({ trunk, network: readNetwork(text) })))
      .flatMap(({ trunk, network }) => (network ? [{ trunk, network }] : []))
      .sort((a, b) => b.network.bits - a.network.bits);
  }

  private sourcesOf({ networks, hosts = [] }: T): string[] {
    return [...networks, ...hosts.flatMap((host) => (isIP(host) === 0 ? (this.addresses.get(host) ?? []) : [host]))];
  }
}
