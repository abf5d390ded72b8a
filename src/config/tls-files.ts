import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from './config.js';

export interface PemFiles {
  readonly cert: string | null;
  readonly key: string | null;
  readonly ca: string | null;
}

/**
 * Faults of the files of one end of TLS that make it impossible: a file that is missing, cannot be read, is not PEM,
 * or a key that does not belong to the certificate. Each as [key, 'what. What to do'].
 */
export function pemFaults(files: PemFiles): readonly (readonly [keyof PemFiles, string])[] {
  const faults: (readonly [keyof PemFiles, string])[] = [];
  const read = <T>(key: keyof PemFiles, file: string | null, parse: (pem: Buffer) => T): T | null => {
    if (file === null) return null;
    let pem: Buffer;
    try {
      pem = readFileSync(file);
    } catch (cause) {
      faults.push([key, `the file ${file} cannot be read (${reason(cause)}). Correct the path or the permissions`]);
      return null;
    }
    try {
      return parse(pem);
    } catch {
      faults.push([
        key,
        `the file ${file} holds no PEM ${key === 'key' ? 'private key' : 'certificate'}. Use one without a passphrase`,
      ]);
      return null;
    }
  };
  const cert = read('cert', files.cert, (pem) => new X509Certificate(pem));
  const key = read('key', files.key, (pem) => createPrivateKey(pem));
  read('ca', files.ca, (pem) => new X509Certificate(pem));
  if (cert !== null && key !== null && !cert.checkPrivateKey(key)) {
    faults.push(['key', `the private key ${files.key} does not belong to the certificate ${files.cert}. Use the pair`]);
  }
  return faults;
}

/**
 * Certificates that are expired or not yet valid, in sentences; those that end within `days` too. The proxy still
 * serves with them, as Postgres does (clients that do not verify go on working); `pgfig check` says no.
 */
export function certificateWarnings(
  config: Config,
  now: Date = new Date(),
  days = 14,
): readonly { readonly text: string; readonly expired: boolean }[] {
  const files = new Set<string>();
  if (config.listen.tls !== null && config.listen.tls.mode !== 'disable') {
    files.add(config.listen.tls.cert);
    if (config.listen.tls.ca !== null) files.add(config.listen.tls.ca);
  }
  for (const database of config.databases.values()) {
    for (const file of [database.sslcert, database.sslrootcert]) if (file !== null) files.add(file);
  }
  for (const file of [config.kafka?.ssl?.cert, config.kafka?.ssl?.ca]) if (file) files.add(file);
  const warnings: { text: string; expired: boolean }[] = [];
  for (const file of files) {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(readFileSync(file));
    } catch {
      continue;
    }
    const ends = new Date(certificate.validTo);
    const begins = new Date(certificate.validFrom);
    if (ends < now) warnings.push({ text: `certificate ${file} expired on ${day(ends)}. Renew it`, expired: true });
    else if (begins > now)
      warnings.push({ text: `certificate ${file} is valid only from ${day(begins)}`, expired: true });
    else if (ends.getTime() - now.getTime() < days * 86_400_000) {
      warnings.push({ text: `certificate ${file} expires on ${day(ends)}. Renew it soon`, expired: false });
    }
  }
  return warnings;
}

const day = (date: Date): string => date.toISOString().slice(0, 10);

function reason(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
