import { isPresent, rootOf, type Variables, valueAt } from './paths.js';

/** A compiled `when:`. */
export interface Condition {
  readonly source: string;
  /** Names of the variables it looks at. */
  readonly roots: readonly string[];
  test(variables: Variables): boolean;
}

type Evaluate = (variables: Variables) => unknown;

const TOKEN = /\s*(?:(==|!=|<=|>=|<|>|\(|\))|('[^']*'|"[^"]*")|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.-]*))/y;
const OPERATORS: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => compare(left, right, (order) => order < 0),
  '<=': (left, right) => compare(left, right, (order) => order <= 0),
  '>': (left, right) => compare(left, right, (order) => order > 0),
  '>=': (left, right) => compare(left, right, (order) => order >= 0),
};

/**
 * Compiles a condition: paths, text in quotes, numbers, `true`, `false`, `null`; `== != < <= > >=`, `and`, `or`, `not`
 * and parentheses. A path alone asks whether the value is there. It can only look at variables: nothing is called.
 *
 * @throws Error whose message says what is wrong with it
 * @example compileCondition("order.found and order.status == 'shipped'").test({ order })
 */
export function compileCondition(source: string): Condition {
  const parser = new Parser(tokenise(source));
  const evaluate = parser.parse();
  return { source, roots: parser.roots, test: (variables) => isPresent(evaluate(variables)) };
}

function compare(left: unknown, right: unknown, holds: (order: number) => boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return holds(left - right);
  if (typeof left === 'string' && typeof right === 'string') return holds(left < right ? -1 : left > right ? 1 : 0);
  return false;
}

function tokenise(source: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (source.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) throw new Error(`cannot read "${source.slice(at).trim()}"`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

class Parser {
  readonly roots: string[] = [];
  #at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  parse(): Evaluate {
    const evaluate = this.#or();
    const rest = this.tokens[this.#at];
    if (rest !== undefined) throw new Error(rest === '=' ? 'write "==" to compare' : `unexpected "${rest}"`);
    return evaluate;
  }

  #or(): Evaluate {
    let left = this.#and();
    while (this.#take('or')) left = either(left, this.#and());
    return left;
  }

  #and(): Evaluate {
    let left = this.#not();
    while (this.#take('and')) left = both(left, this.#not());
    return left;
  }

  #not(): Evaluate {
    if (!this.#take('not')) return this.#comparison();
    const inner = this.#not();
    return (variables) => !isPresent(inner(variables));
  }

  #comparison(): Evaluate {
    const left = this.#operand();
    const operator = OPERATORS[this.tokens[this.#at] ?? ''];
    if (!operator) return left;
    this.#at++;
    const right = this.#operand();
    return (variables) => operator(left(variables), right(variables));
  }

  #operand(): Evaluate {
    if (this.#take('(')) {
      const inner = this.#or();
      if (!this.#take(')')) throw new Error('")" is missing');
      return inner;
    }
    const token = this.tokens[this.#at++];
    if (token === undefined) throw new Error('it ends too early');
    if (/^['"]/.test(token)) return constant(token.slice(1, -1));
    if (/^-?\d/.test(token)) return constant(Number(token));
    if (token === 'true' || token === 'false') return constant(token === 'true');
    if (token === 'null') return constant(null);
    if (!/^[A-Za-z_]/.test(token) || ['and', 'or', 'not'].includes(token)) throw new Error(`unexpected "${token}"`);
    this.roots.push(rootOf(token));
    return (variables) => valueAt(variables, token) ?? null;
  }

  #take(token: string): boolean {
    if (this.tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

function constant(value: unknown): Evaluate {
  return () => value;
}

function either(left: Evaluate, right: Evaluate): Evaluate {
  return (variables) => isPresent(left(variables)) || isPresent(right(variables));
}

function both(left: Evaluate, right: Evaluate): Evaluate {
  return (variables) => isPresent(left(variables)) && isPresent(right(variables));
}
