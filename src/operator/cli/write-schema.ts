import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../../config/schema.js';
import { ruleSchema } from '../../rules/schema.js';

/**
 * The JSON schemas for editors, by file name, made of the same schemas that check the files. Run this file to write
 * them: `node build/src/operator/cli/write-schema.js`.
 */
export function schemaTexts(): ReadonlyMap<string, string> {
  return new Map([
    ['pgfig.schema.json', jsonSchema(configSchema, 'pgfig.yaml', true)],
    ['rule.schema.json', jsonSchema(ruleSchema, 'A file of routing-rules', false)],
  ]);
}

function jsonSchema(schema: z.ZodType, title: string, env: boolean): string {
  const json = z.toJSONSchema(schema, {
    // What YAML extensions of editors understand best.
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema: node, path }) => {
      if (env && path.at(-1) !== 'propertyNames') allowEnv(node);
    },
  });
  const { $schema, ...rest } = json;
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

const REFERENCE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}';

/** `${NAME}` may stand wherever a value may; it is text that is no number, no choice and fits no pattern. */
function allowEnv(node: z.core.JSONSchema.BaseSchema): void {
  if (node.type === 'integer') {
    const { minimum, maximum } = node;
    delete node.type;
    delete node.minimum;
    delete node.maximum;
    node.anyOf = [
      { type: 'integer', ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) },
      { type: 'string', pattern: REFERENCE },
    ];
  } else if (node.type === 'string' && typeof node.pattern === 'string' && !node.pattern.endsWith(REFERENCE)) {
    node.pattern = `${node.pattern}|${REFERENCE}`;
  } else if (node.type === 'string' && node.enum !== undefined) {
    node.anyOf = [{ enum: node.enum }, { pattern: REFERENCE }];
    delete node.enum;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../../../../schema/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of schemaTexts()) writeFileSync(new URL(name, folder), text);
}
