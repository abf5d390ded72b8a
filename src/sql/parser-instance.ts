import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ParseTree } from './tree.js';

/**
 * libpg-query's own wrapper keeps one WebAssembly instance for the life of the process. An instance can be
 * spoilt (see parser.ts), so pgfig makes its own from the package's glue code and the module compiled once.
 */
interface Glue {
  readonly HEAPU8: Uint8Array;
  getValue(pointer: number, type: 'i32'): number;
  UTF8ToString(pointer: number): string;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_parse_plpgsql(definition: number): number;
  _wasm_free_string(text: number): void;
}

type MakeGlue = (options: {
  instantiateWasm(imports: object, done: (instance: WasmInstance) => void): object;
}) => Promise<Glue>;

interface WasmInstance {
  readonly exports: object;
}

/** Node has it; TypeScript knows it only with the browser's types. */
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (code: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => WasmInstance;
  };
};

/** Where the parts of libpg_query's PgQueryParseResult and PgQueryError structs lie, in bytes. */
const RESULT_TREE = 0;
const RESULT_ERROR = 8;
const ERROR_MESSAGE = 0;

export type InstanceFactory = () => Promise<ParserInstance>;

/** Compiles the module (about 10 ms, once per process) and returns what makes instances of it (7 ms, 1.2 MB each). */
export function compileParser(): InstanceFactory {
  const require = createRequire(import.meta.url);
  const compiled = new wasm.Module(readFileSync(require.resolve('libpg-query/wasm/libpg-query.wasm')));
  const makeGlue = require('libpg-query/wasm/libpg-query.js') as MakeGlue;
  return async () => {
    const glue = await makeGlue({
      instantiateWasm(imports, done) {
        const instance = new wasm.Instance(compiled, imports);
        done(instance);
        return instance.exports;
      },
    });
    return new ParserInstance(glue);
  };
}

export type InstanceAnswer = { readonly tree: ParseTree } | { readonly syntaxError: string };

/** The functions of a definition as PL/pgSQL's own parser sees them, or what it refuses. */
export type PlpgsqlAnswer = { readonly functions: readonly unknown[] } | { readonly syntaxError: string };

/** Errors of the C code that say that the text is too much for it, not that it is wrong. */
const EXHAUSTED = /out of memory|stack depth/;

/** One WebAssembly instance of PostgreSQL's parser. */
export class ParserInstance {
  readonly #glue: Glue;

  constructor(glue: Glue) {
    this.#glue = glue;
  }

  /** Bytes of WebAssembly memory, used or not; it grows with the longest text and never shrinks. */
  get memoryBytes(): number {
    return this.#glue.HEAPU8.byteLength;
  }

  /**
   * Parses a text that is not empty and holds no NUL. What Postgres's parser itself refuses is an answer;
   * anything thrown (stack overflow, out of memory, abort) means that this instance may be spoilt.
   */
  parse(text: string): InstanceAnswer {
    const glue = this.#glue;
    const query = this.#copyIn(text);
    const result = glue._wasm_parse_query_raw(query);
    if (result === 0) throw new RangeError('the parser is out of memory');
    const answer = this.#read(result);
    glue._free(query);
    glue._wasm_free_parse_result(result);
    return answer;
  }

  /**
   * Parses the bodies of a text of CREATE FUNCTION, CREATE PROCEDURE and DO statements; others, and other languages,
   * have none. The same holds as for `parse`. The result is one string: JSON, or else the error's message.
   */
  parsePlpgsql(definition: string): PlpgsqlAnswer {
    const glue = this.#glue;
    const query = this.#copyIn(definition);
    const result = glue._wasm_parse_plpgsql(query);
    if (result === 0) throw new RangeError('the parser is out of memory');
    const answer = glue.UTF8ToString(result);
    glue._free(query);
    glue._wasm_free_string(result);
    if (answer.startsWith('{')) {
      const { plpgsql_funcs: functions } = JSON.parse(answer) as { plpgsql_funcs?: readonly unknown[] };
      return { functions: functions ?? [] };
    }
    if (EXHAUSTED.test(answer)) throw new RangeError(answer);
    return { syntaxError: answer };
  }

  #copyIn(text: string): number {
    const glue = this.#glue;
    const bytes = glue.lengthBytesUTF8(text) + 1;
    const query = glue._malloc(bytes);
    if (query === 0) throw new RangeError('the parser is out of memory');
    glue.stringToUTF8(text, query, bytes);
    return query;
  }

  #read(result: number): InstanceAnswer {
    const glue = this.#glue;
    const error = glue.getValue(result + RESULT_ERROR, 'i32');
    if (error !== 0) {
      const message = glue.UTF8ToString(glue.getValue(error + ERROR_MESSAGE, 'i32'));
      if (EXHAUSTED.test(message)) throw new RangeError(message);
      return { syntaxError: message };
    }
    const tree = glue.getValue(result + RESULT_TREE, 'i32');
    if (tree === 0) throw new Error('the parser gave neither a tree nor an error');
    return { tree: JSON.parse(glue.UTF8ToString(tree)) as ParseTree };
  }
}
