/** Values by name: context variables, collected entities, results of actions. */
export type Variables = Readonly<Record<string, unknown>>;

/** The value at a dotted path such as `order.items.0.name`; undefined where the path ends early. */
export function valueAt(variables: Variables, path: string): unknown {
  let value: unknown = variables;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** A path's first name: the variable it starts from. */
export function rootOf(path: string): string {
  return path.split('.', 1)[0] ?? path;
}

/** Whether a value is there: not missing, not empty text, not an empty list. */
export function isPresent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '' && value !== false;
}
