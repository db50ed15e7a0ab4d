import { ATTRIBUTE, BINDING, parseStun, type StunMessage, writeStun, xorMappedAddress } from './stun.js';

/** What both sides of an ICE session know each other by (RFC 8839, 5.4). */
export interface IceCredentials {
  ufrag: string;
  pwd: string;
}

/** ICE of one media line, as agreed in SDP. */
export interface IceSession {
  local: IceCredentials;
  remote: IceCredentials;
  /** Whether the peer is lite, too: then nobody checks, and media goes where SDP says (RFC 8445, 6.1.1). */
  remoteLite: boolean;
}

/** What a STUN message asks for. */
export interface IceAnswer {
  /** The response, to where the request came from. */
  response: Buffer;
  /** A check of the peer's that holds: media may come from there. */
  valid: boolean;
  /** The peer nominates this pair: media goes there from now on. */
  nominated: boolean;
}

/** Below this, an attribute that is not known must not be passed over (RFC 8489, 14). */
const OPTIONAL_ATTRIBUTES = 0x8000;
const KNOWN: ReadonlySet<number> = new Set(Object.values(ATTRIBUTE));

/**
 * ICE-lite (RFC 8445, 2.5): answers the connectivity checks of a full agent, and makes none. It is always the
 * controlled side.
 *
 * @returns undefined for what is no Binding request: nothing is answered
 */
export function answerCheck(bytes: Buffer, session: IceSession, address: string, port: number): IceAnswer | undefined {
  const request = parseStun(bytes);
  if (request?.type !== BINDING.request) return undefined;
  const refusal = refuse(request, session);
  if (refusal) return { response: refusal, valid: false, nominated: false };
  const mapped = xorMappedAddress(address, port, request.transaction);
  const response = writeStun(
    BINDING.success,
    request.transaction,
    [[ATTRIBUTE.xorMappedAddress, mapped]],
    session.local.pwd,
  );
  return { response, valid: true, nominated: request.attributes.has(ATTRIBUTE.useCandidate) };
}

/** An error response, when one is due (RFC 8489, 9.1.3 and 6.3.1; RFC 8445, 7.3.1.1). */
function refuse({ attributes, transaction, hasIntegrity }: StunMessage, session: IceSession): Buffer | undefined {
  const { ufrag, pwd } = session.local;
  const username = attributes.get(ATTRIBUTE.username)?.toString('utf8');
  if (username === undefined || !attributes.has(ATTRIBUTE.integrity)) return error(transaction, 400, 'Bad Request');
  if (!username.startsWith(`${ufrag}:`) || !hasIntegrity(pwd)) return error(transaction, 401, 'Unauthenticated');
  const unknown = [...attributes.keys()].filter((type) => type < OPTIONAL_ATTRIBUTES && !KNOWN.has(type));
  if (unknown.length > 0) return error(transaction, 420, 'Unknown Attribute', unknown, pwd);
  // With a lite peer nobody has the role that this claims we have.
  if (attributes.has(ATTRIBUTE.controlled) && !session.remoteLite) {
    return error(transaction, 487, 'Role Conflict', [], pwd);
  }
  return undefined;
}

function error(transaction: Buffer, code: number, reason: string, unknown: number[] = [], pwd?: string): Buffer {
  const value = Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from(reason)]);
  const types = Buffer.alloc(unknown.length * 2);
  for (const [n, type] of unknown.entries()) types.writeUInt16BE(type, n * 2);
  const attributes: [number, Buffer][] = [[ATTRIBUTE.errorCode, value]];
  if (unknown.length > 0) attributes.push([ATTRIBUTE.unknown, types]);
  return writeStun(BINDING.error, transaction, attributes, pwd);
}
