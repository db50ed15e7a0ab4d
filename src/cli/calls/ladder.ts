import type { StoredEvent } from '../../journal/events.js';
import { type LadderNote, renderLadder } from '../../sip/trace/ladder.js';
import type { TracedMessage } from '../../sip/trace/traces.js';

/** The SIP of a call with what is known of its sound. `events`: its journal. */
export function ladderLines(
  messages: readonly TracedMessage[],
  events: readonly StoredEvent[],
  full: boolean,
): string[] {
  const [first] = events;
  const received = first?.type === 'call.received' ? Date.parse(first.time) : (messages[0]?.at ?? 0);
  const notes = events.flatMap((event) => {
    const text = noteOf(event);
    return text === undefined ? [] : [{ at: received + event.at, text } satisfies LadderNote];
  });
  // The journal begins a little later than the wire.
  return renderLadder(messages, Math.min(received, messages[0]?.at ?? received), notes, full);
}

function noteOf(event: StoredEvent): string | undefined {
  switch (event.type) {
    case 'call.answered':
      return `answered after ${event.ms} ms, RTP ${event.codec}`;
    case 'transfer.bridged':
      return `caller and ${event.person} are joined`;
    case 'media.silent':
      return `RTP ${event.direction} ${event.on ? `missing for ${event.seconds} s` : 'flows again'}`;
    case 'media.quality': {
      const { direction, packets, lossPercent, jitterMs, roundTripMs, mos } = event;
      const figures = { packets, 'loss %': lossPercent, 'jitter ms': jitterMs, 'round trip ms': roundTripMs, MOS: mos };
      const known = Object.entries(figures).flatMap(([name, value]) =>
        value === undefined ? [] : `${name} ${Math.round(value * 100) / 100}`,
      );
      return `RTP ${direction}: ${known.join(', ')}`;
    }
    case 'call.ended':
      return `ended by ${event.by}: ${event.reason}`;
    default:
      return undefined;
  }
}
