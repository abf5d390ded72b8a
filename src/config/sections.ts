import type { z } from 'zod';
import { isRecord, type Path, type YamlFile } from './yaml-file.js';

type Shape = Readonly<Record<string, z.ZodType>>;
/** What of a file is valid; a section that is not, is undefined, and has been complained about. */
export type Sections<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> | undefined };

/**
 * Checks each top-level key of a file by itself, so that one bad section does not hide the faults of the others,
 * nor keep cross-checks from the good ones. `failed` holds paths ('a.b') about which enough has been said.
 */
export function readSections<S extends Shape>(
  shape: S,
  value: unknown,
  yaml: YamlFile,
  failed: ReadonlySet<string>,
): Sections<S> {
  const sections: Record<string, unknown> = {};
  if (!isRecord(value)) {
    yaml.complain([], `the file must be a mapping of keys to values. Valid keys: ${Object.keys(shape).join(', ')}`);
    return sections as Sections<S>;
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) {
      yaml.complainOfKey([key], `unknown key ${JSON.stringify(key)}. Valid keys: ${Object.keys(shape).join(', ')}`);
    }
  }
  for (const [key, schema] of Object.entries(shape)) {
    const result = schema.safeParse(value[key]);
    if (result.success) sections[key] = result.data;
    else for (const issue of result.error.issues) complainOf(issue, key, value[key], schema, yaml, failed);
  }
  return sections as Sections<S>;
}

function complainOf(
  issue: z.core.$ZodIssue,
  key: string,
  value: unknown,
  schema: z.ZodType,
  yaml: YamlFile,
  failed: ReadonlySet<string>,
): void {
  const path: Path = [key, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const name = path.join('.');
  const inner = issue.code === 'invalid_union' ? faultsOfOption(issue) : null;
  if (inner !== null) {
    for (const fault of inner) {
      complainOf({ ...fault, path: [...issue.path, ...fault.path] }, key, value, schema, yaml, failed);
    }
    return;
  }
  if (issue.code !== 'unrecognized_keys' && [...failed].some((bad) => bad === name || bad.startsWith(`${name}.`)))
    return;
  if (issue.code === 'unrecognized_keys') {
    const valid = keysAt(schema, path.slice(1));
    for (const unknown of issue.keys) {
      yaml.complainOfKey(
        [...path, unknown],
        `unknown key ${JSON.stringify(unknown)} in ${name}.${valid.length > 0 ? ` Valid keys: ${valid.join(', ')}` : ' Remove it'}`,
      );
    }
  } else if (issue.code === 'invalid_key') {
    yaml.complainOfKey(
      path,
      `${JSON.stringify(path.at(-1))} ${issue.issues[0]?.message ?? 'is not valid here'}. Rename it`,
    );
  } else if (valueAt(value, path.slice(1)) === undefined) {
    yaml.complain(path, `${name} is missing. Add it${inside(path)}`);
  } else if (issue.code === 'invalid_value') {
    yaml.complain(path, `${name} is not one of the known values. Use one of ${issue.values.map(String).join(', ')}`);
  } else if (issue.code === 'invalid_type' && issue.expected === 'object') {
    yaml.complain(
      path,
      `${name} must be a mapping of keys to values. Valid keys: ${keysAt(schema, path.slice(1)).join(', ')}`,
    );
  } else {
    yaml.complain(path, `${name} ${issue.message}. Correct the value`);
  }
}

/** Of a value that may be of several kinds, the faults as the kind that it is; null where it is of none. */
function faultsOfOption({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | null {
  return errors.find((faults) => !faults.some((f) => f.code === 'invalid_type' && f.path.length === 0)) ?? null;
}

const inside = (path: Path): string => (path.length > 1 ? ` below ${path.slice(0, -1).join('.')}` : '');

function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const step of path) {
    if (Array.isArray(inner)) inner = inner[Number(step)];
    else if (isRecord(inner)) inner = inner[String(step)];
    else return undefined;
  }
  return inner;
}

/** The keys that the mapping at `path` may have; looks through optional, default, unions and the like. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let inner: unknown = unwrap(schema);
  for (const step of path) {
    if (!isRecord(inner)) return [];
    const shape = inner.shape;
    inner = unwrap(isRecord(shape) ? shape[String(step)] : (inner.valueType ?? inner.element));
  }
  return isRecord(inner) && isRecord(inner.shape) ? Object.keys(inner.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let inner = schema;
  // A list's unwrap gives what it holds: that is a step of a path.
  const whole = (node: Record<string, unknown>): boolean => 'shape' in node || 'element' in node;
  while (isRecord(inner) && typeof inner.unwrap === 'function' && !whole(inner)) inner = inner.unwrap();
  if (isRecord(inner) && Array.isArray(inner.options)) {
    return inner.options.find((option) => isRecord(option) && 'shape' in option) ?? inner;
  }
  return inner;
}
