/** Splits a list of identifiers as Postgres does (SplitIdentifierString): quoted ones as they are, others folded. */
export function splitPath(path: string): string[] {
  const parts: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/gy;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) break;
    const name = match[1] === undefined ? (match[2] ?? '').trim().toLowerCase() : match[1].replaceAll('""', '"');
    if (name !== '') parts.push(name);
  }
  return parts;
}
