import { createHash } from 'node:crypto';
import { RowList } from './row-list.js';
import type { SectionName, SectionValues } from './rows.js';

/** Length of a key in characters. */
export const KEY_LENGTH = 20;

/** How the values of a section are written; the text has no line breaks. */
interface Codec<T> {
  readonly encode: (value: T) => string;
  readonly decode: (text: string) => T;
}

const json = <T>(): Codec<T> => ({ encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) as T });
const rowList = <R>(): Codec<RowList<R>> => ({ encode: (rows) => rows.text, decode: (text) => RowList.fromText(text) });

/** What is looked up row by row stays text until then. */
const CODECS: { readonly [Name in SectionName]: Codec<SectionValues[Name]> } = {
  settings: json(),
  types: json(),
  relations: json(),
  links: json(),
  views: rowList(),
  works: rowList(),
  foreignKeys: rowList(),
  unsteady: rowList(),
  keys: rowList(),
  functions: json(),
  bodies: rowList(),
};

export const SECTION_NAMES = Object.keys(CODECS) as readonly SectionName[];

/**
 * One section of what is known of a database, as text, as a value, or both: a worker decodes it when somebody asks for
 * what is in it. The key is a digest of the text, so that what has not changed is known without a look inside.
 */
export class Section<Name extends SectionName> {
  readonly key: string;
  readonly #codec: Codec<SectionValues[Name]>;
  #text: string | null;
  #value: { readonly value: SectionValues[Name] } | null;

  private constructor(name: Name, key: string, text: string, value: { readonly value: SectionValues[Name] } | null) {
    this.#codec = CODECS[name];
    this.key = key;
    this.#text = text;
    this.#value = value;
  }

  static of<Name extends SectionName>(name: Name, value: SectionValues[Name]): Section<Name> {
    const text = CODECS[name].encode(value);
    const key = createHash('sha1').update(`${name}\n${text}`).digest('base64url').slice(0, KEY_LENGTH);
    return new Section(name, key, text, { value });
  }

  static fromText<Name extends SectionName>(name: Name, key: string, text: string): Section<Name> {
    return new Section(name, key, text, null);
  }

  get value(): SectionValues[Name] {
    if (this.#value === null) {
      this.#value = { value: this.#codec.decode(this.#text ?? '') };
      // It may be a slice that keeps the whole message.
      this.#text = null;
    }
    return this.#value.value;
  }

  get text(): string {
    return this.#text ?? this.#codec.encode(this.value);
  }
}

export type Sections = { readonly [Name in SectionName]: Section<Name> };

export const sameSections = (a: Sections, b: Sections): boolean =>
  SECTION_NAMES.every((name) => a[name].key === b[name].key);
