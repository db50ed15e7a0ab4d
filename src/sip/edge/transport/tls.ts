/** SIP over TLS (RFC 3261 26.3.1, RFC 5922): what the TCP transport needs to run under it. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, createServer, type PeerCertificate } from 'node:tls';
import { ParleyError, reasonOf } from '../../../errors.js';
import type { Wire } from './transport-tcp.js';

/** Certificates by file, PEM. */
export interface TlsOptions {
  /** Port 0: any free one. */
  readonly port: number;
  /** Own certificate with its chain; also shown to servers that ask for one. */
  readonly cert: string;
  readonly key: string;
  /** Authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Whether a server that is called must prove that it is who it was called as. */
  readonly verify: boolean;
  /** Whether a client that connects must show a certificate that an authority in `ca` signed. */
  readonly verifyClients: boolean;
}

/** Time for a handshake, in ms. */
const HANDSHAKE_MS = 10_000;

/** @throws ParleyError `PARLEY_ERR_EDGE_TLS` when a file can't be read or used */
export function tlsWire(options: TlsOptions): Wire {
  const { verify, verifyClients } = options;
  const ca = options.ca === undefined ? {} : { ca: pem(options.ca) };
  const material = { cert: pem(options.cert), key: pem(options.key), ...ca };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_EDGE_TLS', { file: options.cert, reason: reasonOf(error) }, { cause: error });
  }
  const clients = { requestCert: verifyClients, rejectUnauthorized: verifyClients, handshakeTimeout: HANDSHAKE_MS };
  return {
    protocol: 'tls',
    accepted: 'secureConnection',
    connected: 'secureConnect',
    server: () => createServer({ ...material, ...clients }),
    connect: ({ host, port, name = host }) =>
      connect({
        ...material,
        host,
        port,
        rejectUnauthorized: verify,
        ...(isIP(name) ? {} : { servername: name }),
        checkServerIdentity: (_, certificate) => checkIdentity(name, certificate),
      }),
  };
}

/** RFC 5922 7.1: a SIP URI among the subject's names counts as well as a DNS name. */
function checkIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const uris = (certificate.subjectaltname ?? '').split(', ').map((entry) => entry.toLowerCase());
  return uris.includes(`uri:sip:${name.toLowerCase()}`) ? undefined : checkServerIdentity(name, certificate);
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_EDGE_TLS', { file, reason: reasonOf(error) }, { cause: error });
  }
}
