/*
 * The patterns of a dialplan. All of them match in time linear in the text (times the pattern's length), so that
 * nothing a caller sends can hold up the server.
 */

/** Whether a text fits a compiled pattern. */
export type Matcher = (text: string) => boolean;

type Cell = (character: string) => boolean;

const NUMBER_PATTERN = /^[0-9XZN+*#.![\]-]+$/;
const CLASSES: Readonly<Record<string, Cell>> = {
  X: (c) => c >= '0' && c <= '9',
  Z: (c) => c >= '1' && c <= '9',
  N: (c) => c >= '2' && c <= '9',
};

/**
 * Compiles a number or name. Text of digits and the signs below is a number pattern, as in Asterisk: `X` 0-9, `Z` 1-9,
 * `N` 2-9, `[15-7]` one of these, `.` one or more characters at the end, `!` zero or more at the end. `*` and `#` are
 * the keys. Anything else is a name (`anonymous`, `sales`), compared without regard to case.
 *
 * @throws Error whose message says what is wrong with the pattern
 */
export function compileNumber(pattern: string): Matcher {
  if (!NUMBER_PATTERN.test(pattern)) {
    const name = pattern.toLowerCase();
    return (text) => text.toLowerCase() === name;
  }
  const end = pattern.search(/[.!]/);
  if (end >= 0 && end !== pattern.length - 1) throw new Error(`"${pattern[end]}" may stand only at the end`);
  const cells = compileCells(end >= 0 ? pattern.slice(0, end) : pattern);
  const fits = (text: string): boolean => cells.every((cell, i) => cell(text.charAt(i)));
  if (end < 0) return (text) => text.length === cells.length && fits(text);
  const least = cells.length + (pattern[end] === '.' ? 1 : 0);
  return (text) => text.length >= least && fits(text);
}

function compileCells(pattern: string): Cell[] {
  const cells: Cell[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const sign = pattern.charAt(i);
    if (sign === '[') {
      const close = pattern.indexOf(']', i);
      if (close < i + 2) throw new Error('"[" needs digits and a closing "]", as in [2-5]');
      cells.push(compileSet(pattern.slice(i + 1, close)));
      i = close;
    } else if (sign === ']') {
      throw new Error('"]" has no "[" before it');
    } else {
      cells.push(CLASSES[sign] ?? ((c) => c === sign));
    }
  }
  return cells;
}

function compileSet(text: string): Cell {
  const set = new Set<string>();
  for (let i = 0; i < text.length; i++) {
    const from = text.charAt(i);
    const to = text.charAt(i + 1) === '-' ? text.charAt(i + 2) : from;
    if (!/^[0-9]$/.test(from) || !/^[0-9]$/.test(to) || to < from)
      throw new Error(`"[${text}]" is not a range of digits`);
    for (let digit = Number(from); digit <= Number(to); digit++) set.add(String(digit));
    if (to !== from || text.charAt(i + 1) === '-') i += 2;
  }
  return (c) => set.has(c);
}

/** Compiles a header pattern: `*` any run of characters, `?` any one; the whole value must fit, case is ignored. */
export function compileWildcard(pattern: string): Matcher {
  const wanted = pattern.toLowerCase();
  return (text) => matchWildcard(wanted, text.toLowerCase());
}

/** Remembers only the last `*`: an earlier one never needs to take more, so there is no exponential search. */
function matchWildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const sign = pattern.charAt(p);
    if (sign === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (sign === '?' || sign === text.charAt(t))) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern.charAt(p) === '*') p++;
  return p === pattern.length;
}
