import type { LiveEvent, StoredEvent } from '../journal/events.js';

/** What of a live call can be said in figures. */
export interface CallFigures {
  /** Turns of the caller. */
  turns: number;
  interruptions: number;
  /** Caller's last word to the answer, of the last reply, ms. */
  replyMs?: number | undefined;
  /** The lower one of both directions, by the last report. */
  mos?: number | undefined;
  /** Who has the floor; both while they speak over each other. */
  speaks: 'nobody' | 'caller' | 'agent' | 'both';
}

interface State extends CallFigures {
  caller: boolean;
  agent: boolean;
  quality: Map<string, number>;
}

/** Figures of the live calls of this process: a projection of their journals. */
export class LiveFigures {
  private readonly calls = new Map<string, State>();

  observe(event: StoredEvent | LiveEvent): void {
    if (event.type === 'call.received') {
      const state = {
        turns: 0,
        interruptions: 0,
        speaks: 'nobody',
        caller: false,
        agent: false,
        quality: new Map(),
      } as const;
      return void this.calls.set(event.call, { ...state });
    }
    const call = this.calls.get(event.call);
    if (!call) return;
    if (event.type === 'call.ended') return void this.calls.delete(event.call);
    note(call, event);
  }

  of(call: string): CallFigures | undefined {
    const state = this.calls.get(call);
    if (!state) return undefined;
    const { turns, interruptions, replyMs, caller, agent, quality } = state;
    const mos = quality.size > 0 ? Math.min(...quality.values()) : undefined;
    const speaks = caller ? (agent ? 'both' : 'caller') : agent ? 'agent' : 'nobody';
    return { turns, interruptions, replyMs, mos, speaks };
  }
}

function note(call: State, event: StoredEvent | LiveEvent): void {
  switch (event.type) {
    case 'caller.started':
    case 'caller.partial':
      call.caller = true;
      return;
    case 'backchannel':
      call.caller = false;
      return;
    case 'turn.decision':
      if (event.decision !== 'held' && event.decision !== 'rejoined') call.caller = false;
      return;
    case 'caller.turn':
      call.turns++;
      call.caller = false;
      return;
    case 'agent.started':
      call.agent = true;
      return;
    case 'agent.turn':
      call.agent = false;
      call.replyMs = event.latency?.reply ?? call.replyMs;
      return;
    case 'interruption':
      call.interruptions++;
      return;
    case 'media.quality':
      if (event.mos !== undefined) call.quality.set(event.direction, event.mos);
      return;
  }
}
