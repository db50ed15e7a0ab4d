import type { ErrorCode, ErrorDetails } from '../../errors.js';
import type { WireMessage } from '../trace/wire.js';
import type { EdgeCounts } from './counters.js';
import type { DialogRecord } from './dialog/dialog-record.js';

/** What the host asks of the edge's thread. */
export type EdgeCommand =
  | { readonly kind: 'counts'; readonly id: number }
  /** CIDR blocks and addresses that may send SIP, in place of those before. */
  | { readonly kind: 'allow'; readonly networks: readonly string[] }
  | { readonly kind: 'close' };

/** What the thread tells its host. */
export type EdgeReport =
  | { readonly kind: 'started'; readonly controlPort: number; readonly sipPort: number; readonly sipHost: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly details: ErrorDetails }
  | { readonly kind: 'counts'; readonly id: number; readonly counts: EdgeCounts }
  | { readonly kind: 'wire'; readonly message: WireMessage }
  | { readonly kind: 'dialog'; readonly id: string; readonly record: DialogRecord | undefined };
