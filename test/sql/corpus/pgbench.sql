SELECT abalance FROM pgbench_accounts WHERE aid = 12345;
SELECT abalance FROM pgbench_accounts WHERE aid = $1;
UPDATE pgbench_accounts SET abalance = abalance + -42 WHERE aid = 12345;
UPDATE pgbench_tellers SET tbalance = tbalance + 7 WHERE tid = 5;
UPDATE pgbench_branches SET bbalance = bbalance + 7 WHERE bid = 1;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, 12345, -42, CURRENT_TIMESTAMP);
SELECT count(*) FROM pgbench_branches
truncate table pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers
alter table pgbench_accounts add primary key (aid)
vacuum analyze pgbench_accounts
