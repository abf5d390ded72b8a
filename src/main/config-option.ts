/** The option that every command has. */
export const CONFIG = ['-c, --config <file>', 'the configuration', 'pgfig.yaml'] as const;
