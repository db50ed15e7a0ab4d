/** History-Info (RFC 7044): every target that the request had, in the order of their indexes. */
import { type Party, parties, unescaped } from './address.js';

/** One target that the request had. */
export interface HistoryEntry extends Party {
  /** `1`, `1.1`, `1.2.1`: where in the tree of retargetings; empty when malformed. */
  readonly index: string;
  /** Why the request went on from it: the Reason header within the URI (RFC 7044 5.2), e.g. `SIP;cause=486`. */
  readonly reason: string | undefined;
  /** Index of the entry that this came of: `rc` (the same user), `mp` (another), `np` (not changed). */
  readonly from: { readonly how: 'rc' | 'mp' | 'np'; readonly index: string } | undefined;
}

/** The entries that can be read, by index: proxies may mix up lines. */
export function parseHistoryInfo(value: string): HistoryEntry[] {
  return parties(value)
    .map(({ params, ...party }): HistoryEntry => {
      const index = params.get('index') ?? '';
      const how = (['rc', 'mp', 'np'] as const).find((name) => params.has(name));
      return {
        ...party,
        params,
        index: isIndex(index) ? index : '',
        reason: reasonIn(party.uri),
        from: how && { how, index: params.get(how) ?? '' },
      };
    })
    .sort((a, b) => compare(a.index, b.index));
}

function isIndex(text: string): boolean {
  return text.length <= 128 && text.split('.').every((part) => /^\d{1,9}$/.test(part));
}

function compare(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function reasonIn(uri: string): string | undefined {
  const question = uri.indexOf('?');
  if (question < 0) return undefined;
  const header = uri
    .slice(question + 1)
    .split('&')
    .find((one) => /^reason=/i.test(one));
  return header && unescaped(header.slice('reason='.length));
}
