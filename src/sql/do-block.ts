import { Facts } from './facts.js';
import { readPlpgsqlFacts } from './function-body.js';
import type { PlpgsqlParser } from './grammar.js';
import type { Statement } from './statement.js';
import { inside, listOf, textOf } from './tree.js';

/** An anonymous block: `DO [LANGUAGE language] 'text'`. */
export interface DoBlock {
  readonly language: string;
  readonly text: string;
}

/** The block of a DO statement's tree; null for any other statement. */
export function doBlockOf(statement: unknown): DoBlock | null {
  const node = inside(statement, 'DoStmt');
  if (node === null) return null;
  const argument = (name: string): string | undefined => {
    const found = listOf(node.args).find((item) => inside(item, 'DefElem')?.defname === name);
    return found === undefined ? undefined : textOf(inside(inside(found, 'DefElem')?.arg, 'String')?.sval);
  };
  return { language: (argument('language') ?? 'plpgsql').toLowerCase(), text: argument('as') ?? '' };
}

/**
 * The facts of a DO statement. A PL/pgSQL block is read (by `parser`; null: it is nested too deep); of one in another
 * language nothing is known. What it does to the session is known by name only: its values depend on how it runs.
 */
export function readDoBlock(parser: PlpgsqlParser | null, block: DoBlock): Statement {
  const facts = new Facts();
  facts.writesData = true;
  // A block has no result; what it writes may be anything.
  facts.deterministic = false;
  if (block.language !== 'plpgsql' || parser === null) {
    facts.opaque = block.language === 'plpgsql' ? 'DO blocks within each other' : `language ${block.language}`;
    facts.effects.push({ type: 'set-unknown' });
    return facts.finish('do');
  }
  const { body, effects, schemas } = readPlpgsqlFacts(parser, definitionOf(block.text));
  facts.add(body);
  facts.effects.push(...effects);
  facts.schemas.push(...schemas);
  for (const name of body.sets) {
    // That has its own effects.
    if (name === 'pg_temp') continue;
    facts.effects.push(name === '*' ? { type: 'set-unknown' } : { type: 'set', name, value: null, local: false });
  }
  return facts.finish('do');
}

/** The statement again, quoted with a tag that does not stand in the text. */
function definitionOf(text: string): string {
  let tag = '$pgfig$';
  for (let n = 0; text.includes(tag); n += 1) tag = `$pgfig${n}$`;
  return `DO ${tag}${text}${tag}`;
}
