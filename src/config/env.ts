import { isRecord, type Path, type YamlFile } from './yaml-file.js';

// $${NAME} is a literal ${NAME}; ${NAME:-text} gives `text` where NAME is not set.
const REFERENCE = /\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` in every string value by the environment's value. Done after the YAML is read, so that
 * a value can hold any character without becoming YAML itself. A variable that is not set is complained
 * about by name, and its path joins `failed`, so that nothing else is said about that value.
 */
export function expandEnv(value: unknown, env: NodeJS.ProcessEnv, yaml: YamlFile, failed: Set<string>): unknown {
  const walk = (inner: unknown, path: Path): unknown => {
    if (typeof inner === 'string') return expandText(inner, path);
    if (Array.isArray(inner)) return inner.map((item, index) => walk(item, [...path, index]));
    if (!isRecord(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  const expandText = (text: string, path: Path): string =>
    text.replace(REFERENCE, (whole: string, name: string, fallback: string | undefined) => {
      if (whole.startsWith('$$')) return whole.slice(1);
      const found = env[name] ?? fallback;
      if (found !== undefined) return found;
      yaml.complain(
        path,
        `the environment variable ${name} is not set. Set it, or write \${${name}:-value} to give a default`,
      );
      failed.add(path.join('.'));
      return '';
    });
  return walk(value, []);
}
