/** Whether a name fits one of the patterns, in which * stands for any text and ? for one letter; no pattern fits all. */
export function matches(name: string, patterns: readonly string[] | undefined): boolean {
  return patterns === undefined || patterns.length === 0 || patterns.some((pattern) => asRegExp(pattern).test(name));
}

function asRegExp(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${text}$`, 's');
}
