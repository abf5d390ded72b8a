import { doBlockOf, readDoBlock } from './do-block.js';
import { extractStatement } from './extract.js';
import { unparsable } from './facts.js';
import type { PlpgsqlParser } from './grammar.js';
import { compileParser, type InstanceFactory, type ParserInstance, type PlpgsqlAnswer } from './parser-instance.js';
import type { ParsedText, Statement } from './statement.js';
import type { ParseTree, TreeNode } from './tree.js';

export type { Parser, PlpgsqlParser } from './grammar.js';

/** Instances kept ready beside the one in use. */
const SPARES = 2;
/** A spoilt instance was seen to fail on good SQL after 25 failures: it is trusted no further than this. */
const MAX_FAILURES = 12;
/** An instance whose memory has grown past this (it starts with 128 MiB, all but a few untouched) is replaced. */
const MAX_MEMORY = 256 * 1024 * 1024;
/** A DO block within the constant text of another's EXECUTE is read so many deep. */
const MAX_BLOCKS = 4;

/** Loads the parser: compiles the module once for this process, makes an instance and its spares. */
export async function loadParser(): Promise<PlpgsqlParser> {
  const make = compileParser();
  const [first, ...spares] = await Promise.all(Array.from({ length: 1 + SPARES }, make));
  if (first === undefined) throw new Error('unreachable: no parser instance');
  return new PooledParser(make, first, spares);
}

/**
 * A text nested too deep overflows the stack in the middle of the C code, which leaves that instance's own stack
 * pointer where it was: after some dozens of these it fails on good SQL too. So an instance that fails with
 * anything but a syntax error is replaced by a spare; a new spare is made at once, in the background. Where
 * texts fail faster than spares come, the instance serves on for MAX_FAILURES, then texts are refused unread.
 */
class PooledParser implements PlpgsqlParser {
  readonly #make: InstanceFactory;
  readonly #spares: ParserInstance[];
  #instance: ParserInstance;
  #failures = 0;
  /** DO blocks within each other that are being read. */
  #blocks = 0;
  /** A body was refused unread, so what holds it is not to be kept. */
  #unread = false;

  constructor(make: InstanceFactory, instance: ParserInstance, spares: ParserInstance[]) {
    this.#make = make;
    this.#instance = instance;
    this.#spares = spares;
  }

  parse(text: string): ParsedText {
    if (text.length === 0) return NO_STATEMENTS;
    const refuse = (message: string, transient: boolean): ParsedText => {
      if (this.#blocks > 0) this.#unread ||= transient;
      return refused(text, message, transient);
    };
    return this.#guard(text, refuse, (instance) => {
      const answer = instance.parse(text);
      return 'syntaxError' in answer ? refuse(answer.syntaxError, false) : this.#readTree(text, answer.tree);
    });
  }

  parsePlpgsql(definition: string): PlpgsqlAnswer {
    const refuse = (syntaxError: string, transient: boolean): PlpgsqlAnswer => {
      if (this.#blocks > 0) this.#unread ||= transient;
      return { syntaxError };
    };
    return this.#guard(definition, refuse, (instance) => instance.parsePlpgsql(definition));
  }

  /** Runs a parse on an instance that is fit for it, and sees to a new one where the parse may have spoilt it. */
  #guard<A>(text: string, refuse: Refuse<A>, run: (instance: ParserInstance) => A): A {
    if (text.includes('\0')) return refuse('a NUL byte stands in the text', false);
    if (this.#failures > 0) this.#replace();
    if (this.#failures > MAX_FAILURES) return refuse('the parser is being replaced', true);
    try {
      return run(this.#instance);
    } catch (error) {
      // A second try on a fresh instance would fail as well: the text is too deep or too long.
      const tainted = this.#failures > 0;
      this.#failures += 1;
      this.#replace();
      return refuse(error instanceof Error ? error.message : String(error), tainted);
    } finally {
      if (this.#instance.memoryBytes > MAX_MEMORY) this.#replace();
    }
  }

  #readTree(text: string, tree: ParseTree): ParsedText {
    const statements: Statement[] = [];
    const spans: [number, number][] = [];
    let length = -1;
    for (const raw of tree.stmts ?? []) {
      statements.push(this.#statement(raw.stmt));
      const start = raw.stmt_location ?? 0;
      if (raw.stmt_len === undefined && length < 0) length = Buffer.byteLength(text, 'utf8');
      spans.push([start, raw.stmt_len === undefined ? length : start + raw.stmt_len]);
    }
    if (this.#blocks > 0 || !this.#unread) return { statements, spans, syntaxError: null };
    this.#unread = false;
    return { statements, spans, syntaxError: null, transient: true };
  }

  /** A DO block is the only statement whose text is a program: it is read as the body of a function is. */
  #statement(tree: TreeNode | undefined): Statement {
    const block = doBlockOf(tree);
    if (block === null) return extractStatement(tree);
    this.#blocks += 1;
    try {
      return readDoBlock(this.#blocks > MAX_BLOCKS ? null : this, block);
    } finally {
      this.#blocks -= 1;
    }
  }

  #replace(): void {
    const spare = this.#spares.pop();
    if (spare === undefined) return;
    this.#instance = spare;
    this.#failures = 0;
    this.#make().then(
      (made) => this.#spares.push(made),
      // Out of memory: the spares that are left must do.
      () => undefined,
    );
  }
}

type Refuse<R> = (message: string, transient: boolean) => R;

const NO_STATEMENTS: ParsedText = Object.freeze({ statements: [], spans: [], syntaxError: null });

function refused(text: string, message: string, transient: boolean): ParsedText {
  return {
    statements: [unparsable()],
    spans: [[0, Buffer.byteLength(text, 'utf8')]],
    syntaxError: message,
    ...(transient ? { transient } : {}),
  };
}
