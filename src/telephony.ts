import type { TrunkRoute } from './calls/targets/targets.js';
import type { JournalBook } from './journal/journal.js';
import { usableCodecs } from './rtp/codec.js';
import { audioOptions } from './rtp/profile.js';
import type { Settings } from './settings.js';
import { Registrar } from './sip/registrar/registrar.js';
import { firstLine, sipUsers } from './sip/registrar/users.js';
import { SipTraces } from './sip/trace/traces.js';
import { TrunkLoad } from './sip/trunks/trunk-load.js';
import type { Trunks } from './sip/trunks/trunks.js';
import type { Store } from './store/store.js';
import type { Logger } from './telemetry/log.js';

/** Undefined without users: nobody could register. */
export function sipRegistrar({ sip }: Settings, store: Store, logger: Logger): Registrar | undefined {
  const { realm, users, authenticate, registrar } = sip;
  if (users.length === 0 && authenticate !== 'all') return undefined;
  return new Registrar({ realm, authenticate, ...registrar, users: sipUsers(users, realm) }, store, logger);
}

/** The SIP messages of calls; undefined when none are kept. */
export function sipTraces(
  { sip, store: { retention } }: Settings,
  store: Store,
  journals: JournalBook,
  logger: Logger,
) {
  const { enabled, ...options } = sip.trace;
  if (!enabled) return undefined;
  const traces = new SipTraces(store.streams, { ...options, retentionMs: retention.sipMs }, logger);
  journals.onEvent((event) => {
    if (event.type === 'call.received' || event.type === 'caller.replaced')
      traces.claim(event.sipCallId, event.call, 'caller');
    else if (event.type === 'transfer.replaced') traces.claim(event.sipCallId, event.call, event.leg);
    else if (event.type === 'call.ended') traces.ended(event.call);
  });
  return traces;
}

/** Which codecs can be used at all, and what is agreed on with whom. */
export function callAudio({ rtp, trunks }: Settings, known: Trunks<Settings['trunks'][number]>, logger: Logger) {
  const configured = new Set([...rtp.codecs, ...trunks.flatMap(({ media }) => media.codecs ?? [])]);
  const codecs = usableCodecs([...configured], logger);
  const byTrunk = new Map(trunks.map((trunk) => [trunk.name, audioOptions(rtp, codecs, trunk.media)]));
  const others = audioOptions(rtp, codecs);
  return {
    codecs,
    byTrunk: (name: string | undefined) => (name !== undefined && byTrunk.get(name)) || others,
    of: (source: string) => {
      const trunk = known.of(source)?.name;
      return { trunk, options: (trunk !== undefined && byTrunk.get(trunk)) || others };
    },
  };
}

/** How trunks are called. */
export function trunkRoutes({ trunks }: Settings): TrunkRoute[] {
  return trunks.flatMap(({ name, outbound, transport, headers }) => {
    if (!outbound) return [];
    const { username, passwordFile, from, trusted } = outbound;
    const password = passwordFile === undefined ? (outbound.password ?? '') : firstLine(passwordFile);
    const host =
      transport && !/;transport=/i.test(outbound.host) ? `${outbound.host};transport=${transport}` : outbound.host;
    const auth = username === undefined ? undefined : { username, password };
    return [{ name, host, from, trusted, headers: headers.out, auth }];
  });
}

/** The places that calls take of trunks which have a limit. */
export function trunkLoad({ trunks }: Settings): TrunkLoad {
  return new TrunkLoad(new Map(trunks.flatMap(({ name, calls }) => (calls === undefined ? [] : [[name, calls]]))));
}
