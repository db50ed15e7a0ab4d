import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { mediaProfile } from './profile.js';

const address = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');

const writtenRange = z
  .string()
  .regex(/^\d{1,5}\s*-\s*\d{1,5}$/, 'must be two port numbers, e.g. 20000-29999')
  .transform((text) => {
    const [from, to] = text.split('-').map(Number);
    return { from: from ?? 0, to: to ?? 0 };
  });

/** `20000-29999` as numbers. A range already read passes, too: the environment is laid over a validated configuration. */
const portRange = z
  .union([
    writtenRange,
    z.strictObject({ from: z.int().describe('The lowest.'), to: z.int().describe('The highest.') }),
  ])
  .refine(
    ({ from, to }) => from >= 1024 && to <= 65_535 && from + 1 <= to,
    'must lie within 1024-65535, lower one first',
  );

/** `rtp:` of parley.yaml. */
export const rtpConfig = z.strictObject({
  bind: address.default('127.0.0.1').describe('Local address that RTP is bound to.'),
  address: address
    .optional()
    .describe('Address told to peers in SDP when it differs from bind: behind NAT, or when bind is 0.0.0.0.'),
  ports: portRange
    .default({ from: 20_000, to: 29_999 })
    .describe('Ports of RTP (even) and RTCP (the odd one above): two for each call.'),
  ...mediaProfile.shape,
  workers: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Media worker threads; what one carries: see docs/reference/performance.md.'),
});

/** The address for SDP: the configured one, the bound one, or when bound to all the first of an outer interface. */
export function advertisedAddress(bind: string, configured?: string): string {
  if (configured !== undefined) return configured;
  if (bind !== '0.0.0.0' && bind !== '::') return bind;
  const family = bind === '::' ? 'IPv6' : 'IPv4';
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((candidate) => !candidate.internal && candidate.family === family);
  return outer?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}
