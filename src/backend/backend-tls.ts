import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import type { DatabaseConfig } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';

/**
 * TLS options for a backend by libpq's sslmode (libpq, 34.19.3): `require` and weaker encrypt without
 * looking at the certificate, `verify-ca` checks its chain, `verify-full` also the host's name.
 * @throws PgfigError FILE_UNREADABLE
 */
export function backendTlsOptions(database: DatabaseConfig): tls.ConnectionOptions {
  const verifies = database.sslmode === 'verify-ca' || database.sslmode === 'verify-full';
  const options: tls.ConnectionOptions = {
    // A root certificate that is given makes `require` check the chain too, as in libpq.
    rejectUnauthorized: verifies || database.sslrootcert !== null,
    ALPNProtocols: ['postgresql'],
  };
  if (net.isIP(database.host) === 0) options.servername = database.host;
  if (database.sslrootcert !== null) options.ca = read(database.sslrootcert);
  if (database.sslcert !== null) options.cert = read(database.sslcert);
  if (database.sslkey !== null) options.key = read(database.sslkey);
  if (database.sslmode !== 'verify-full') options.checkServerIdentity = () => undefined;
  else options.checkServerIdentity = (_host, certificate) => tls.checkServerIdentity(database.host, certificate);
  return options;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PgfigError('FILE_UNREADABLE', `cannot read ${file}`, { cause });
  }
}
