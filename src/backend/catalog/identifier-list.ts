/** Splits a list of identifiers as SplitIdentifierString does: folded, quotes taken off; `$user` stays. */
export function identifierList(text: string): string[] {
  const names: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,"\s]+))\s*(?:,|$)/g)) {
    if (quoted !== undefined) names.push(quoted.replaceAll('""', '"'));
    else if (plain !== undefined) names.push(plain.toLowerCase());
  }
  return names;
}
