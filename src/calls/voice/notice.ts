import type { JournalEvent } from '../../journal/events.js';
import type { CallVoice } from './call-voice.js';

/** Longest that something said besides the conversation may take, ms. */
const NOTICE_MS = 90_000;

/** Says something to the caller to its end, and puts it on record. */
export async function sayNotice(
  voice: Pick<CallVoice, 'announce'>,
  sentences: readonly string[],
  record: (event: JournalEvent) => void,
): Promise<void> {
  if (sentences.length === 0) return;
  const { heard, stopped } = await voice.announce(sentences, NOTICE_MS);
  const planned = sentences.join(' ');
  record({ type: 'agent.turn', turn: 0, planned, heard, interrupted: stopped, kind: 'notice' });
}
