import { createHash } from 'node:crypto';
import type { SectionName, SectionValues } from './rows.js';

/** Length of a key in characters. */
export const KEY_LENGTH = 20;

/**
 * One section of what is known of a database, as JSON text, as a value, or both: a worker parses it when somebody asks
 * for what is in it. The key is a digest of the text, so that what has not changed is known without a look inside.
 */
export class Section<T> {
  readonly key: string;
  #text: string | null;
  #value: { readonly value: T } | null;

  private constructor(key: string, text: string | null, value: { readonly value: T } | null) {
    this.key = key;
    this.#text = text;
    this.#value = value;
  }

  static of<T>(value: T): Section<T> {
    const text = JSON.stringify(value);
    const key = createHash('sha1').update(text).digest('base64url').slice(0, KEY_LENGTH);
    return new Section(key, text, { value });
  }

  static fromText<T>(key: string, text: string): Section<T> {
    return new Section<T>(key, text, null);
  }

  get value(): T {
    if (this.#value === null) {
      this.#value = { value: JSON.parse(this.#text ?? 'null') as T };
      // It may be a slice that keeps the whole message.
      this.#text = null;
    }
    return this.#value.value;
  }

  get text(): string {
    return this.#text ?? JSON.stringify(this.value);
  }
}

export type Sections = { readonly [Name in SectionName]: Section<SectionValues[Name]> };

export const SECTION_NAMES = [
  'settings',
  'types',
  'relations',
  'links',
  'views',
  'works',
  'foreignKeys',
  'functions',
] as const satisfies readonly SectionName[];

export const sameSections = (a: Sections, b: Sections): boolean =>
  SECTION_NAMES.every((name) => a[name].key === b[name].key);
