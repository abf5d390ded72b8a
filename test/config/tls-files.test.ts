import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { certificateWarnings } from '../../src/config/tls-files.js';
import { faults, folderWith } from './folder.js';

const folder = folderWith(t);
for (const name of ['a', 'b']) {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/CN=localhost',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    ],
    { cwd: folder, stdio: 'ignore' },
  );
}
writeFileSync(join(folder, 'text.crt'), 'no certificate');

function write(tls: string): string {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, `databases: { m: { url: "postgres://x/y" } }\nlisten: { tls: ${tls} }\n`);
  return file;
}
const shown = (tls: string): readonly string[] => {
  const file = write(tls);
  return faults(folder, () => loadConfig(file, {}));
};

t.test('faults of the files are faults of the configuration', async (t) => {
  t.same(shown('{ cert: a.crt, key: a.key }'), []);
  t.same(shown('{ cert: nix.crt, key: a.key }'), [
    'p.yaml:2:24: the file nix.crt cannot be read (ENOENT). Correct the path or the permissions.',
  ]);
  t.match(shown('{ cert: text.crt, key: a.key }'), [/the file text\.crt holds no PEM certificate/]);
  t.match(shown('{ cert: a.crt, key: b.key }'), [/the private key b\.key does not belong to the certificate a\.crt/]);
  t.match(shown('{ cert: a.crt, key: a.key, ca: nix }'), [/the file nix cannot be read/]);
  t.match(shown('{ cert: a.crt, key: a.key, mode: verify-ca }'), [/mode verify-ca needs listen\.tls\.ca/]);
  t.same(shown('{ cert: nix.crt, key: nix.key, mode: disable }'), [], 'not looked at while TLS is off');
});

t.test('a certificate that ends is told before it does, and after', async (t) => {
  const config = loadConfig(write('{ cert: a.crt, key: a.key }'), {});
  const at = (days: number) => certificateWarnings(config, new Date(Date.now() + days * 86_400_000));
  t.same(at(0), []);
  t.match(at(25), [{ text: /a\.crt expires on \d{4}-\d\d-\d\d\. Renew it soon/, expired: false }]);
  t.match(at(31), [{ text: /a\.crt expired on \d{4}-\d\d-\d\d\. Renew it/, expired: true }]);
  t.match(at(-1), [{ text: /a\.crt is valid only from/, expired: true }]);
});
