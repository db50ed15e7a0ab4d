import { z } from 'zod';
import { isNetwork } from './networks.js';
import { usersConfig } from './registrar/users.js';

const networks = z
  .array(z.string().refine(isNetwork, 'must be a network, e.g. 203.0.113.0/24, or an address'))
  .default(['127.0.0.0/8', '::1/128']);

/** `sip:` of parley.yaml. */
export const sipConfig = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('Address that the embedded edge listens on, UDP and TCP; `::` is IPv6 and IPv4.'),
  port: z.number().int().min(0).max(65535).default(5060).describe('Port for UDP and TCP; 0 picks a free one.'),
  externalAddress: z.string().optional().describe('Address that peers reach, put into Contact and Via behind NAT.'),
  allowedNetworks: networks.describe(
    'CIDR blocks that may send SIP, besides the addresses of trunks; any other source gets no answer at all, or 403 by way of a drachtio-server.',
  ),
  limits: z
    .strictObject({
      requestsPerSecond: z
        .number()
        .int()
        .min(1)
        .default(100)
        .describe('New requests per second that one source may send; five times as many at once after a pause.'),
      exemptNetworks: networks.describe('CIDR blocks to which this and the look-out for scanners do not apply.'),
    })
    .prefault({}),
  tls: z
    .strictObject({
      port: z.number().int().min(0).max(65535).default(5061).describe('Port for TLS; 0 picks a free one.'),
      cert: z.string().describe('PEM file of the own certificate, with its chain.'),
      key: z.string().describe('PEM file of its private key.'),
      ca: z.string().optional().describe("PEM file of the authorities to trust instead of the system's."),
      verify: z.boolean().default(true).describe('Whether a server that is called by TLS must prove who it is.'),
      verifyClients: z
        .boolean()
        .default(false)
        .describe('Whether a client that connects by TLS must show a certificate of an authority in `ca`.'),
    })
    .optional()
    .describe('SIP over TLS and sips: URIs; without it neither is taken.'),
  realm: z
    .string()
    .regex(/^[^"\\\r\n]{1,100}$/)
    .default('parley')
    .describe('What users log in to; it is part of a `ha1`.'),
  users: usersConfig.describe('Phones that may register and be dialled by their name.'),
  authenticate: z
    .enum(['off', 'users', 'all'])
    .default('users')
    .describe(
      "Whose calls must show a password: nobody's, those that say to be from a user, or all but those of trunks.",
    ),
  registrar: z
    .strictObject({
      minExpires: z.number().int().min(1).max(3600).default(60).describe('Shortest registration, s.'),
      maxExpires: z.number().int().min(60).max(86_400).default(3600).describe('Longest registration, s.'),
      maxBindings: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe('Phones that one user may register at a time.'),
    })
    .prefault({}),
  trace: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Whether the SIP messages of each call are kept with it, for `parley calls ladder`.'),
      messages: z
        .number()
        .int()
        .min(50)
        .max(5000)
        .default(400)
        .describe('Most messages of one call; beyond them its beginning and its end are kept.'),
      maskedHeaders: z
        .array(z.string().regex(/^[A-Za-z0-9!%'`_~.-]+\*?$/, 'is a header name, or its beginning and *'))
        .default(['User-to-User', 'X-*'])
        .describe(
          'Headers whose values are not kept, besides credentials; `*` at the end stands for all that begin so.',
        ),
    })
    .prefault({}),
  dnsServers: z
    .array(z.string())
    .optional()
    .describe("Name servers to ask instead of the system's, ADDRESS or ADDRESS:PORT."),
  sessionTimer: z
    .strictObject({
      expires: z
        .number()
        .int()
        .min(90)
        .max(86_400)
        .default(1800)
        .describe('Longest that a call goes on without a sign that the other side is still there (RFC 4028), s.'),
      min: z.number().int().min(90).max(86_400).default(90).describe('Shortest that a peer may ask for, s.'),
    })
    .refine(({ expires, min }) => min <= expires, { path: ['min'], message: 'must not be longer than expires' })
    .prefault({}),
  drachtio: z
    .strictObject({
      host: z.string().optional().describe('A drachtio-server to use instead of the embedded edge.'),
      port: z.number().int().min(1).max(65535).default(9022).describe('Its admin port.'),
      secret: z.string().default('cymru').describe('Its admin secret.'),
    })
    .prefault({}),
});

/** Validated `sip:` configuration. */
export type SipConfig = z.infer<typeof sipConfig>;
