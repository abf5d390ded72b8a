/**
 * Imports run one way. Each folder of src is one concept; a folder may import from those that stand
 * before it in this list, and from nothing else of src.
 */
const MAY_IMPORT = {
  errors: [],
  wire: ['errors'],
  sql: ['errors'],
  net: ['errors'],
  config: ['errors'],
  auth: ['errors', 'wire', 'config'],
  rules: ['errors', 'sql', 'config'],
  routing: ['errors', 'sql', 'rules'],
  backend: ['errors', 'wire', 'sql', 'net', 'config', 'auth', 'routing'],
  matrix: ['errors', 'sql', 'config', 'rules', 'routing'],
  mirror: ['errors', 'sql', 'config', 'rules', 'routing', 'backend'],
  session: ['errors', 'wire', 'sql', 'net', 'config', 'auth', 'rules', 'routing', 'backend', 'matrix', 'mirror'],
  discovery: ['errors', 'sql', 'config', 'rules', 'routing', 'backend', 'matrix'],
  jobs: ['errors', 'sql', 'config', 'rules', 'routing', 'backend', 'mirror'],
  events: ['errors', 'sql', 'config', 'rules', 'backend', 'mirror'],
  operator: [
    'errors',
    'wire',
    'sql',
    'net',
    'config',
    'auth',
    'rules',
    'routing',
    'backend',
    'matrix',
    'mirror',
    'session',
    'discovery',
    'jobs',
    'events',
  ],
  embedded: ['errors', 'config'],
};

const oneWay = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `one-way-${folder}`,
  comment: `src/${folder} may import from: ${allowed.join(', ') || 'nothing of src'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-ast-parser-on-traffic',
      comment: "pgsql-ast-parser is the tests' second opinion (docs/decisions/0001).",
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'pgsql-ast-parser' },
    },
    {
      name: 'session-knows-no-sinks',
      comment: 'The session emits typed events; YAML, metrics, logs and Kafka are wired in main.',
      severity: 'error',
      from: { path: '^src/(wire|net|routing|backend|matrix|mirror|jobs|events|session)/' },
      to: { path: 'node_modules/(yaml|prom-client|pino|kafkajs|hono)' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types' },
    },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
