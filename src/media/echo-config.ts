import { z } from 'zod';

const onOff = z.enum(['on', 'off']);

/** What is done to the caller's audio before it is detected and recognised: `listening:` of parley.yaml. */
export const echoConfig = z.strictObject({
  echo: onOff
    .default('on')
    .describe("Whether the agent's own voice is taken out of what the caller's line brings back (up to 580 ms late)."),
  noise: onOff
    .default('off')
    .describe("Whether steady noise of the caller's surroundings is turned down, by at most 12 dB."),
  gain: onOff.default('off').describe('Whether quiet callers are raised, slowly and by at most 18 dB.'),
});

export type EchoConfig = z.infer<typeof echoConfig>;
