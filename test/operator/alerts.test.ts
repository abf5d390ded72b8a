import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const { groups } = parse(read('ops/pgfig-alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Name -> labels, as docs/metrics.md has them, which another test holds against the code. */
const metrics = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(pgfig_\w+)` \| \w+ \| ([^|]*)\|/gm)].map(([, name = '', labels = '']) => [
    name,
    new Set([...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)),
  ]),
);

t.test('every alert is of metrics that there are, and by labels that they have', (t) => {
  t.ok(rules.length > 10);
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length, 'names are used once');
  for (const { alert, expr, labels, annotations } of rules) {
    const names = [...expr.matchAll(/pgfig_\w+/g)].map(([name]) => name);
    t.ok(names.length > 0, `${alert} is of a metric`);
    const known = new Set<string>();
    for (const name of names) {
      t.ok(metrics.has(name), `${alert}: ${name} is in docs/metrics.md`);
      for (const label of metrics.get(name) ?? []) known.add(label);
    }
    const used = [...expr.matchAll(/\b(?:by) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
    used.push(...[...expr.matchAll(/[{,]\s*(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => label));
    used.push(...[...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label));
    for (const label of used) t.ok(known.has(label), `${alert}: ${label} is a label of ${names}`);
    t.equal(expr.split('(').length, expr.split(')').length, `${alert}: parentheses`);
    t.match(labels.severity, /^(warning|critical)$/);
    t.ok(annotations.summary.length > 10 && annotations.description.length > 10, `${alert} says what to do`);
  }
  t.end();
});

t.test('what a mirror can fail by is alerted, and docs/mirror.md has each alert', (t) => {
  const all = rules.map(({ expr }) => expr).join('\n');
  for (const name of [
    ...['pgfig_relay_leads', 'pgfig_mirror_lag_seconds', 'pgfig_mirror_stalled', 'pgfig_mirror_outbox_bytes'],
    ...['pgfig_mirror_abandoned', 'pgfig_divergences_open', 'pgfig_events_stalled', 'pgfig_mirror_backfill_rows'],
  ])
    t.match(all, name);
  const docs = read('docs/mirror.md');
  for (const { alert } of groups.find(({ name }) => name === 'pgfig-mirror')?.rules ?? [])
    t.match(docs, `\`${alert}\``);
  t.end();
});
