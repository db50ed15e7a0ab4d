/** The look-ups that RFC 3263 needs; a name without such records has none, whatever the reason. */
import { lookup, type NaptrRecord, promises, type SrvRecord } from 'node:dns';

/** A name server that does not answer must not hold a call up for long: ms per try, and tries. */
const PATIENCE = { timeout: 1500, tries: 2 } as const;

export interface Dns {
  naptr(name: string): Promise<NaptrRecord[]>;
  srv(name: string): Promise<SrvRecord[]>;
  /** IP literals of these families. */
  addresses(name: string, families: readonly (4 | 6)[]): Promise<string[]>;
  close(): void;
}

/**
 * @param servers name servers, `address` or `address:port`; without them the system's, and its hosts file for addresses
 */
export function openDns(servers: readonly string[] | undefined): Dns {
  const resolver = new promises.Resolver(PATIENCE);
  if (servers) resolver.setServers(servers);
  return {
    naptr: (name) => orNone(resolver.resolveNaptr(name)),
    srv: (name) => orNone(resolver.resolveSrv(name)),
    addresses: async (name, families) => {
      if (!servers) return systemAddresses(name, families);
      const found = families.map((family) => orNone(family === 4 ? resolver.resolve4(name) : resolver.resolve6(name)));
      return (await Promise.all(found)).flat();
    },
    close: () => resolver.cancel(),
  };
}

async function orNone<T>(found: Promise<T[]>): Promise<T[]> {
  try {
    return await found;
  } catch {
    return [];
  }
}

function systemAddresses(name: string, families: readonly (4 | 6)[]): Promise<string[]> {
  return new Promise((resolve) => {
    lookup(name, { all: true }, (error, found) => {
      if (error) resolve([]);
      else resolve(found.filter(({ family }) => families.some((one) => one === family)).map(({ address }) => address));
    });
  });
}
