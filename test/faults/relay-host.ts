import { loadConfig } from '../../src/config/load.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { mirrorOf } from '../../src/mirror/mirror.js';
import { DomainRelay } from '../../src/mirror/relay/domain-relay.js';
import { loadRules } from '../../src/rules/load.js';

/**
 * The relay of one domain in a process of its own, without the rest of a control process: `node relay-host.js
 * pgfig.yaml DOMAIN [install]`. With `install` it installs and ends.
 */
const [file = '', domain = '', command] = process.argv.slice(2);
const config = loadConfig(file);
const rules = loadRules(config.rules, {
  databases: [...config.databases.keys()],
  default: config.default,
  version: 1,
});
const found = rules.domains.find(({ name }) => name === domain);
const mirror = found === undefined ? null : mirrorOf(found, config.default);
if (mirror === null) throw new Error(`domain ${domain} is not mirrored`);

/** Chunks are small, so that much happens between them. */
const CHUNK_ROWS = 700;
const RETRY_MS = 100;

/** Copies every table that has not been copied, two at once, again and again until all are. */
async function backfillAll(relay: DomainRelay): Promise<void> {
  for (;;) {
    const tables = relay.leader?.tables ?? [];
    const left = tables.filter(({ state }) => state === 'new' || state === 'backfill');
    if (tables.length > 0 && left.length === 0) return;
    await Promise.all([
      ...left.slice(0, 2).map(({ name, state }) => backfill(relay, name, state === 'new')),
      new Promise((resolve) => setTimeout(resolve, RETRY_MS)),
    ]);
  }
}

async function backfill(relay: DomainRelay, table: string, fresh: boolean): Promise<void> {
  try {
    await relay.backfill(table, {
      mode: fresh ? 'fresh' : 'resume',
      pace: async () => CHUNK_ROWS,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    say({ copied: table });
  } catch (error) {
    say({ table, interrupted: String(error) });
  }
}

const say = (what: object): void => console.log(JSON.stringify({ at: new Date().toISOString(), ...what }));

if (command === 'install') {
  await installMirror(config, mirror);
} else {
  const relay = new DomainRelay(config, mirror, {
    onRole: (_, role) => say({ role }),
    onTurn: () => {},
    onStalled: (_, table, reason) => say({ stalled: table, reason }),
    onGoesOn: (_, table) => say({ goesOn: table }),
    onError: (_, { message, stack }) => say({ error: message, stack: stack?.split('\n').slice(1, 4).join(' |') }),
  });
  process.on('SIGTERM', () => void relay.close().then(() => process.exit(0)));
  if (command === 'backfill') void backfillAll(relay);
  process.on('SIGUSR2', () => void backfillAll(relay));
  // The relay's own timers may all be unreferenced.
  setInterval(() => {}, 60_000);
}
