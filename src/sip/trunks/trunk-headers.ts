import { headerValue } from '../../dialplan/variables.js';
import type { HeaderOf } from '../header-of.js';

const TOKEN = /^[A-Za-z0-9!%*_+`'~.-]+$/;
/** Headers that belong to the protocol: nobody may set them by a template. */
const OWN = new Set(
  'via from to call-id cseq contact max-forwards content-type content-length content-disposition route record-route require proxy-require supported allow allow-events session-expires min-se authorization proxy-authorization www-authenticate proxy-authenticate replaces expires rseq rack reason refer-to event i f t m l c v x k e r o u'.split(
    ' ',
  ),
);

/** Whether a header of this name may be read. */
export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/** Whether a header of this name may be set. */
export function mayBeSet(name: string): boolean {
  return isHeaderName(name) && !OWN.has(name.toLowerCase());
}

/** One line of text, no longer than people write: what a header holds, or may hold. */
export function headerText(value: unknown): string {
  return headerValue(String(value ?? ''));
}

/** Variables from headers: those that are there. @param map header to variable */
export function variablesFrom(map: Readonly<Record<string, string>>, header: HeaderOf): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, variable] of Object.entries(map)) {
    const value = header(name);
    if (value !== undefined) variables[variable] = headerText(value);
  }
  return variables;
}

/**
 * Headers from templates: `{{name}}` is a variable. A value that comes out empty leaves its header out; none can bring a line of
 * its own, whatever a caller has said or sent.
 */
export function headersFrom(
  templates: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, template] of Object.entries(templates)) {
    const text = template.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (_, key: string) => {
      const value = Object.hasOwn(variables, key) ? variables[key] : '';
      return typeof value === 'object' ? '' : headerText(value);
    });
    const value = headerText(text);
    if (value !== '') headers[name] = value;
  }
  return headers;
}
