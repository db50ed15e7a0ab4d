import type { Application } from '../application/application.js';
import { Dialog } from './dialog.js';

/** What of a confirmed dialog another edge needs to go on with it, when the one that made it has crashed. */
export interface DialogRecord {
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly method: string;
  readonly localParty: string;
  readonly remoteParty: string;
  readonly localSeq: number;
  readonly remoteSeq: number | undefined;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  readonly localSdp: string;
  readonly takesUpdate: boolean;
  readonly callIdIsOurs: boolean;
  /** The session timer. `interval` in s; `ours`: this side refreshes. */
  readonly session: { readonly interval: number; readonly ours: boolean } | undefined;
}

/** CSeq numbers that may have been used since the record was made: they may leave gaps, and never repeat (RFC 3261 12.2.1.1). */
const SEQUENCE_GAP = 1000;

/** @param session as of its last 2xx */
export function recordOf(dialog: Dialog, session: DialogRecord['session']): DialogRecord {
  const { id, callId, localTag, remoteTag, method, localParty, remoteParty, localSeq, remoteSeq } = dialog;
  const { routeSet, remoteTarget, localSdp, takesUpdate, callIdIsOurs } = dialog;
  const names = { id, callId, localTag, remoteTag, method, localParty, remoteParty, localSeq, remoteSeq };
  return { ...names, routeSet: [...routeSet], remoteTarget, localSdp, takesUpdate, callIdIsOurs, session };
}

/** The dialog goes on; a connection that it had is gone. */
export function dialogOf(record: DialogRecord, app: Application): Dialog {
  const { localSdp, takesUpdate, callIdIsOurs, localSeq, session: _, ...fields } = record;
  const dialog = new Dialog({ ...fields, localSeq: localSeq + SEQUENCE_GAP, app, connection: undefined });
  return Object.assign(dialog, { localSdp, takesUpdate, callIdIsOurs, confirmed: true });
}
