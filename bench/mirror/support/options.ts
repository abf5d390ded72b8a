/** `--name value` of the command line. */
export function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
}

/** @throws RangeError for anything but a number that is not negative */
export function numberOption(name: string, fallback: number): number {
  const text = option(name, String(fallback)).replaceAll('_', '');
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new RangeError(`--${name} ${text}: a number is wanted`);
  return value;
}

/** `a,b,c` */
export const listOption = (name: string, fallback: string): string[] => option(name, fallback).split(',');
