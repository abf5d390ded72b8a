/** One command of a text. */
export interface CommandText {
  /** As it was written, without comments and surrounding blanks. */
  readonly text: string;
  /** In upper case, with one blank between the words. */
  readonly normal: string;
}

/** What is not to be looked into: comments, strings and quoted names; an unfinished one goes to the end. */
const OPAQUE = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|;/g;

/** The commands of a text, which semicolons part; empty ones are left out. */
export function splitCommands(text: string): readonly CommandText[] {
  const commands: CommandText[] = [];
  let command = '';
  let at = 0;
  const end = (): void => {
    const trimmed = command.trim();
    if (trimmed !== '') commands.push({ text: trimmed, normal: trimmed.replace(/\s+/g, ' ').toUpperCase() });
    command = '';
  };
  for (const match of text.matchAll(OPAQUE)) {
    const [found] = match;
    command += text.slice(at, match.index);
    at = match.index + found.length;
    if (found === ';') end();
    else command += found.startsWith('--') || found.startsWith('/*') ? ' ' : found;
  }
  command += text.slice(at);
  end();
  return commands;
}
