import { reasonOf } from '../../errors.js';
import type { Store } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import { Authenticator } from '../registrar/authenticator.js';
import { Nonces } from '../registrar/nonces.js';
import type { Answer, SipRequestView } from '../registrar/registrar.js';
import { sipUsers } from '../registrar/users.js';
import type { TrunkConfig, TrunkLike } from './trunks.js';

type GatedTrunk = TrunkLike & Pick<TrunkConfig, 'transport' | 'inbound'>;

/** Says whether an INVITE of a trunk's address is one of the trunk: by its transport, and by digest where it has credentials. */
export class TrunkGate {
  private readonly trunks = new Map<string, { trunk: GatedTrunk; authenticator: Authenticator | undefined }>();

  /** @throws ParleyError PARLEY_ERR_CONFIG_FILE when a password file can't be read */
  constructor(
    trunks: readonly GatedTrunk[],
    realm: string,
    { records }: Pick<Store, 'records'>,
    private readonly logger: Logger,
  ) {
    const nonces = new Nonces(records, logger);
    for (const trunk of trunks) {
      const { username, ...secret } = trunk.inbound ?? {};
      const users = username === undefined ? undefined : sipUsers([{ name: username, ...secret }], realm);
      const authenticator = users && new Authenticator(realm, users, nonces, records, logger);
      this.trunks.set(trunk.name, { trunk, authenticator });
    }
  }

  /** @returns what to answer; undefined when the call may come in. Never rejects. */
  async admit(request: SipRequestView, name: string): Promise<Answer | undefined> {
    const { trunk, authenticator } = this.trunks.get(name) ?? {};
    const { source, protocol } = request;
    if (trunk?.transport && protocol.toLowerCase() !== trunk.transport) {
      this.logger.warn({ source, protocol, trunk: name }, 'an INVITE came by another transport than its trunk has');
      return { status: 403, headers: {} };
    }
    if (!authenticator) return undefined;
    try {
      const verdict = await authenticator.judge(request, trunk?.inbound?.username ?? '');
      return 'user' in verdict ? undefined : { status: verdict.status, headers: verdict.headers };
    } catch (error) {
      this.logger.error({ reason: reasonOf(error), trunk: name }, 'an INVITE of a trunk could not be authenticated');
      return { status: 503, headers: { 'Retry-After': '10' } };
    }
  }
}
