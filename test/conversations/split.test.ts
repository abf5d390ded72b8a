import { checkConversations } from './check.js';
import { splitTarget } from './targets.js';

// Through pgfig with the tables split over two servers: the same, but for what is refused by design.
checkConversations(await splitTarget(), 'split');
