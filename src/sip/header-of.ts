/** A message's headers, by name; `undefined` when it has none such. */
export type HeaderOf = (name: string) => string | undefined;

/** The headers of a message of drachtio-srf. */
export function headersOf(message: { has(name: string): boolean; get(name: string): string }): HeaderOf {
  return (name) => (message.has(name) ? message.get(name) : undefined);
}
