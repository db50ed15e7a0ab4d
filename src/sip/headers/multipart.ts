/** Bodies of several parts (RFC 2046 5.1, in SIP RFC 5621): a session description with what else the sender knows. */

/** One part of a body. */
export interface BodyPart {
  /** In lower case, without parameters, e.g. `application/json`. */
  readonly type: string;
  /** As written, with parameters. */
  readonly contentType: string;
  readonly body: string;
}

/** Most parts that are read. */
const PARTS_MAX = 16;

/** The parts of a body; one part when it is not of several. Parts without a type are `text/plain`. */
export function partsOf(contentType: string, body: string): BodyPart[] {
  const type = typeOf(contentType);
  if (!type.startsWith('multipart/')) return body === '' ? [] : [{ type, contentType: contentType.trim(), body }];
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) return [];
  const parts: BodyPart[] = [];
  const [, ...pieces] = `\r\n${body}`.split(`\r\n--${boundary}`);
  for (const piece of pieces) {
    if (piece.startsWith('--') || parts.length === PARTS_MAX) break;
    const part = partOf(piece);
    if (part) parts.push(part);
  }
  return parts;
}

/** A media type in lower case, without its parameters. */
export function typeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function boundaryOf(contentType: string): string | undefined {
  const found = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return found?.[1] ?? found?.[2];
}

/** What stands between two boundaries: the rest of the boundary's line, header lines, a blank line, the body. */
function partOf(piece: string): BodyPart | undefined {
  const lineEnd = piece.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const rest = piece.slice(lineEnd);
  const end = rest.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headers = rest.slice(0, end).split(/\r\n(?![ \t])/);
  const written = headers.find((line) => /^content-type[ \t]*:/i.test(line));
  const contentType = written?.slice(written.indexOf(':') + 1).trim() ?? 'text/plain';
  return { type: typeOf(contentType), contentType, body: rest.slice(end + 4) };
}
