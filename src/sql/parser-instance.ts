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
    const bytes = glue.lengthBytesUTF8(text) + 1;
    const query = glue._malloc(bytes);
    if (query === 0) throw new RangeError('the parser is out of memory');
    glue.stringToUTF8(text, query, bytes);
    const result = glue._wasm_parse_query_raw(query);
    if (result === 0) throw new RangeError('the parser is out of memory');
    const answer = this.#read(result);
    glue._free(query);
    glue._wasm_free_parse_result(result);
    return answer;
  }

  #read(result: number): InstanceAnswer {
    const glue = this.#glue;
    const error = glue.getValue(result + RESULT_ERROR, 'i32');
    if (error !== 0) {
      const message = glue.UTF8ToString(glue.getValue(error + ERROR_MESSAGE, 'i32'));
      if (/out of memory|stack depth/.test(message)) throw new RangeError(message);
      return { syntaxError: message };
    }
    const tree = glue.getValue(result + RESULT_TREE, 'i32');
    if (tree === 0) throw new Error('the parser gave neither a tree nor an error');
    return { tree: JSON.parse(glue.UTF8ToString(tree)) as ParseTree };
  }
}
