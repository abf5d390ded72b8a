import type { Target } from './target.js';

export const direct: Target = {
  name: 'direct',
  what: 'no proxy',
  version: async () => 'PostgreSQL 18',
  start: async ({ host, port }) => ({ host, port, pid: null, stop: async () => undefined }),
};
