import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import { agentVoiceOf } from '../../workers/messages.js';

/** A leg of the call, whatever its media are called now: a lost worker's are opened anew. */
export interface JoinedLeg {
  readonly leg: MediaLeg | undefined;
}

/** Who is joined with a caller: the person they were handed to, and those who take part beside the agent. */
export class JoinedLegs {
  /** And whether they hear what the agent says to the caller, too. */
  private readonly legs = new Map<JoinedLeg, boolean>();

  constructor(private readonly caller: () => MediaLeg) {}

  join(leg: JoinedLeg, hearsAgent: boolean): void {
    this.legs.set(leg, hearsAgent);
    this.mix();
  }

  /** Safe for a leg that was never joined. */
  leave(leg: JoinedLeg): void {
    if (!this.legs.delete(leg)) return;
    if (leg.leg) this.caller().mix({ mode: 'apart', who: leg.leg.leg });
    this.mix();
  }

  /** Has them hear each other, anew where the media are. */
  mix(): void {
    const caller = this.caller();
    const there = [...this.legs].flatMap(([{ leg }, hearsAgent]) => (leg ? [{ name: leg.leg, hearsAgent }] : []));
    const [first, second] = there;
    if (!first) caller.mix({ mode: 'apart', who: caller.leg });
    else if (!second) caller.mix({ mode: 'bridge', between: [caller.leg, first.name] });
    else caller.mix({ mode: 'conference', members: [caller.leg, ...there.map(({ name }) => name)] });
    const hearing = there.filter(({ hearsAgent }) => hearsAgent).map(({ name }) => name);
    caller.mix({ mode: 'play', from: agentVoiceOf(caller.leg), to: [caller.leg, ...hearing] });
  }
}
