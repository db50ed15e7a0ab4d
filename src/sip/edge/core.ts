import type { Logger } from '../../telemetry/log.js';
import type { Applications } from './application/applications.js';
import type { CallRecords } from './application/call-records.js';
import type { Counters } from './counters.js';
import type { DialogTable } from './dialog/dialog.js';
import type { SipTimings, Timers } from './timers.js';
import type { Send, TransactionTable } from './transaction/transactions.js';
import type { LocalAddress } from './transport/local-address.js';
import type { NextHopResolver } from './transport/next-hop.js';
import type { SourceGuard } from './transport/source-guard.js';

/** What the parts of one edge share. */
export interface Core {
  readonly log: Logger;
  readonly timers: Timers;
  readonly timings: SipTimings;
  readonly transactions: TransactionTable;
  readonly dialogs: DialogTable;
  readonly applications: Applications;
  readonly records: CallRecords;
  readonly counters: Counters;
  readonly sources: SourceGuard;
  readonly local: LocalAddress;
  readonly resolver: NextHopResolver;
  readonly send: Send;
  /** Runs work that was put off; what it throws is logged and costs nothing else. */
  readonly guard: (what: string, work: () => void) => void;
}
