import type { SipMessage } from '../message/message.js';
import type { Applications } from './applications.js';

/** On which side of a call the edge was. */
export type CallRole = 'uas' | 'uac' | 'proxy-uas' | 'proxy-uac';

/** Why a call, or the attempt at one, is over; drachtio's words. */
export type StopReason =
  | 'call-rejected'
  | 'call-canceled'
  | 'normal-release'
  | 'session-expired'
  | 'system-initiated-termination'
  | 'system-error-initiated-termination';

/** Who made the message that a record is about. */
export type RecordSource = 'network' | 'application';

/** Call detail records (`cdr:attempt`, `cdr:start`, `cdr:stop`), told to an application that asked for them. */
export class CallRecords {
  readonly #applications: Applications;

  constructor(applications: Applications) {
    this.#applications = applications;
  }

  attempt(source: RecordSource, message: SipMessage): void {
    this.#applications.choose('cdr:attempt')?.record(['cdr:attempt', source], [], message);
  }

  start(source: RecordSource, role: CallRole, message: SipMessage): void {
    this.#applications.choose('cdr:start')?.record(['cdr:start', source], [role], message);
  }

  stop(source: RecordSource, reason: StopReason, message: SipMessage): void {
    this.#applications.choose('cdr:stop')?.record(['cdr:stop', source], [reason], message);
  }

  /** A final response to the INVITE that was to make a call: its start, or its end. */
  answered(source: RecordSource, role: CallRole, message: SipMessage & { kind: 'response' }): void {
    const { status } = message;
    if (status < 300) this.start(source, role, message);
    else this.stop(source, status === 487 ? 'call-canceled' : 'call-rejected', message);
  }
}
