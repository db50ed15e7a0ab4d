import type { Conversation } from '../conversation/conversation.js';
import { ParleyError } from '../errors.js';
import type { JournalEvent } from '../journal/events.js';
import type { PcmRate } from '../rtp/negotiated.js';
import type { MediaLeg } from '../workers/media/hosted-leg.js';

/** Whom a supervisor talks to: nobody, everybody, or one of the two. */
export type TalksTo = 'none' | 'all' | 'caller' | 'person';

/** The call as those see it who look after it. */
export interface SupervisedCall {
  /** The agent's conversation, while it has the call. */
  conversation(): Conversation | undefined;
  /** Of the caller, while the call is up. */
  leg(): MediaLeg | undefined;
  /** Name of the leg of who is joined with the caller. */
  person(): string | undefined;
  /** Whether calls may be handed to that target. */
  knows(target: string): Promise<boolean>;
  /** Takes the caller back from a person, or from the way to one; false when they are with the agent. */
  takeBack(): boolean;
  record(event: JournalEvent): void;
  /** Why nothing can be done. */
  notUp(): ParleyError;
}

/** 20 ms of what somebody hears; undefined: the call is over. */
export type Ear = (pcm: Int16Array | undefined) => void;

/** Somebody who listens to a call, and may talk in it. */
export interface Listening {
  /** What they say: PCM at their rate, in pieces of any length. */
  say(pcm: Int16Array): void;
  /** @throws ParleyError PARLEY_ERR_CALL_NOT_UP: nobody of that name is there */
  talkTo(to: TalksTo): void;
  end(): void;
}

interface Monitor {
  by: string;
  ear: Ear;
  rate: PcmRate;
  to: TalksTo;
}

/** What supervisors do to one call, at any moment of it. All of it is on the call's record. */
export class Supervision {
  private readonly monitors = new Map<string, Monitor>();
  private last = 0;

  constructor(private readonly call: SupervisedCall) {}

  /** Those who listen. */
  get listeners(): number {
    return this.monitors.size;
  }

  /** The agent says this now, whatever it was saying. @throws ParleyError PARLEY_ERR_CALL_NOT_UP */
  say(text: string, by: string): void {
    const conversation = this.conversing;
    this.call.record(conversation.masked({ type: 'supervisor.said', by, text }));
    conversation.say(text);
  }

  /**
   * Tells the agent something that the caller does not hear.
   *
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_AGENT_NOT_GUIDED: its reasoner can make nothing of it
   */
  whisper(text: string, by: string): void {
    const conversation = this.conversing;
    if (!conversation.guide(text)) throw new ParleyError('PARLEY_ERR_AGENT_NOT_GUIDED');
    this.call.record(conversation.masked({ type: 'supervisor.whispered', by, text }));
  }

  /** The agent falls silent and answers nothing, or goes on. @throws ParleyError PARLEY_ERR_CALL_NOT_UP */
  pause(on: boolean, by: string): void {
    const conversation = this.conversing;
    if (conversation.paused === on) return;
    this.call.record({ type: 'supervisor.paused', by, on });
    conversation.pause(on);
  }

  /** The call goes to a target now, also from a person, or from the way to one. @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_TARGET_UNKNOWN */
  async sendOn(target: string, by: string): Promise<void> {
    if (!(await this.call.knows(target))) throw new ParleyError('PARLEY_ERR_TARGET_UNKNOWN', { target });
    if (!this.call.conversation() && !this.call.takeBack()) throw this.call.notUp();
    const conversation = this.conversing;
    this.call.record({ type: 'supervisor.sent', by, target });
    conversation.pause(false);
    conversation.sendOn(target, 'supervisor');
  }

  /** The caller is with the agent again. @throws ParleyError PARLEY_ERR_CALL_NOT_UP */
  takeBack(by: string): void {
    if (!this.call.takeBack()) throw this.call.notUp();
    this.call.record({ type: 'supervisor.took-back', by });
  }

  /**
   * Somebody listens from now on. What is said while sensitive data is collected is silence to them.
   *
   * @param rate of what they hear and say, Hz
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP
   */
  listen(by: string, rate: PcmRate, to: TalksTo, ear: Ear): Listening {
    const monitor = `${by}-${++this.last}`;
    this.attach(monitor, rate, to);
    const listening: Monitor = { by, ear, rate, to };
    this.monitors.set(monitor, listening);
    this.call.record({ type: 'supervisor.listening', by, on: true, talksTo: to });
    return {
      say: (pcm) => this.call.leg()?.monitorAudio(monitor, pcm),
      talkTo: (talksTo) => {
        this.attach(monitor, rate, talksTo);
        listening.to = talksTo;
        this.call.record({ type: 'supervisor.listening', by, on: true, talksTo });
      },
      end: () => {
        if (!this.monitors.delete(monitor)) return;
        this.call.leg()?.monitorEnd(monitor);
        this.call.record({ type: 'supervisor.listening', by, on: false, talksTo: 'none' });
      },
    };
  }

  /** What one of them hears. */
  heard(monitor: string, pcm: Int16Array): void {
    this.monitors.get(monitor)?.ear(pcm);
  }

  /** Legs of the call are others now: those who listen hear these, and talk to them. Who talked to a person that is gone talks to nobody. */
  moved(): void {
    for (const [monitor, { rate, to }] of this.monitors) {
      this.attach(monitor, rate, to === 'person' && this.call.person() === undefined ? 'none' : to);
    }
  }

  /** The call is over. */
  end(): void {
    for (const [monitor, { by, ear }] of [...this.monitors]) {
      this.monitors.delete(monitor);
      this.call.record({ type: 'supervisor.listening', by, on: false, talksTo: 'none' });
      ear(undefined);
    }
  }

  private attach(monitor: string, rate: PcmRate, to: TalksTo): void {
    this.leg.monitor({ monitor, rate, talksTo: this.legOf(to) });
  }

  private get conversing(): Conversation {
    const conversation = this.call.conversation();
    if (!conversation) throw this.call.notUp();
    return conversation;
  }

  private get leg(): MediaLeg {
    const leg = this.call.leg();
    if (!leg) throw this.call.notUp();
    return leg;
  }

  private legOf(to: TalksTo): string {
    const leg = to === 'caller' ? this.leg.leg : to === 'person' ? this.call.person() : to;
    if (leg === undefined) throw this.call.notUp();
    return leg;
  }
}
