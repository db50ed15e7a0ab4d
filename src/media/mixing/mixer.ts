import type { PcmRate } from '../../rtp/negotiated.js';
import { Ear, type Total } from './ear.js';
import { concerned, isHeard, type MixMode, type Role, roleOf } from './routing.js';
import { frameSamples, Source } from './source.js';

/** What a participant is when it joins. */
export interface ParticipantOptions {
  /** Of the frames it gets, Hz. What it offers may have either rate. */
  rate: PcmRate;
  /** Whether it says anything; default true. A tap doesn't. */
  speaks?: boolean;
  /** Whether it gets a mix; default true. Music and the agent's playout don't. */
  hears?: boolean;
  /** Called by {@link Mixer.run} with the frame it hears, valid during the call only. One that throws isn't called again. */
  heard?: (frame: Int16Array) => void;
}

interface Participant {
  readonly id: string;
  readonly source: Source | undefined;
  readonly ear: Ear | undefined;
  heard: ((frame: Int16Array) => void) | undefined;
  role: Role;
}

/**
 * The room of one call: each 20 ms everybody offers a frame and gets the mix of what the others say. Nobody hears anybody
 * until a mode or a route says so. Beginnings, ends and changes of gain are ramps of 5 to 20 ms. Ids that aren't in the
 * room are ignored, since a leg may have left while the command was under way.
 *
 * @example
 * const mixer = new Mixer();
 * mixer.join('caller', { rate: 8000 });
 * mixer.join('person', { rate: 16000 });
 * mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
 * // every 20 ms:
 * mixer.offer('caller', received);
 * mixer.run();
 * mixer.take('caller', toSend);
 */
export class Mixer {
  private readonly participants = new Map<string, Participant>();
  /** What `run` goes through, so that it needs no iterators. */
  private readonly list: Participant[] = [];
  /** Also of those who left in this tick: their voice is let out first. */
  private readonly sources: Source[] = [];
  private readonly leaving: Source[] = [];
  /** Gains set by `route`: they go before the modes. By source, then listener. */
  private readonly routes = new Map<string, Map<string, number>>();
  private readonly narrow = new Float32Array(frameSamples(8000));
  private readonly wide = new Float32Array(frameSamples(16_000));
  private narrowSummed = false;
  private wideSummed = false;
  private groups = 0;
  private readonly total: Total = { at: (rate) => this.totalAt(rate) };

  /** @param failed told of a tap whose `heard` threw */
  constructor(private readonly failed: (id: string, error: unknown) => void = () => undefined) {}

  /** Those in the room. */
  get ids(): string[] {
    return [...this.participants.keys()];
  }

  has(id: string): boolean {
    return this.participants.has(id);
  }

  /** Enters the room, apart from the others. Who is in it already leaves first. */
  join(id: string, { rate, speaks = true, hears = true, heard }: ParticipantOptions): void {
    this.leave(id);
    const source = speaks ? new Source() : undefined;
    const ear = hears ? new Ear(rate) : undefined;
    const joining: Participant = { id, source, ear, heard, role: { mode: 'apart', who: id } };
    if (ear) for (const other of this.sources) ear.add(other);
    this.participants.set(id, joining);
    this.list.push(joining);
    if (source) {
      this.sources.push(source);
      for (const participant of this.list) participant.ear?.add(source);
    }
    this.apply();
  }

  leave(id: string): void {
    const participant = this.participants.get(id);
    if (!participant) return;
    this.participants.delete(id);
    this.list.splice(this.list.indexOf(participant), 1);
    this.forget(id);
    if (!participant.source) return;
    participant.source.end();
    this.leaving.push(participant.source);
  }

  /** Another codec: what the participant gets from now on has this rate. */
  rate(id: string, rate: PcmRate): void {
    const ear = this.participants.get(id)?.ear;
    if (ear) ear.rate = rate;
  }

  /** Sets who hears whom. What `route` set for the participants concerned no longer counts. */
  mode(mode: MixMode): void {
    const role = roleOf(mode, ++this.groups);
    for (const id of concerned(mode)) {
      const participant = this.participants.get(id);
      if (!participant) continue;
      participant.role = role;
      this.forget(id);
    }
    this.apply();
  }

  /** Sets how loud `to` hears `from`, whatever the modes say: 0 not at all, 1 as it came, at most 4. */
  route(from: string, to: string, gain: number): void {
    if (!this.has(from) || !this.has(to) || Number.isNaN(gain)) return;
    const routes = this.routes.get(from) ?? new Map<string, number>();
    routes.set(to, Math.max(0, Math.min(4, gain)));
    this.routes.set(from, routes);
    this.apply();
  }

  /** What this participant says is silence for all others, recordings too, while sensitive data is collected. */
  mask(id: string, on: boolean): void {
    this.participants.get(id)?.source?.mask(on);
  }

  /** Takes a participant's frame for this tick: 20 ms at 8 or 16 kHz; it is copied. False when it can't be used. */
  offer(id: string, frame: Int16Array): boolean {
    return this.participants.get(id)?.source?.offer(frame) ?? false;
  }

  /** Mixes one tick; who offered nothing is silent in it. To be called every 20 ms. */
  run(): void {
    const { list, sources } = this;
    for (let n = 0; n < sources.length; n++) sources[n]!.prepare();
    this.narrowSummed = this.wideSummed = false;
    for (let n = 0; n < list.length; n++) list[n]!.ear?.mix(this.total);
    for (let n = list.length - 1; n >= 0; n--) if (list[n]?.heard) this.deliver(list[n]!);
    if (this.leaving.length > 0) this.dismiss();
  }

  /** Whether the one hears the other, by modes and routes. */
  hears(id: string, from: string): boolean {
    const [hearer, speaker] = [this.participants.get(id), this.participants.get(from)];
    if (!hearer || !speaker) return false;
    return (this.routes.get(from)?.get(id) ?? (isHeard(from, speaker.role, id, hearer.role) ? 1 : 0)) > 0;
  }

  /** Copies what `id` hears in this tick into `out`; the samples written, 0 when it hears nothing or is not there. */
  take(id: string, out: Int16Array): number {
    const frame = this.participants.get(id)?.ear?.frame;
    if (!frame || out.length < frame.length) return 0;
    out.set(frame);
    return frame.length;
  }

  private apply(): void {
    for (const { id: from, source, role } of this.list) {
      if (!source) continue;
      for (const { id: to, ear, role: hearer } of this.list) {
        ear?.set(source, this.routes.get(from)?.get(to) ?? (isHeard(from, role, to, hearer) ? 1 : 0));
      }
    }
  }

  private forget(id: string): void {
    this.routes.delete(id);
    for (const routes of this.routes.values()) routes.delete(id);
  }

  private deliver(participant: Participant): void {
    try {
      if (participant.ear) participant.heard?.(participant.ear.frame);
    } catch (error) {
      participant.heard = undefined;
      this.failed(participant.id, error);
    }
  }

  private dismiss(): void {
    for (let n = this.leaving.length - 1; n >= 0; n--) {
      const source = this.leaving[n]!;
      if (!source.silent) continue;
      this.leaving.splice(n, 1);
      this.sources.splice(this.sources.indexOf(source), 1);
      for (const { ear } of this.list) ear?.remove(source);
    }
  }

  private totalAt(rate: PcmRate): Float32Array {
    const total = rate === 8000 ? this.narrow : this.wide;
    if (rate === 8000 ? this.narrowSummed : this.wideSummed) return total;
    total.fill(0);
    for (let n = 0; n < this.sources.length; n++) {
      const source = this.sources[n]!;
      if (!source.present) continue;
      const pcm = source.at(rate);
      for (let k = 0; k < total.length; k++) total[k] = total[k]! + pcm[k]!;
    }
    if (rate === 8000) this.narrowSummed = true;
    else this.wideSummed = true;
    return total;
  }
}
