import type { CodecName } from '../rtp/negotiated.js';

/** What one codec costs (ITU-T G.113): its impairment, its robustness to loss, and where its scale ends. */
interface Impairment {
  /** Ie */
  codec: number;
  /** Bpl, with concealment */
  robustness: number;
  /** R without any impairment: 93.2 on the narrowband scale of G.107, 129 on the wideband one of G.107.1. */
  best: number;
}

const NARROW: Impairment = { codec: 0, robustness: 25.1, best: 93.2 };
/** Those of Opus are our estimate: G.113 has none. */
const IMPAIRMENTS: Readonly<Record<CodecName, Impairment>> = {
  PCMU: NARROW,
  PCMA: NARROW,
  G722: { codec: 13, robustness: 4.9, best: 129 },
  opus: { codec: 10, robustness: 10, best: 129 },
};
const WIDEBAND_BEST = 129;
/** R from wideband to the scale that MOS is defined on (G.107.1, Annex A). */
const WIDEBAND_SCALE = 1.29;

/** What was measured of one direction. */
export interface QualityMeasures {
  direction: 'received' | 'sent';
  codec: CodecName;
  packets: number;
  lostPackets: number;
  /** BurstR: 1 for random loss. */
  burstRatio: number;
  jitterMs: number;
  /** undefined when the peer sends no RTCP. */
  roundTripMs: number | undefined;
  /** In buffers and packets, on top of the network, ms. */
  bufferMs: number;
}

/** How good one direction was. */
export interface QualityReport extends QualityMeasures {
  lossPercent: number;
  /** Transmission rating, 0 to 100. */
  r: number;
  /** Estimated mean opinion score, 1 to 4.5. */
  mos: number;
}

/** Estimates the quality of one direction by the E-model (ITU-T G.107), with echo and levels taken as good. */
export function assessQuality(measures: QualityMeasures): QualityReport {
  const { codec, robustness, best } = IMPAIRMENTS[measures.codec];
  const expected = measures.packets + measures.lostPackets;
  const lossPercent = expected > 0 ? (100 * Math.max(0, measures.lostPackets)) / expected : 0;
  const most = best === WIDEBAND_BEST ? best : 95;
  const burst = Math.max(1, measures.burstRatio);
  const equipment = codec + ((most - codec) * lossPercent) / (lossPercent / burst + robustness);
  const delay = delayImpairment((measures.roundTripMs ?? 0) / 2 + measures.bufferMs);
  const scale = best === WIDEBAND_BEST ? WIDEBAND_SCALE : 1;
  const r = Math.max(0, Math.min(100, (best - equipment - delay) / scale));
  return { ...measures, lossPercent, r, mos: mosOf(r) };
}

/** Idd of G.107, 3.5: nothing up to 100 ms one way. */
function delayImpairment(ms: number): number {
  if (ms <= 100) return 0;
  const x = Math.log2(ms / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** G.107, Annex B. */
function mosOf(r: number): number {
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
