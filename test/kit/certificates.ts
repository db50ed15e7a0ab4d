import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** PEM files of an authority, and of a certificate that it signed. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority and a certificate for these names by openssl, good for a day. @param folder that is there */
export function makeCertificates(folder: string, names: readonly string[]): Certificates {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem'];
  openssl('req', '-x509', '-days', '1', ...key, ...authority);
  const subject = ['-subj', '/CN=Test', '-addext', `subjectAltName=${names.join(',')}`];
  const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-keyout', 'own.key', '-out', 'own.pem'];
  openssl('req', '-x509', '-days', '1', ...key, ...subject, ...signer);
  return { ca: file('ca.pem'), cert: file('own.pem'), key: file('own.key') };
}
