import { checkConversations } from './check.js';
import { oneDatabaseTarget } from './targets.js';

// Through pgfig with every table in one database: a client cannot tell it from Postgres.
checkConversations(await oneDatabaseTarget(), 'pgfig');
