import type { Facts } from './facts.js';
import type { IsolationLevel, StatementKind } from './statement.js';
import { constantOf, inside, listOf, type TreeNode, textOf } from './tree.js';

interface Modes {
  readonly modes: string;
  readonly isolation: IsolationLevel | null;
  readonly readOnly: boolean | null;
}

const LEVELS: readonly IsolationLevel[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];

/** BEGIN, COMMIT, SAVEPOINT and their kin (TransactionStmt). */
export function transaction(facts: Facts, node: TreeNode): StatementKind {
  const name = textOf(node.savepoint_name);
  const gid = textOf(node.gid);
  const chain = node.chain === true;
  switch (node.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      facts.effects.push({ type: 'begin', ...modesOf(node.options) });
      return 'begin';
    case 'TRANS_STMT_COMMIT':
      facts.effects.push({ type: 'commit', chain });
      return 'commit';
    case 'TRANS_STMT_ROLLBACK':
      facts.effects.push({ type: 'rollback', chain });
      return 'rollback';
    case 'TRANS_STMT_SAVEPOINT':
      facts.effects.push({ type: 'savepoint', name });
      return 'savepoint';
    case 'TRANS_STMT_RELEASE':
      facts.effects.push({ type: 'release', name });
      return 'release';
    case 'TRANS_STMT_ROLLBACK_TO':
      facts.effects.push({ type: 'rollback-to', name });
      return 'rollback-to';
    case 'TRANS_STMT_PREPARE':
      facts.effects.push({ type: 'prepare-transaction', gid });
      facts.writesData = true;
      return 'prepare-transaction';
    case 'TRANS_STMT_COMMIT_PREPARED':
      facts.writesData = true;
      return 'commit-prepared';
    case 'TRANS_STMT_ROLLBACK_PREPARED':
      facts.writesData = true;
      return 'rollback-prepared';
    default:
      return 'other';
  }
}

/** SET TRANSACTION ..., SET SESSION CHARACTERISTICS AS TRANSACTION ... (VariableSetStmt of kind VAR_SET_MULTI). */
export function setTransaction(facts: Facts, node: TreeNode): StatementKind {
  if (node.name === 'TRANSACTION SNAPSHOT') {
    const id = constantOf(listOf(node.args)[0]) ?? '';
    const modes = `SNAPSHOT '${id.replaceAll("'", "''")}'`;
    facts.effects.push({
      type: 'set-transaction',
      modes,
      isolation: null,
      readOnly: null,
      session: false,
      snapshot: true,
    });
    return 'set-transaction';
  }
  const session = node.name === 'SESSION CHARACTERISTICS';
  facts.effects.push({ type: 'set-transaction', ...modesOf(node.args), session, snapshot: false });
  return 'set-transaction';
}

/** A list of transaction modes as SQL text; of a mode named twice the last counts, as in SET. */
function modesOf(options: unknown): Modes {
  const words: string[] = [];
  let isolation: IsolationLevel | null = null;
  let readOnly: boolean | null = null;
  for (const item of listOf(options)) {
    const option = inside(item, 'DefElem') ?? {};
    const value = constantOf(option.arg);
    if (option.defname === 'transaction_isolation') {
      isolation = LEVELS.find((level) => level === value) ?? null;
      words.push(`ISOLATION LEVEL ${(value ?? '').toUpperCase()}`);
    } else if (option.defname === 'transaction_read_only') {
      readOnly = value === '1';
      words.push(readOnly ? 'READ ONLY' : 'READ WRITE');
    } else if (option.defname === 'transaction_deferrable') {
      words.push(value === '1' ? 'DEFERRABLE' : 'NOT DEFERRABLE');
    }
  }
  return { modes: words.join(', '), isolation, readOnly };
}
