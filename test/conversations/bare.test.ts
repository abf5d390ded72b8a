import { checkConversations } from './check.js';
import { bareTarget } from './targets.js';

// The files say what Postgres does; this keeps them honest.
checkConversations(await bareTarget(), 'postgres');
