import type { VoiceEvent } from '../../conversation/voice.js';
import type { PersonLeg } from '../legs/person-leg.js';
import type { SpeakerTurns } from '../voice/speaker-turns.js';
import { personTurns, type TransferredCall, type TransferSide } from './caller-side.js';

/** Somebody who takes part in a call beside the agent, which goes on: the caller notices nothing but their voice. */
export class GuestSide implements TransferSide {
  readonly lastTurn = 0;
  private joined: { name: string; turns: SpeakerTurns } | undefined;

  constructor(private readonly call: TransferredCall) {}

  get pending(): number {
    return this.joined?.turns.pending ?? 0;
  }

  join(person: PersonLeg): void {
    if (!person.leg || !person.voice) return;
    person.voice.stop();
    this.call.joined.join(person, true);
    this.joined = { name: person.name, turns: personTurns(this.call, person, person.voice) };
  }

  takeDown(person: PersonLeg): void {
    if (this.joined?.name !== person.name || !person.voice) return;
    this.joined.turns.flush();
    this.joined = { name: person.name, turns: personTurns(this.call, person, person.voice) };
  }

  unjoin(person: PersonLeg): void {
    this.call.joined.leave(person);
    this.endTurns(person.name);
  }

  /** Their keys are nobody's. */
  said(leg: string, event: VoiceEvent): boolean {
    if (this.joined?.name !== leg) return false;
    this.joined.turns.event(event);
    return true;
  }

  endTurns(leg: string): void {
    if (this.joined?.name !== leg) return;
    this.joined.turns.flush();
    this.joined = undefined;
  }

  rejoin(): void {
    this.call.joined.mix();
  }

  wait(): void {}
  async tell(): Promise<void> {}
  async introduce(): Promise<void> {}
  end(): void {}
}
