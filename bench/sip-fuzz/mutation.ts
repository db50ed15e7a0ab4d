import fc from 'fast-check';

/** One change to a message: where, as a share of its length, how much of it, and with what. */
export interface Mutation {
  readonly kind: 'delete' | 'insert' | 'repeat' | 'replace' | 'swap' | 'truncate' | 'splice' | 'flip';
  readonly at: number;
  readonly size: number;
  readonly text: string;
}

/** Longest message the edge looks at, and a little more. */
const LENGTH_MAX = 70_000;

const WORDS = [
  ...['"', '<', '>', ';', ',', '\\', '=', '@', ':', '/', '?', '[', ']', '%00', '%', '*', '|', '#', ' ', '\t', '\0'],
  ...['\r\n', '\r\n ', '\r\n\r\n', '\n', '\r', ';;', ',,', '=""', '<>', '""', '::', 'sip:', 'SIP/2.0', 'z9hG4bK'],
  ...['-1', '0', '65536', '2147483648', '4294967296', '36893488147419103232', '1e9', 'NaN', '\xff\xfe', '\xc3\xa9'],
  ...['\r\nVia: SIP/2.0/UDP h', '\r\nTo: <sip:a>', '\r\nContent-Length: 9', '\r\nl: -1', '\r\nContact: <', '\r\nX:'],
  ...['m=audio', 'a=rtpmap:', 'c=IN IP6 ', '\r\nm=', '\r\na=', 'RTP/AVP', '/8000/', '%n%s', '__proto__', 'constructor'],
];

const share = fc.double({ min: 0, max: 1, noNaN: true });

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('delete', 'insert', 'repeat', 'replace', 'swap', 'truncate', 'splice', 'flip'),
  at: share,
  // Mostly small, sometimes as large as it goes.
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: LENGTH_MAX }) },
  ),
  text: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...WORDS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  ),
});

/** A message of the corpus with a few mutations. */
export function mutated(corpus: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...corpus), fc.constantFrom(...corpus), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([text, other, mutations]) => mutations.reduce((so, one) => apply(so, one, other), text));
}

function apply(text: string, { kind, at, size, text: word }: Mutation, other: string): string {
  const start = Math.floor(at * text.length);
  const end = Math.min(text.length, start + size);
  const [before, piece, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  const changed = {
    delete: () => before + after,
    insert: () => before + word + piece + after,
    repeat: () => before + word.repeat(Math.ceil(size / Math.max(1, word.length))) + piece + after,
    replace: () => before + word + after,
    swap: () => before + [...piece].reverse().join('') + after,
    truncate: () => before,
    splice: () => before + other.slice(Math.floor(at * other.length)),
    flip: () => before + String.fromCharCode(text.charCodeAt(start) ^ (1 << (size % 8))) + text.slice(start + 1),
  }[kind]();
  return changed.slice(0, LENGTH_MAX);
}
