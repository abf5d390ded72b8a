import { readFileSync } from 'node:fs';
import t from 'tap';
import { schemaTexts } from '../../src/operator/cli/write-schema.js';

t.test('the JSON schemas in the repository are those of the code', async (t) => {
  for (const [name, text] of schemaTexts()) {
    const file = new URL(`../../../schema/${name}`, import.meta.url);
    t.equal(readFileSync(file, 'utf8'), text, `${name} is stale: run node build/src/operator/cli/write-schema.js`);
  }
});

t.test('they say the defaults, and let a variable stand for any value', async (t) => {
  const schema: { properties: Record<string, { properties: Record<string, unknown> }> } = JSON.parse(
    schemaTexts().get('pgfig.schema.json') ?? '',
  );
  t.match(schema.properties.listen?.properties.port, {
    default: 6432,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  });
  t.match(schema.properties.limits?.properties.authTimeout, { default: '60s', pattern: /\\\$\\\{/ });
});
