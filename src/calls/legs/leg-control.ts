import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { RecordOptions } from '../../workers/messages.js';
import type { MediaControl } from './media-control.js';

/**
 * What of a call's media is controlled besides the talk, carried out by its leg.
 *
 * @param leg the present one
 * @param recording where and how recordings are made
 */
export function legControl(leg: () => MediaLeg, recording: Omit<RecordOptions, 'call'>): MediaControl {
  return {
    music(on) {
      // What the agent was saying waits: its voice goes on when the hold ends.
      if (on) leg().hold();
      leg().sound(on ? 'music' : undefined);
    },
    keys: (keys, method) => leg().digits(keys, method),
    record(action, withBeep = false) {
      const { beep, ...made } = recording;
      if (action === 'start') leg().record({ ...made, call: leg().call, beep: withBeep ? beep : undefined });
      else leg().pauseRecording(action === 'pause');
    },
  };
}
