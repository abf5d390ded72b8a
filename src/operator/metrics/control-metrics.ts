import type { CatalogRefresher } from '../catalog-refresher.js';
import type { RulesState } from '../rules-report.js';
import { VERSION } from '../version.js';
import { counter, gauge, type Metric } from './metric-json.js';

const seconds = (date: Date | null | undefined): number => (date ? date.getTime() / 1_000 : 0);

/** What the control process knows: rules, catalogs, which databases answer. */
export function controlMetrics(
  rules: Pick<RulesState, 'current' | 'error' | 'errors' | 'pending'>,
  catalog: Pick<CatalogRefresher, 'sights'>,
  reachable: ReadonlyMap<string, boolean>,
): Metric[] {
  const sights = [...catalog.sights];
  return [
    gauge('pgfig_build_info', 'Version of pgfig, as a label; always 1.', [[{ version: VERSION }, 1]]),
    gauge('pgfig_rules_version', 'Version of the rules in effect.', rules.current.version),
    gauge(
      'pgfig_rules_loaded_timestamp_seconds',
      'When the rules in effect were loaded.',
      seconds(rules.current.loadedAt),
    ),
    gauge(
      'pgfig_rules_broken',
      '1 while the rules folder cannot take effect and the last good set stays.',
      rules.error ? 1 : 0,
    ),
    gauge(
      'pgfig_rules_last_error_timestamp_seconds',
      'When the rules folder was found broken; 0 while it is not.',
      seconds(rules.error?.at),
    ),
    gauge(
      'pgfig_rules_last_error',
      '1 while the rules folder is broken, with the place of the first fault.',
      rules.error ? [[{ file: rules.error.file ?? '', line: `${rules.error.line ?? ''}` }, 1]] : [],
    ),
    gauge('pgfig_rules_pending', 'Domains whose changed rule waits, since it would move writes.', rules.pending.length),
    counter('pgfig_rules_errors_total', 'How often the rules folder was found broken.', rules.errors),
    gauge(
      'pgfig_database_up',
      '1 for a database that answers.',
      [...reachable].map(([database, up]) => [{ database }, up ? 1 : 0]),
    ),
    gauge(
      'pgfig_catalog_read_timestamp_seconds',
      'When the catalog of a database was last asked for.',
      sights.map(([database, sight]) => [{ database }, seconds(sight.at)]),
    ),
    gauge(
      'pgfig_catalog_broken',
      '1 for a database whose catalog could not be read the last time.',
      sights.map(([database, sight]) => [{ database }, sight.error === null ? 0 : 1]),
    ),
    gauge(
      'pgfig_catalog_relations',
      'Relations known in a database.',
      sights.map(([database, sight]) => [{ database }, sight.relations]),
    ),
  ];
}
