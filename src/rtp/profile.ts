import { z } from 'zod';
import { CODEC_NAMES, type CodecName } from './negotiated.js';
import type { AudioOptions } from './sdp/sdp.js';
import { SRTP_POLICIES } from './sdp/sdp-security.js';

/** How one side of Parley speaks RTP: `rtp:` of parley.yaml has these keys for all calls, a trunk may have its own. */
export const mediaProfile = z.strictObject({
  codecs: z
    .array(z.enum(CODEC_NAMES))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'must name each codec once')
    .default([...CODEC_NAMES])
    .describe('Codecs that are taken; when Parley offers, in this order.'),
  codecOrder: z
    .enum(['caller', 'own'])
    .default('caller')
    .describe("Whose order of codecs counts when Parley answers: the caller's, or that of `codecs`."),
  opus: z
    .strictObject({
      bitrate: z.int().min(6000).max(64_000).default(32_000).describe('What Opus may take, bit/s.'),
      dtx: z.boolean().default(false).describe('Whether nothing is sent, and wished for, while there is silence.'),
    })
    .prefault({}),
  srtp: z
    .enum(SRTP_POLICIES)
    .default('preferred')
    .describe(
      'Encryption of media (SDES, and DTLS-SRTP when offered). off: only plain RTP. preferred: encrypted when the peer can, ' +
        'offered in a way that peers without it pass over. required: calls without it are refused with 488.',
    ),
  ptime: z
    .int()
    .min(10)
    .max(60)
    .multipleOf(10)
    .default(20)
    .describe('Length of the packets that are offered, ms, and that are sent to peers that wish for none.'),
  inbandDtmf: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('Whether keys are looked for in the sound, too. auto: where telephone-event was not agreed.'),
});

const { codecs, codecOrder, opus, srtp, ptime, inbandDtmf } = mediaProfile.shape;

/** The same key without its default: what is not written there is not otherwise. */
function overriding<T extends z.ZodType>(key: z.ZodDefault<T>) {
  return key
    .unwrap()
    .optional()
    .describe(key.description ?? '');
}

/** What of a media profile a trunk has otherwise: nothing is filled in. */
export const mediaOverrides = z
  .strictObject({
    codecs: overriding(codecs),
    codecOrder: overriding(codecOrder),
    opus: opus.unwrap().optional(),
    srtp: overriding(srtp),
    ptime: overriding(ptime),
    inbandDtmf: overriding(inbandDtmf),
  })
  .prefault({});

/** A media profile as it was read, with all defaults. */
export type MediaProfile = z.infer<typeof mediaProfile>;

/**
 * What offers and answers are made from.
 *
 * @param usable codecs that can be used here; the others are left out
 * @param trunk what is otherwise on one trunk
 */
export function audioOptions(
  profile: MediaProfile,
  usable: readonly CodecName[] = CODEC_NAMES,
  trunk: z.output<typeof mediaOverrides> = {},
): AudioOptions {
  return {
    codecs: (trunk.codecs ?? profile.codecs).filter((name) => usable.includes(name)),
    codecOrder: trunk.codecOrder ?? profile.codecOrder,
    opus: trunk.opus ?? profile.opus,
    srtp: trunk.srtp ?? profile.srtp,
    ptime: trunk.ptime ?? profile.ptime,
    inbandDtmf: trunk.inbandDtmf ?? profile.inbandDtmf,
  };
}
