import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { ParleyError } from '../../../errors.js';

/** Names that known scanners give themselves in User-Agent, in lower case. */
const SCANNERS = [
  'friendly-scanner',
  'friendly-request',
  'sipvicious',
  'sipcli',
  'sip-scan',
  'sipscan',
  'sundayddr',
  'vaxsipuseragent',
  'vaxipuseragent',
  'sivus',
  'siparmyknife',
  'smap',
  'iwar',
  'pplsip',
  'gulp',
];

/** How many hosts outside the allowed networks are remembered because they were called. */
const EXPECTED = 10_000;

/** Decides from the source address alone whether a packet or connection is looked at. */
export class NetworkFilter {
  #allowed = new BlockList();
  /** What was found for the addresses of late: every message asks, and looking takes longer than remembering. */
  readonly #known = new Map<string, boolean>();
  /** Hosts that requests were sent to, oldest first. */
  readonly #expected = new Set<string>();

  /** @throws ParleyError `PARLEY_ERR_EDGE_NETWORK` for what is neither an address nor a CIDR block. */
  constructor(networks: readonly string[]) {
    this.replace(networks);
  }

  /** These are allowed from now on, and no others. @throws as the constructor; nothing is changed then */
  replace(networks: readonly string[]): void {
    const allowed = new BlockList();
    for (const network of networks) add(allowed, network);
    this.#allowed = allowed;
    this.#known.clear();
  }

  /** Whether this source may start something. */
  allows(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    if (this.#known.size >= EXPECTED) this.#known.clear();
    const allowed = this.#isAllowed(address);
    this.#known.set(address, allowed);
    return allowed;
  }

  #isAllowed(address: string): boolean {
    if (isIPv4(address)) return this.#allowed.check(address, 'ipv4');
    return isIPv6(address) && this.#allowed.check(address, 'ipv6');
  }

  /** A request goes there: its responses, and requests in the dialogs it makes, have to come through. */
  expect(address: string): void {
    if (this.allows(address)) return;
    this.#expected.delete(address);
    this.#expected.add(address);
    const [oldest] = this.#expected;
    if (this.#expected.size > EXPECTED && oldest !== undefined) this.#expected.delete(oldest);
  }

  /** Whether what this source sends is read at all. */
  admits(address: string): boolean {
    return this.allows(address) || this.#expected.has(address);
  }
}

function add(list: BlockList, network: string): void {
  const [address = '', bits, ...rest] = network.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  const width = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (!family || rest.length > 0 || prefix < 0 || prefix > width) {
    throw new ParleyError('PARLEY_ERR_EDGE_NETWORK', { network });
  }
  list.addSubnet(address, prefix, family);
}

export function isScanner(userAgent: string): boolean {
  const lower = userAgent.slice(0, 256).toLowerCase();
  return SCANNERS.some((name) => lower.includes(name));
}
