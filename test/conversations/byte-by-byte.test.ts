import { checkConversations } from './check.js';
import { oneDatabaseTarget } from './targets.js';

// The same when each byte of the client comes alone: no message boundary may be taken for granted.
checkConversations(await oneDatabaseTarget(), 'pgfig', 1);
