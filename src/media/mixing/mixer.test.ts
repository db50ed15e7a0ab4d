import { describe, expect, it } from 'vitest';
import { levelDb } from '../../audio/level.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import { Mixer } from './mixer.js';

/** What each participant says: a tone of its own. */
const VOICES: Record<string, number> = {
  caller: 300,
  agent: 500,
  person: 700,
  supervisor: 1100,
  music: 1300,
  extra: 1700,
};
const AMPLITUDE = 6000;

/** A room whose participants talk without pause; keeps what each hears. */
class Room {
  readonly mixer = new Mixer();
  private readonly rates = new Map<string, PcmRate>();
  private readonly heard = new Map<string, number[]>();
  private ticks = 0;

  join(rates: Record<string, PcmRate>): this {
    for (const [id, rate] of Object.entries(rates)) {
      this.rates.set(id, rate);
      this.mixer.join(id, { rate });
    }
    return this;
  }

  /** Runs ticks; `silent` offer nothing. */
  run(ticks: number, silent: readonly string[] = [], voice = said): this {
    for (const last = this.ticks + ticks; this.ticks < last; this.ticks++) {
      for (const [id, rate] of this.rates) if (!silent.includes(id)) this.mixer.offer(id, voice(id, rate, this.ticks));
      this.mixer.run();
      for (const [id, rate] of this.rates) {
        const frame = new Int16Array(rate / 50);
        if (this.mixer.take(id, frame) > 0) this.heard.set(id, [...(this.heard.get(id) ?? []), ...frame]);
      }
    }
    return this;
  }

  /** The last so many ticks of what `id` heard. */
  last(id: string, ticks: number): Int16Array {
    return Int16Array.from(this.heard.get(id) ?? []).slice((-ticks * this.rates.get(id)!) / 50);
  }

  /** Whom `id` hears in the last 100 ms, by the spectrum. */
  hears(id: string): string[] {
    const pcm = this.last(id, 5);
    return Object.keys(VOICES).filter((voice) => amplitude(pcm, VOICES[voice]!, this.rates.get(id)!) > AMPLITUDE / 20);
  }
}

function said(id: string, rate: PcmRate, tick: number): Int16Array {
  const step = (2 * Math.PI * VOICES[id]!) / rate;
  return Int16Array.from({ length: rate / 50 }, (_, n) => AMPLITUDE * Math.sin(step * ((tick * rate) / 50 + n)));
}

/** Of the sine of that frequency in `pcm`; exact over whole periods. */
function amplitude(pcm: Int16Array, hz: number, rate: number): number {
  let [re, im] = [0, 0];
  pcm.forEach((sample, n) => {
    re += sample * Math.cos((2 * Math.PI * hz * n) / rate);
    im += sample * Math.sin((2 * Math.PI * hz * n) / rate);
  });
  return (2 * Math.hypot(re, im)) / pcm.length;
}

/** The largest step from one sample to the next. */
function steepest(pcm: Int16Array): number {
  let most = 0;
  for (let n = 1; n < pcm.length; n++) most = Math.max(most, Math.abs(pcm[n]! - pcm[n - 1]!));
  return most;
}

const all8k = { caller: 8000, agent: 8000, person: 8000, supervisor: 8000, music: 8000 } as const;

describe('Mixer', () => {
  it('lets nobody hear anybody until told', () => {
    const room = new Room().join(all8k).run(6);
    for (const id of Object.keys(all8k)) expect(levelDb(room.last(id, 6))).toBe(-100);
  });

  it('joins two legs, bit by bit, at any level', () => {
    const room = new Room().join({ caller: 8000, person: 8000 });
    room.mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    const loud = (id: string, rate: PcmRate, tick: number) => said(id, rate, tick).map((sample) => 5.4 * sample);
    room.run(10, [], loud);
    expect(room.last('caller', 5)).toEqual(
      Int16Array.from([5, 6, 7, 8, 9].flatMap((n) => [...loud('person', 8000, n)])),
    );
    expect(room.hears('person')).toEqual(['caller']);
  });

  it.each([3, 4, 5, 6])('gives each of a conference of %i the exact sum of the others', (count) => {
    const members = Object.keys(VOICES).slice(0, count);
    const room = new Room().join(Object.fromEntries(members.map((id) => [id, 8000 as const])));
    room.mixer.mode({ mode: 'conference', members });
    const quiet = (id: string, rate: PcmRate, tick: number) => said(id, rate, tick).map((sample) => sample >> 1);
    room.run(4, [], quiet);
    for (const id of members) {
      const others = members.filter((other) => other !== id).map((other) => quiet(other, 8000, 3));
      expect(room.last(id, 1)).toEqual(others[0]!.map((_, n) => others.reduce((sum, pcm) => sum + pcm[n]!, 0)));
    }
  });

  it('lets a supervisor listen, whisper to one and barge in', () => {
    const room = new Room().join(all8k);
    const { mixer } = room;
    mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    mixer.mode({ mode: 'listen', who: 'supervisor' });
    room.run(8);
    expect([room.hears('caller'), room.hears('person')]).toEqual([['person'], ['caller']]);
    expect(room.hears('supervisor')).toEqual(['caller', 'person']);
    mixer.mode({ mode: 'whisper', who: 'supervisor', to: 'person' });
    room.run(8);
    expect(room.hears('caller')).toEqual(['person']);
    expect(room.hears('person')).toEqual(['caller', 'supervisor']);
    expect(room.hears('supervisor')).toEqual(['caller', 'person']);
    mixer.mode({ mode: 'barge', who: 'supervisor' });
    room.run(8);
    expect(room.hears('caller')).toEqual(['person', 'supervisor']);
    expect(room.hears('person')).toEqual(['caller', 'supervisor']);
    // One who comes later is heard by those who hear all, and hears who barged in once it takes part.
    mixer.join('extra', { rate: 8000 });
    room.join({ extra: 8000 });
    mixer.mode({ mode: 'conference', members: ['caller', 'person', 'extra'] });
    room.run(8);
    expect(room.hears('supervisor')).toEqual(['caller', 'person', 'extra']);
    expect(room.hears('extra')).toEqual(['caller', 'person', 'supervisor']);
  });

  it('plays music to the caller while the agent briefs a person', () => {
    const room = new Room().join({ caller: 8000, person: 16_000, supervisor: 8000 });
    const { mixer } = room;
    mixer.join('music', { rate: 8000, hears: false });
    mixer.join('agent', { rate: 8000, hears: false });
    mixer.mode({ mode: 'play', from: 'music', to: ['caller'] });
    mixer.mode({ mode: 'bridge', between: ['agent', 'person'] });
    mixer.mode({ mode: 'listen', who: 'supervisor', except: ['music'] });
    for (let tick = 0; tick < 8; tick++) {
      mixer.offer('music', said('music', 8000, tick));
      mixer.offer('agent', said('agent', 8000, tick));
      room.run(1);
    }
    expect(room.hears('caller')).toEqual(['music']);
    expect(room.hears('person')).toEqual(['agent']);
    // The caller on hold is heard by nobody, but by one who asks for just that.
    expect(room.hears('supervisor')).toEqual(['agent', 'person']);
    mixer.mode({ mode: 'listen', who: 'supervisor', only: ['caller'] });
    room.run(7);
    expect(room.hears('supervisor')).toEqual(['caller']);
    expect(mixer.take('agent', new Int16Array(320))).toBe(0);
  });

  it('converts between 8 and 16 kHz both ways, and follows a change of codec', () => {
    const room = new Room().join({ caller: 8000, person: 16_000, extra: 16_000 });
    room.mixer.mode({ mode: 'conference', members: ['caller', 'person', 'extra'] });
    room.run(12);
    expect(room.hears('caller')).toEqual(['person', 'extra']);
    expect(room.hears('person')).toEqual(['caller', 'extra']);
    expect(amplitude(room.last('caller', 5), 700, 8000)).toBeCloseTo(AMPLITUDE, -2);
    expect(amplitude(room.last('person', 5), 300, 16_000)).toBeCloseTo(AMPLITUDE, -2);
    // What an 8 kHz line cannot carry does not fold down on it.
    room.run(10, ['extra'], (_, rate, tick) =>
      Int16Array.from(
        { length: rate / 50 },
        (_, n) => 9000 * Math.sin((2 * Math.PI * 6500 * (tick * (rate / 50) + n)) / rate),
      ),
    );
    expect(amplitude(room.last('caller', 5), 1500, 8000)).toBeLessThan(20);
    room.mixer.rate('person', 8000);
    const frame = new Int16Array(320);
    room.mixer.run();
    expect(room.mixer.take('person', frame)).toBe(160);
    expect(room.mixer.offer('person', new Int16Array(240))).toBe(false);
  });

  it('bends what is too loud instead of letting it wrap or clip hard', () => {
    const members = ['caller', 'agent', 'person', 'supervisor'];
    const room = new Room().join(all8k);
    room.mixer.mode({ mode: 'conference', members });
    room.run(3, [], (_, rate, tick) => said('caller', rate, tick).map((sample) => 5 * sample));
    const heard = room.last('agent', 1);
    const one = said('caller', 8000, 2).map((sample) => 5 * sample);
    expect(heard.every((sample, n) => Math.sign(sample) === Math.sign(one[n]!))).toBe(true);
    expect(Math.max(...heard)).toBeGreaterThan(28_000);
    expect(Math.max(...heard)).toBeLessThan(32_767);
  });

  it('begins, ends, changes and leaves without a click', () => {
    const room = new Room().join(all8k);
    const { mixer } = room;
    const smooth = 1.1 * steepest(said('person', 8000, 1));
    mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    room.run(3, ['person']).run(3).run(2, ['person']).run(3);
    mixer.route('person', 'caller', 0.2);
    room.run(3);
    mixer.mask('person', true);
    room.run(3);
    mixer.mask('person', false);
    room.run(3);
    mixer.leave('person');
    room.run(3);
    expect(levelDb(room.last('caller', 23).slice(480, 960))).toBeGreaterThan(-20);
    expect(steepest(room.last('caller', 23))).toBeLessThan(smooth);
    expect(levelDb(room.last('caller', 2))).toBe(-100);
    expect(mixer.ids).not.toContain('person');
  });

  it('weights single edges whatever the modes say, until a mode is set again', () => {
    const room = new Room().join(all8k);
    const { mixer } = room;
    mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    mixer.route('person', 'caller', 0.25);
    mixer.route('music', 'person', 1);
    mixer.route('nobody', 'person', 1);
    room.run(7);
    expect(amplitude(room.last('caller', 5), 700, 8000)).toBeCloseTo(AMPLITUDE / 4, -1);
    expect(room.hears('person')).toEqual(['caller', 'music']);
    mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    room.run(7);
    expect(amplitude(room.last('caller', 5), 700, 8000)).toBeCloseTo(AMPLITUDE, -1);
    expect(room.hears('person')).toEqual(['caller']);
  });

  it('lets nothing out that is said while masked, not even what was offered in that tick', () => {
    const room = new Room().join({ caller: 8000, person: 16_000, supervisor: 8000 });
    const { mixer } = room;
    mixer.mode({ mode: 'bridge', between: ['caller', 'person'] });
    mixer.mode({ mode: 'listen', who: 'supervisor' });
    mixer.mask('caller', true);
    room.run(10);
    expect(levelDb(room.last('person', 10))).toBe(-100);
    expect(room.hears('supervisor')).toEqual(['person']);
    mixer.mask('caller', false);
    room.run(6);
    expect(room.hears('person')).toEqual(['caller']);
  });

  it('hands taps what they hear, and goes on when one throws', () => {
    const failed: string[] = [];
    const mixer = new Mixer((id) => failed.push(id));
    const left: number[] = [];
    const right: number[] = [];
    mixer.join('caller', { rate: 8000 });
    mixer.join('agent', { rate: 8000, hears: false });
    const tap = { rate: 8000, speaks: false } as const;
    mixer.join('left', { ...tap, heard: (frame) => left.push(...frame) });
    mixer.join('right', { ...tap, heard: (frame) => right.push(...frame) });
    mixer.join('bad', {
      ...tap,
      heard: () => {
        throw new Error('tap');
      },
    });
    mixer.mode({ mode: 'bridge', between: ['agent', 'caller'] });
    mixer.mode({ mode: 'listen', who: 'left', only: ['caller'] });
    mixer.mode({ mode: 'listen', who: 'right', except: ['caller'] });
    for (let tick = 0; tick < 4; tick++) {
      mixer.offer('caller', said('caller', 8000, tick));
      mixer.offer('agent', said('agent', 8000, tick));
      mixer.run();
    }
    expect(failed).toEqual(['bad']);
    expect(left.slice(-160)).toEqual([...said('caller', 8000, 3)]);
    expect(right.slice(-160)).toEqual([...said('agent', 8000, 3)]);
  });
});
