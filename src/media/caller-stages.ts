import type { PcmRate } from '../rtp/negotiated.js';
import type { EchoEvidence } from './detection.js';
import { DtmfDetector } from './dtmf/detector.js';
import { EchoControl } from './echo/echo-control.js';
import type { EstimateBudget } from './echo/estimate-budget.js';
import type { EchoConfig } from './echo-config.js';
import { GainControl } from './gain-control.js';
import type { ListeningStage } from './listening.js';
import { NoiseSuppressor } from './noise-suppressor.js';

/**
 * What is done to the caller's audio between the decoder and those who listen: keys that sound in it are reported and
 * silenced, the agent's echo is taken out, noise is turned down, a quiet voice is raised.
 */
export class CallerStages implements ListeningStage, EchoEvidence {
  /** Whether keys are looked for in the sound. */
  inband = false;
  private readonly keys: DtmfDetector;
  private readonly echo: EchoControl | undefined;
  private readonly noise: NoiseSuppressor | undefined;
  private readonly gain: GainControl | undefined;

  /**
   * @param key told of each key that sounded: how long, ms
   * @param budget of the thread for looking for echoes
   */
  constructor(
    sampleRate: PcmRate,
    config: EchoConfig,
    key: (digit: string, durationMs: number) => void,
    budget?: EstimateBudget,
  ) {
    this.keys = new DtmfDetector(sampleRate, (digit, _start, durationMs) => key(digit, durationMs), true);
    if (config.echo === 'on') this.echo = new EchoControl(sampleRate, budget);
    if (config.noise === 'on') this.noise = new NoiseSuppressor(sampleRate);
    if (config.gain === 'on') this.gain = new GainControl(sampleRate);
  }

  /** What goes to the caller, silence included, as it is sent: what an echo is compared with. */
  played(frame: Int16Array): void {
    this.echo?.played(frame);
  }

  process(pcm: Int16Array, samples: number, position: number): void {
    if (this.inband) this.keys.process(pcm, samples, position);
    this.echo?.process(pcm, samples);
    this.noise?.process(pcm, samples);
    this.gain?.process(pcm, samples);
  }

  skip(samples: number): void {
    if (this.inband) this.keys.skip(samples);
    this.echo?.skip(samples);
  }

  likelihood(from: number, to: number): number {
    return this.echo?.likelihood(from, to) ?? 0;
  }
}
