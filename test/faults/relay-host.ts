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
  // The relay's own timers may all be unreferenced.
  setInterval(() => {}, 60_000);
}
