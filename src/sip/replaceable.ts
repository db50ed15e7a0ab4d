import { readReplaces } from './refer.js';

/** So many dialogs that are over are remembered, to tell them from those that never were. */
const MOST_GONE = 1000;

/** The dialogs that an INVITE with Replaces may take the place of (RFC 3891): those of this process, and who takes it. */
export class ReplaceableDialogs<Taker> {
  private readonly known = new Map<string, { early: boolean; contact: string | undefined; take: Taker }>();
  private readonly gone = new Set<string>();

  /**
   * A dialog stands, or (`early`) somebody whom we call rings. One that we have not answered yet can't be replaced (RFC 3891 3).
   *
   * @param dialog `contact`: value of our Contact header in it
   * @returns says that it is over
   */
  add(
    dialog: { callId: string; localTag: string; remoteTag: string; early: boolean; contact: string | undefined },
    take: Taker,
  ): () => void {
    const { callId, localTag, remoteTag, early } = dialog;
    const key = keyOf(callId, localTag, remoteTag);
    const entry = { early, take, contact: /<(sips?:[^<>\s]+)>/i.exec(dialog.contact ?? '')?.[1] };
    this.known.set(key, entry);
    return () => {
      // A dialog that was early may have become one that stands.
      if (this.known.get(key) !== entry) return;
      this.known.delete(key);
      this.gone.add(key);
      const [oldest] = this.gone;
      if (this.gone.size > MOST_GONE && oldest !== undefined) this.gone.delete(oldest);
    };
  }

  /** Whom a Replaces header means; a status where it can't be heeded. */
  find(value: string): Taker | 400 | 481 | 486 | 603 {
    const named = readReplaces(value);
    if (!named) return 400;
    const key = keyOf(named.callId, named.toTag, named.fromTag);
    const entry = this.known.get(key);
    if (!entry) return this.gone.has(key) ? 603 : 481;
    return named.earlyOnly && !entry.early ? 486 : entry.take;
  }

  /** The URI of our side of the dialog that a Replaces header means; undefined when it is none of ours. */
  contactOf(value: string): string | undefined {
    const named = readReplaces(value);
    return named && this.known.get(keyOf(named.callId, named.toTag, named.fromTag))?.contact;
  }
}

function keyOf(...parts: string[]): string {
  return parts.join(' ');
}
