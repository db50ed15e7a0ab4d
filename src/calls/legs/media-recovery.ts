import { ParleyError } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import type { CallSession } from './call-session.js';

/** A call whose media workers are lost more often than this may be the reason. */
const RECOVERIES = 5;

/** What is to be set up again, and who is told. */
export interface RecoveryHost {
  /** The caller's leg is another now. */
  moved(): void;
  /** It stands again: so do the others. */
  others(): Promise<void>;
  record(event: JournalEvent): void;
  /** It could not be, and the call can't go on as it was. */
  failed(): void;
  logger: Logger;
}

/** Sets the media of a call up again when their worker is lost, one loss after another. */
export class MediaRecovery {
  private count = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly host: RecoveryHost) {}

  /** @returns false when there is no leg to set up again, or it has been often enough */
  begin(session: CallSession | undefined): boolean {
    const { message, code } = new ParleyError('PARLEY_ERR_MEDIA_LOST', { reason: 'the call is set up again' });
    this.host.record({ type: 'error', code, message });
    if (!session || ++this.count > RECOVERIES) return false;
    this.last = this.last.then(() => this.recover(session));
    return true;
  }

  private async recover(session: CallSession): Promise<void> {
    const { host } = this;
    const began = monotonicMs();
    try {
      await session.recover(() => host.moved());
      await host.others();
      host.record({ type: 'media.restored', ms: Math.round(monotonicMs() - began) });
    } catch (error) {
      host.logger.error({ err: error }, 'the media of a call could not be set up again');
      host.failed();
    }
  }
}
