-- Functions in each language and form that may touch tables.

CREATE FUNCTION hr.headcount(d int) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM hr.employees WHERE department_id = d $$;
CREATE FUNCTION hr.staff(d int) RETURNS SETOF hr.employees LANGUAGE sql STABLE AS $$ SELECT * FROM hr.employees WHERE department_id = d $$;
CREATE FUNCTION hr.top_paid(n int DEFAULT 1) RETURNS TABLE (name text, salary numeric) LANGUAGE sql STABLE ROWS 5
  AS $$ SELECT e.name, e.salary FROM hr.employees e ORDER BY e.salary DESC LIMIT n $$;
CREATE FUNCTION hr.raise_all(p numeric) RETURNS void LANGUAGE sql AS $$ UPDATE hr.employees SET salary = salary * (1 + p) $$;
CREATE FUNCTION hr.hire(n text, d int) RETURNS int LANGUAGE sql AS $$
  INSERT INTO hr.employees (id, department_id, name) SELECT max(id) + 1, d, n FROM hr.employees RETURNING id $$;
CREATE FUNCTION hr.budget_of(d int) RETURNS numeric LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT budget FROM hr.departments WHERE id = d; END;
CREATE FUNCTION hr.move_budget(a int, b int, n numeric) RETURNS numeric LANGUAGE sql
BEGIN ATOMIC
  UPDATE hr.departments SET budget = budget - n WHERE id = a;
  UPDATE hr.departments SET budget = budget + n WHERE id = b;
  INSERT INTO audit.log (what) VALUES ('moved');
  SELECT budget FROM hr.departments WHERE id = b;
END;
CREATE FUNCTION public.one_expr(i int) RETURNS text LANGUAGE sql STABLE RETURN (SELECT label FROM public.items WHERE id = i);
-- Names in the body are found along the caller's path ...
CREATE FUNCTION public.by_path() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM items $$;
CREATE FUNCTION public.by_path_plpgsql() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM items); END $$;
-- ... or along the function's own.
CREATE FUNCTION public.by_own_path() RETURNS bigint LANGUAGE sql SET search_path = sales AS $$ SELECT count(*) FROM items $$;
CREATE FUNCTION public.as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = hr, pg_temp AS $$ SELECT count(*) FROM items $$;
-- Overloaded: either may be meant.
CREATE FUNCTION public.total(x int) RETURNS numeric LANGUAGE sql AS $$ SELECT sum(total) FROM sales.orders WHERE customer_id = x $$;
CREATE FUNCTION public.total(x text) RETURNS numeric LANGUAGE sql AS $$ SELECT sum(amount) FROM sales.invoices $$;
CREATE FUNCTION public.pure(x int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT x + 1 $$;
CREATE FUNCTION public.nested(x int) RETURNS numeric LANGUAGE sql AS $$ SELECT hr.budget_of(x) + hr.headcount(x) $$;

CREATE FUNCTION public.note(w text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.log (what) VALUES (w);
END $$;
CREATE FUNCTION public.bump(w text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  result bigint;
BEGIN
  UPDATE audit.counts SET n = n + 1 WHERE what = w RETURNING n INTO result;
  IF NOT FOUND THEN
    INSERT INTO audit.counts VALUES (w, 1) ON CONFLICT (what) DO UPDATE SET n = audit.counts.n + 1 RETURNING n INTO result;
  END IF;
  RETURN result;
END $$;
CREATE FUNCTION public.walk_all() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  e hr.employees%ROWTYPE;
  d record;
  n int := (SELECT count(*) FROM public.items);
  c CURSOR FOR SELECT * FROM hr.badges;
  r refcursor;
  b record;
BEGIN
  FOR e IN SELECT * FROM hr.employees LOOP
    n := n + 1;
  END LOOP;
  FOR d IN SELECT * FROM hr.departments WHERE EXISTS (SELECT FROM sales.customers) LOOP
    CONTINUE WHEN d.id > (SELECT max(id) FROM sales.orders);
    n := n + d.id;
  END LOOP;
  FOR b IN c LOOP
    n := n + 1;
  END LOOP;
  OPEN r FOR SELECT * FROM sales.invoices;
  FETCH r INTO b;
  CLOSE r;
  WHILE n < (SELECT count(*) FROM sales.lines) LOOP
    n := n + 1;
  END LOOP;
  CASE (SELECT count(*) FROM public.t)
    WHEN 2 THEN n := n + (SELECT count(*) FROM public.u);
    ELSE n := 0;
  END CASE;
  PERFORM FROM public.shards;
  BEGIN
    INSERT INTO public.items VALUES (1, 'twice');
  EXCEPTION WHEN unique_violation THEN
    UPDATE audit.settings SET value = value;
  END;
  RETURN n;
END $$;
CREATE FUNCTION public.rows_of() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT name FROM hr.employees;
  RETURN NEXT (SELECT label FROM sales.items LIMIT 1);
  RETURN;
END $$;
CREATE FUNCTION public.fixed_dynamic() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE 'SELECT count(*) FROM hr.items' INTO n;
  RETURN n;
END $$;
CREATE FUNCTION public.count_rows(tab regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s', tab) INTO n;
  RETURN n;
END $$;
CREATE FUNCTION public.calls_others() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.note('called');
  PERFORM hr.headcount(1);
  IF public.bump('calls') > 0 THEN
    RAISE DEBUG 'total %', (SELECT count(*) FROM sales.refunds);
  END IF;
END $$;
CREATE FUNCTION public.recursive_one(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF n = 0 THEN RETURN (SELECT count(*) FROM public.items); END IF;
  RETURN public.recursive_one(n - 1);
END $$;
CREATE FUNCTION public.temp_work() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMP TABLE IF NOT EXISTS scratch ON COMMIT DROP AS SELECT * FROM public.items;
  RETURN (SELECT count(*) FROM scratch);
END $$;
CREATE FUNCTION public.changes_path() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'hr', true); END $$;

CREATE PROCEDURE hr.give_raise(e int, INOUT by_how_much numeric) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hr.employees SET salary = salary + by_how_much WHERE id = e RETURNING salary INTO by_how_much;
  PERFORM public.note('raise');
END $$;
CREATE PROCEDURE hr.close_year() LANGUAGE plpgsql AS $$
DECLARE
  x numeric := 1;
BEGIN
  CALL hr.give_raise(1, x);
  DELETE FROM hr.badge_uses WHERE used_at < now() - interval '1 year';
END $$;
CREATE PROCEDURE public.sql_procedure(k text) LANGUAGE sql AS $$ DELETE FROM audit.settings WHERE name = k; INSERT INTO audit.log (what) VALUES (k) $$;
CREATE PROCEDURE public.atomic_procedure() LANGUAGE sql BEGIN ATOMIC UPDATE public.t SET u = u + 1; DELETE FROM public.u; END;

-- Called without being named: aggregates, operators, casts, domains, defaults, checks, generated columns.
CREATE FUNCTION public.add_price(a numeric, sku text) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT a + (SELECT count(*) FROM sales.lines l WHERE l.sku = $2) $$;
CREATE AGGREGATE public.price_of(text) (SFUNC = public.add_price, STYPE = numeric, INITCOND = '0');
CREATE FUNCTION public.same_region(a int, b int) RETURNS boolean LANGUAGE sql STABLE
  AS $$ SELECT (SELECT region FROM sales.customers WHERE id = a) = (SELECT region FROM sales.customers WHERE id = b) $$;
CREATE OPERATOR public.=~= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.same_region);
CREATE TYPE public.badge_code AS (code text);
CREATE FUNCTION public.to_badge(i int) RETURNS public.badge_code LANGUAGE sql STABLE AS $$ SELECT ROW (code)::public.badge_code FROM hr.badges WHERE employee_id = i $$;
CREATE CAST (int AS public.badge_code) WITH FUNCTION public.to_badge(int);
CREATE FUNCTION public.is_open(s text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM audit.settings WHERE name = s) $$;
CREATE DOMAIN public.known_setting AS text CHECK (VALUE IS NULL OR public.is_open(VALUE));
CREATE FUNCTION public.next_item() RETURNS int LANGUAGE sql AS $$ SELECT coalesce(max(id), 0) + 1 FROM sales.items $$;
CREATE FUNCTION public.label_of(i int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT label FROM public.items WHERE id = i); END $$;
CREATE TABLE public.with_default (id int DEFAULT public.next_item(), setting public.known_setting, v text);
CREATE TABLE public.with_check (id int PRIMARY KEY, item int CHECK (public.label_of(item) IS NOT NULL));
CREATE TABLE public.with_generated (id int, label text GENERATED ALWAYS AS (public.label_of(id)) STORED);
CREATE TABLE public.with_sequence (id int DEFAULT nextval('public.ticket'), serial_id serial, v text);
CREATE TABLE public.with_index (id int, item int);
CREATE INDEX ON public.with_index (public.label_of(item));
INSERT INTO public.with_default VALUES (1, 'open', 'x');
INSERT INTO public.with_check VALUES (1, 1);
INSERT INTO public.with_generated VALUES (1);
INSERT INTO public.with_index VALUES (1, 1);
INSERT INTO public.with_sequence (v) VALUES ('x');
