/**
 * A statement as it may be stored and shown: without its literals.
 * @param _key of the statement cache
 */
export function exampleOf(_key: string | null): string {
  return '';
}
