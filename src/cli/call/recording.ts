import wavefile from 'wavefile';

/** A piece of sound and when its first sample went or came, `monotonicMs()`. */
export interface TimedSound {
  at: number;
  pcm: Int16Array;
}

/** Pieces that are this late or early on where the last one ended, ms, begin where their time says. */
const TOLERANCE_MS = 100;

/**
 * Both sides of a call in one WAV file: the caller left, the agent right, each at the time it was on the wire.
 *
 * @param from begin of the recording, `monotonicMs()`
 */
export function stereoWav(
  sides: { caller: readonly TimedSound[]; agent: readonly TimedSound[] },
  from: number,
  sampleRate: number,
): Uint8Array {
  const caller = place(sides.caller, from, sampleRate);
  const agent = place(sides.agent, from, sampleRate);
  const length = Math.max(caller.length, agent.length);
  const channels = [caller, agent].map((side) => {
    const padded = new Int16Array(length);
    padded.set(side);
    return padded;
  });
  const wav = new wavefile.WaveFile();
  wav.fromScratch(2, sampleRate, '16', channels);
  return wav.toBuffer();
}

function place(sounds: readonly TimedSound[], from: number, sampleRate: number): Int16Array {
  const placed: { start: number; pcm: Int16Array }[] = [];
  let end = 0;
  for (const { at, pcm } of sounds) {
    const due = Math.round(((at - from) * sampleRate) / 1000);
    // Packets jitter, sound does not: what comes about when it should goes on where the last piece ended.
    const start = Math.abs(due - end) > (TOLERANCE_MS * sampleRate) / 1000 ? Math.max(0, due, end) : end;
    placed.push({ start, pcm });
    end = start + pcm.length;
  }
  const track = new Int16Array(end);
  for (const { start, pcm } of placed) track.set(pcm, start);
  return track;
}
