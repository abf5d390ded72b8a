import type { SectionName } from './rows.js';
import { KEY_LENGTH, SECTION_NAMES, Section, type Sections } from './section.js';

/*
 * A catalog as text: a line of JSON that says which sections make it up, by their keys, and then a line for each
 * section that the reader may not have, its key and then its text (which has no line breaks of its own). So a process
 * that only passes catalogs on never parses one, and what has not changed is not sent.
 */
interface Header {
  readonly version: number;
  /** [database, keys in the order of SECTION_NAMES] */
  readonly parts: readonly (readonly [string, readonly string[]])[];
}

export function wireText(
  version: number,
  parts: ReadonlyMap<string, Sections>,
  knownKeys: ReadonlySet<string>,
): string {
  const lines = new Map<string, string>();
  for (const sections of parts.values()) {
    for (const name of SECTION_NAMES) {
      const { key } = sections[name];
      if (!knownKeys.has(key) && !lines.has(key)) lines.set(key, `${key}${sections[name].text}`);
    }
  }
  const header: Header = {
    version,
    parts: [...parts].map(([database, sections]) => [database, SECTION_NAMES.map((name) => sections[name].key)]),
  };
  return [JSON.stringify(header), ...lines.values()].join('\n');
}

/**
 * @param before sections that the reader has
 * @throws Error where a section is neither in the text nor among those
 */
export function readWireText(
  text: string,
  before: readonly Sections[],
): { readonly version: number; readonly parts: ReadonlyMap<string, Sections> } {
  const { header, lines } = linesOf(text);
  // The name is part of what the key is a digest of: what is found under a key is a section of that name.
  const known = new Map<string, unknown>();
  for (const sections of before) for (const section of Object.values(sections)) known.set(section.key, section);
  const parts = header.parts.map(([database, keys]): [string, Sections] => {
    const at = <Name extends SectionName>(name: Name): Section<Name> => {
      const key = keys[SECTION_NAMES.indexOf(name)] ?? '';
      const had = known.get(key);
      if (had !== undefined) return had as Section<Name>;
      const line = lines.get(key);
      if (line === undefined) throw new Error('a catalog refers to a section that is not known here');
      const section = Section.fromText(name, key, line.slice(KEY_LENGTH));
      known.set(key, section);
      return section;
    };
    const sections: Sections = {
      settings: at('settings'),
      types: at('types'),
      relations: at('relations'),
      links: at('links'),
      views: at('views'),
      works: at('works'),
      foreignKeys: at('foreignKeys'),
      unsteady: at('unsteady'),
      keys: at('keys'),
      functions: at('functions'),
      bodies: at('bodies'),
    };
    return [database, sections];
  });
  return { version: header.version, parts: new Map(parts) };
}

/** The whole text after a change of which only the new sections came. For a process that passes catalogs on. */
export function mergeWireTexts(whole: string | null, change: string): string {
  const { header, lines } = linesOf(change);
  const before = whole === null ? new Map<string, string>() : linesOf(whole).lines;
  const keys = new Set(header.parts.flatMap(([, keysOfPart]) => keysOfPart));
  const kept = [...keys].map((key) => lines.get(key) ?? before.get(key)).filter((line) => line !== undefined);
  return [change.slice(0, headerEnd(change)), ...kept].join('\n');
}

/** Lines by their keys, which they still begin with. */
function linesOf(text: string): { readonly header: Header; readonly lines: ReadonlyMap<string, string> } {
  const end = headerEnd(text);
  const lines = new Map<string, string>();
  for (let at = end + 1; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const line = text.slice(at, next < 0 ? text.length : next);
    lines.set(line.slice(0, KEY_LENGTH), line);
    at += line.length + 1;
  }
  return { header: JSON.parse(text.slice(0, end)) as Header, lines };
}

function headerEnd(text: string): number {
  const end = text.indexOf('\n');
  return end < 0 ? text.length : end;
}
