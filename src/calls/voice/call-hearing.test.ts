import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import type { VoiceEvent } from '../../conversation/voice.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { SpeechHost } from '../../workers/speech/speech-host.js';
import type { StreamEvent } from '../../workers/speech/speech-stream.js';
import { CallHearing } from './call-hearing.js';

/** A leg that has heard so many samples. */
function legOf(samples: number): MediaLeg {
  const ring = AudioRing.allocate(8000);
  ring.write(new Int16Array(samples));
  return { leg: 'a', ring: ring.shared } as unknown as MediaLeg;
}

function hearing(leg: MediaLeg) {
  const streams: { says(event: StreamEvent): void; done: unknown[][] }[] = [];
  const openStream = (_leg: MediaLeg, says: (event: StreamEvent) => void, _words: unknown, from: number) => {
    const done: unknown[][] = [['from', from]];
    streams.push({ says, done });
    const names = ['expect', 'commit', 'finalise', 'close'];
    return Object.fromEntries(names.map((name) => [name, (...values: unknown[]) => void done.push([name, ...values])]));
  };
  const events: VoiceEvent[] = [];
  const state = { deafened: false, delays: 0 };
  const heard = new CallHearing(leg, { openStream } as unknown as SpeechHost, undefined, {
    tell: (event) => void events.push(event),
    deafened: () => state.deafened,
    delayed: () => void state.delays++,
    recognised: () => undefined,
  });
  const mark = (type: 'onset' | 'offset', position: number) => heard.mark({ type, leg: 'a', at: 0, position });
  const told = () => events.map((event) => ('position' in event ? `${event.type} ${event.position}` : event.type));
  const words = () => events.flatMap((event) => (event.type === 'final' ? [`${event.from} ${event.text}`] : []));
  return { heard, streams, mark, told, words, state };
}

const final = (position: number, text = 'hello'): StreamEvent =>
  ({ type: 'final', leg: 'a', text, from: 0, position, ms: 1, logProbability: 0 }) as unknown as StreamEvent;

describe('what a call hears', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes on when its leg is another: the last words of the lost one count, and positions go on', () => {
    const { heard, streams, mark, told } = hearing(legOf(4000));
    heard.expect({ kind: 'yes-no' });
    mark('onset', 1000);
    heard.moveTo(legOf(0));
    // Who was cut short has finished where the leg ended.
    expect(streams[0]!.done.slice(-1)).toEqual([['finalise', 4000]]);
    expect(streams[1]!.done).toEqual([
      ['from', 0],
      ['expect', { kind: 'yes-no' }],
    ]);
    streams[0]!.says(final(4000));
    expect(streams[0]!.done.slice(-1)).toEqual([['close']]);
    expect(heard.unrecognised).toBe(false);
    mark('onset', 100);
    mark('offset', 900);
    streams[1]!.says(final(900));
    expect(told()).toEqual(['onset 1000', 'offset 4000', 'final 4000', 'onset 4100', 'offset 4900', 'final 4900']);
    // What belongs to the lost leg is known by then.
    heard.commit(4000 - 1);
    heard.commit(4900);
    expect(streams[1]!.done.slice(-1)).toEqual([['commit', 900]]);
  });

  it('loses its leg while the peer goes on, and what they said before is not known yet', () => {
    const { heard, streams, mark, told } = hearing(legOf(4000));
    mark('onset', 1000);
    mark('offset', 1900);
    mark('onset', 3000);
    streams[0]!.says(final(1900));
    expect(heard.unrecognised).toBe(true);
    heard.moveTo(legOf(0));
    expect(heard.speaking).toBe(false);
    expect(streams[0]!.done.slice(-1)).toEqual([['finalise', 4000]]);
    streams[0]!.says(final(4000));
    expect(streams[0]!.done.slice(-1)).toEqual([['close']]);
    expect(told()).toEqual(['onset 1000', 'offset 1900', 'onset 3000', 'final 1900', 'offset 4000', 'final 4000']);
    expect(heard.unrecognised).toBe(false);
  });

  it('has the words of one turn as one, whatever legs they were said on', () => {
    const { heard, streams, mark, told, words } = hearing(legOf(4000));
    mark('onset', 1000);
    heard.moveTo(legOf(0));
    mark('onset', 100);
    mark('offset', 900);
    streams[1]!.says(final(900, 'my order'));
    streams[0]!.says(final(4000, 'where is'));
    mark('onset', 1500);
    mark('offset', 2000);
    streams[1]!.says(final(2000, 'my order please'));
    expect(words()).toEqual(['4000 my order', '0 where is my order', '0 where is my order please']);
    expect(told().slice(-1)).toEqual(['final 6000']);
    heard.commit(6000);
    streams[1]!.says(final(3000, 'hello'));
    expect(words().slice(-1)).toEqual(['4000 hello']);
  });

  it('waits for the words of every leg that it lost, to their last', () => {
    const { heard, streams, mark, told } = hearing(legOf(4000));
    mark('onset', 1000);
    mark('offset', 1900);
    mark('onset', 3000);
    heard.moveTo(legOf(500));
    mark('onset', 100);
    heard.moveTo(legOf(700));
    heard.moveTo(legOf(0));
    // Nothing was said on the third.
    expect(streams.map(({ done }) => done.at(-1))).toEqual([
      ['finalise', 4000],
      ['finalise', 500],
      ['close'],
      ['from', 0],
    ]);
    streams[0]!.says(final(1900));
    streams[0]!.says(final(4000));
    expect(heard.unrecognised).toBe(true);
    streams[1]!.says(final(500));
    expect(heard.unrecognised).toBe(false);
    expect(streams.slice(0, 2).map(({ done }) => done.at(-1))).toEqual([['close'], ['close']]);
    expect(told().slice(3)).toEqual([
      'offset 4000',
      'onset 4100',
      'offset 4500',
      'final 1900',
      'final 4000',
      'final 4500',
    ]);
  });

  it('waits for the last words of a lost leg no longer than it must', () => {
    const { heard, streams, mark } = hearing(legOf(4000));
    mark('onset', 1000);
    heard.moveTo(legOf(0));
    vi.advanceTimersByTime(6000);
    expect(streams[0]!.done.slice(-1)).toEqual([['close']]);
    heard.close();
    expect(streams[1]!.done.slice(-1)).toEqual([['close']]);
  });

  it('knows nothing of what was said while it did not listen', () => {
    const { heard, streams, mark, told, state } = hearing(legOf(4000));
    heard.hear(false);
    mark('onset', 1000);
    streams[0]!.says(final(2000));
    heard.hear(true);
    expect(streams[1]!.done).toEqual([['from', 4000]]);
    mark('offset', 4100);
    state.deafened = true;
    mark('onset', 4200);
    state.deafened = false;
    mark('offset', 4300);
    expect(told()).toEqual([]);
  });

  it('tells that words come later than usual only while some are waited for', () => {
    const { streams, mark, state } = hearing(legOf(4000));
    const moved = { type: 'moved' } as StreamEvent;
    streams[0]!.says(moved);
    expect(state.delays).toBe(0);
    mark('onset', 1000);
    streams[0]!.says(moved);
    expect(state.delays).toBe(1);
  });
});
