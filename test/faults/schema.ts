/** The domain's tables under load, the same on both sides. */
export const DDL = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE spot AS (name text, at point, level int);

CREATE TABLE ops (op uuid PRIMARY KEY, writer text NOT NULL, kind text NOT NULL, counter int, delta int,
  seq bigserial, at timestamptz NOT NULL DEFAULT now(), noise float8 NOT NULL DEFAULT random());
CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, op uuid NOT NULL, nth int NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE totals (bucket int PRIMARY KEY, n bigint NOT NULL);
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, touched timestamptz NOT NULL DEFAULT now());
CREATE TABLE transfers (id bigserial PRIMARY KEY, op uuid NOT NULL, source int NOT NULL REFERENCES accounts,
  target int NOT NULL REFERENCES accounts, amount bigint NOT NULL);
CREATE TABLE counters (id int PRIMARY KEY, i bigint NOT NULL);
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (id bigserial PRIMARY KEY, op uuid NOT NULL,
  parent int NOT NULL REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE slots (id int PRIMARY KEY, place int NOT NULL UNIQUE, seat int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE keyed (code text, n int, filler text, PRIMARY KEY (code, n));
CREATE TABLE odd (a numeric, b timestamptz, c float8, d bytea, v int, PRIMARY KEY (a, b, c, d));
CREATE TABLE priced (price numeric PRIMARY KEY, v int);
CREATE TABLE parted (id bigint, region text, op uuid, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us') PARTITION BY HASH (id);
CREATE TABLE parted_us_0 PARTITION OF parted_us FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_us_1 PARTITION OF parted_us FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
CREATE TABLE small (id int PRIMARY KEY, v text);
CREATE TABLE copied (id uuid PRIMARY KEY, op uuid NOT NULL, line text);
CREATE TABLE stock (sku text PRIMARY KEY, qty int NOT NULL);
CREATE TABLE typed (id int PRIMARY KEY, num numeric, f4 real, f8 double precision, raw bytea, js json, jb jsonb, ints int[],
  texts text[], r int4range, tr tstzrange, mr int4multirange, iv interval, feeling mood, pos positive, vec tsvector,
  cash money, bits bit varying, ip inet, u uuid, d date, t time, ttz timetz, ts timestamp, tstz timestamptz,
  here spot, lsn pg_lsn, ch char(7), words text, big text, doubled numeric GENERATED ALWAYS AS (num * 2) STORED);

CREATE FUNCTION keep_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN UPDATE totals SET n = n - 1 WHERE bucket = OLD.id % 4; END IF;
  IF TG_OP <> 'DELETE' THEN UPDATE totals SET n = n + 1 WHERE bucket = NEW.id % 4; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a_first AFTER INSERT OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION keep_total();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.touched := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER z_last BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION bump(which int, by int, op uuid, writer text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE now_at bigint;
BEGIN
  INSERT INTO ops (op, writer, kind, counter, delta) VALUES (op, writer, 'bump', which, by);
  BEGIN
    UPDATE counters SET i = i + 1000000 WHERE id = which;
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN NULL;
  END;
  UPDATE counters SET i = i + by WHERE id = which RETURNING i INTO now_at;
  RETURN now_at;
END $$;
`;

export const ACCOUNTS = 20;
export const COUNTERS = 6;
export const BALANCE = 1000;
export const SLOTS = 12;

/** What is there before anything is mirrored. @param rows of the tables that a backfill has work with */
export const fill = (rows: number): string => `
INSERT INTO accounts SELECT id, ${BALANCE} FROM generate_series(1, ${ACCOUNTS}) id;
INSERT INTO counters SELECT id, 0 FROM generate_series(1, ${COUNTERS}) id;
INSERT INTO totals SELECT bucket, 0 FROM generate_series(0, 3) bucket;
INSERT INTO slots SELECT id, id, id FROM generate_series(1, ${SLOTS}) id;
INSERT INTO parents SELECT id, 'parent ' || id FROM generate_series(1, 30) id;
INSERT INTO keyed SELECT 'code ' || n % 7, n, repeat('x', n % 50) FROM generate_series(1, ${rows}) n;
INSERT INTO parted SELECT id, (ARRAY['eu', 'us', 'asia'])[1 + id % 3], NULL, id FROM generate_series(1, ${rows}) id;
INSERT INTO copied SELECT md5(i::text)::uuid, '00000000-0000-4000-8000-000000000000', 'before ' || i
  FROM generate_series(1, ${rows}) i;
INSERT INTO ops (op, writer, kind, delta) VALUES ('00000000-0000-4000-8000-000000000000', 'before', 'copy', ${rows});
INSERT INTO priced SELECT i / 10.0, i FROM generate_series(1, 100) i;
`;

/** Roots of the mirrored tables. */
export const TABLES = [
  'ops',
  'entries',
  'totals',
  'accounts',
  'transfers',
  'counters',
  'parents',
  'children',
  'slots',
  'keyed',
  'odd',
  'priced',
  'parted',
  'small',
  'copied',
  'stock',
  'typed',
] as const;

/**
 * What holds in every state that the source was ever in: name -> a query that gives no rows. A copy of one moment
 * satisfies all of it, too; one that mixes moments, lost a row, or took one twice does not.
 */
export const INVARIANTS: Readonly<Record<string, string>> = {
  'a counter is the sum of its operations': `SELECT c.id, c.i, sum(o.delta) AS operations FROM counters c
    LEFT JOIN ops o ON o.counter = c.id GROUP BY c.id, c.i HAVING c.i <> coalesce(sum(o.delta), 0)`,
  'a balance is what the transfers left': `SELECT a.id, a.balance, ${BALANCE} + coalesce(sum(m.amount), 0) AS transfers
    FROM accounts a LEFT JOIN (SELECT source AS id, -amount AS amount FROM transfers
      UNION ALL SELECT target, amount FROM transfers) m USING (id)
    GROUP BY a.id, a.balance HAVING a.balance <> ${BALANCE} + coalesce(sum(m.amount), 0)`,
  'no money is made or lost': `SELECT sum(balance) FROM accounts HAVING sum(balance) <> ${ACCOUNTS * BALANCE}`,
  'an operation has each of its entries once': `SELECT op, nth, count(*) FROM entries GROUP BY op, nth HAVING count(*) > 1`,
  'totals are what the trigger counted': `SELECT t.bucket, t.n, count(e.id) FROM totals t
    LEFT JOIN entries e ON e.id % 4 = t.bucket GROUP BY t.bucket, t.n HAVING t.n <> count(e.id)`,
  'what was rolled back to a savepoint is gone': `SELECT op FROM entries WHERE nth = 99`,
  'an operation is whole: its rows have its mark': `SELECT op FROM entries UNION ALL SELECT op FROM transfers UNION ALL
    SELECT op FROM copied UNION ALL SELECT op FROM children UNION ALL SELECT op FROM parted WHERE op IS NOT NULL
    EXCEPT SELECT op FROM ops`,
  'an operation is whole: its mark has its entries': `SELECT o.op, o.delta, count(e.id) FROM ops o
    LEFT JOIN entries e USING (op) WHERE o.kind = 'entries' GROUP BY o.op, o.delta HAVING count(e.id) <> o.delta`,
  'a COPY is whole': `SELECT o.op, o.delta, count(c.id) FROM ops o LEFT JOIN copied c USING (op) WHERE o.kind = 'copy'
    GROUP BY o.op, o.delta HAVING count(c.id) <> o.delta`,
  'slots keep their places': `SELECT sum(place), sum(seat) FROM slots
    HAVING sum(place) <> ${(SLOTS * (SLOTS + 1)) / 2} OR sum(seat) <> ${(SLOTS * (SLOTS + 1)) / 2}`,
};
