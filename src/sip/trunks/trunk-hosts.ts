import type { Logger } from '../../telemetry/log.js';
import type { Dns } from '../edge/transport/dns.js';
import type { TrunkLike, Trunks } from './trunks.js';

/** Names are looked up again so often, ms: carriers move with a time to live of about that. */
const REFRESH_MS = 60_000;

/** Keeps the addresses of trunks' host names as the DNS has them. A name that can't be found keeps those that it had. */
export class TrunkHosts {
  private readonly timer: NodeJS.Timeout;
  private readonly missing = new Set<string>();

  private constructor(
    private readonly trunks: Trunks<TrunkLike>,
    private readonly dns: Pick<Dns, 'addresses' | 'close'>,
    private readonly changed: () => void,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.timer.unref();
  }

  /** Resolves when all names were looked up for the first time. @param changed told when addresses are not what they were */
  static async start(
    trunks: Trunks<TrunkLike>,
    dns: Pick<Dns, 'addresses' | 'close'>,
    changed: () => void,
    logger: Logger,
  ): Promise<TrunkHosts> {
    const hosts = new TrunkHosts(trunks, dns, changed, logger);
    await hosts.refresh();
    return hosts;
  }

  close(): void {
    clearInterval(this.timer);
    this.dns.close();
  }

  private async refresh(): Promise<void> {
    const found = await Promise.all(this.trunks.names.map((name) => this.lookUp(name)));
    if (this.trunks.resolved(new Map(found.filter((one) => one !== undefined)))) this.changed();
  }

  private async lookUp(name: string): Promise<[name: string, addresses: string[]] | undefined> {
    const addresses = await this.dns.addresses(name, [4, 6]);
    if (addresses.length > 0) {
      this.missing.delete(name);
      return [name, addresses];
    }
    if (!this.missing.has(name)) this.logger.warn({ host: name }, "a trunk's host has no address; trying on");
    this.missing.add(name);
    return undefined;
  }
}
