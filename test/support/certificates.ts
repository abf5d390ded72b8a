import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate authority in a folder, as `ca.crt` and `ca.key`, made with openssl. */
export class TestAuthority {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      '30',
      '-subj',
      '/CN=test ca',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    );
  }

  /** Makes `NAME.crt` and `NAME.key` for a common name; good for 127.0.0.1 and localhost as a server. */
  issue(name: string, commonName: string): { readonly cert: string; readonly key: string } {
    writeFileSync(path.join(this.folder, 'ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    this.#openssl('req', ...NEW_KEY, '-subj', `/CN=${commonName}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const sign = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    this.#openssl(...sign, '-days', '30', '-extfile', 'ext', '-out', `${name}.crt`);
    return { cert: this.path(`${name}.crt`), key: this.path(`${name}.key`) };
  }

  path(file: string): string {
    return path.join(this.folder, file);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'ignore' });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
