-- Places where a function is called without a call being written.

-- A default of a function's argument, of a view's column; a cast that is not written.
CREATE FUNCTION public.with_argument(x int DEFAULT public.next_item(), y text DEFAULT public.one_expr(1)) RETURNS text LANGUAGE sql AS $$ SELECT x || y $$;
CREATE TYPE public.code2 AS (code text);
CREATE FUNCTION public.to_code2(t text) RETURNS public.code2 LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM FROM sales.items; RETURN ROW (t); END $$;
CREATE CAST (text AS public.code2) WITH FUNCTION public.to_code2(text) AS IMPLICIT;
CREATE FUNCTION public.take_code(c public.code2) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT (c).code $$;
CREATE TABLE public.with_code (id int, c public.code2);
INSERT INTO public.with_code VALUES (1, ROW ('x'));
CREATE VIEW public.view_default AS SELECT id, label FROM hr.items;
ALTER VIEW public.view_default ALTER label SET DEFAULT public.one_expr(1);

-- Operators in a view, a policy, a check; an aggregate in a view.
CREATE VIEW public.by_operator AS SELECT * FROM public.t WHERE t OPERATOR(public.=~=) u;
CREATE VIEW public.by_aggregate AS SELECT public.price_of(label) AS price FROM public.items;
CREATE VIEW public.by_cast AS SELECT t::public.badge_code AS badge FROM public.t;

-- Triggers that a cascade, a child, TRUNCATE CASCADE set off.
CREATE TRIGGER on_orders AFTER UPDATE OF customer_id ON sales.orders FOR EACH ROW EXECUTE FUNCTION public.call_bump('moved');
CREATE TRIGGER on_badges AFTER TRUNCATE ON hr.badges FOR EACH STATEMENT EXECUTE FUNCTION public.log_change();
CREATE TABLE public.base (id int, v text);
CREATE TABLE public.derived () INHERITS (public.base);
INSERT INTO public.derived VALUES (1, 'x');
CREATE TRIGGER on_derived AFTER UPDATE OR DELETE ON public.derived FOR EACH ROW EXECUTE FUNCTION public.log_change();
CREATE FUNCTION public.with_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit.counts SET n = n + (SELECT count(*) FROM departments) WHERE what = 'items';
  RETURN NULL;
END $$;
CREATE TABLE public.transitions (id int);
CREATE TRIGGER tr AFTER INSERT ON public.transitions REFERENCING NEW TABLE AS departments FOR EACH STATEMENT EXECUTE FUNCTION public.with_transition();

-- A cursor that outlives the function, a function that calls by a variable, one that commits nothing, one with its own exception.
CREATE FUNCTION public.open_cursor() RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
  c refcursor := 'kept';
BEGIN
  OPEN c FOR SELECT * FROM hr.badges;
  RETURN c;
END $$;
CREATE FUNCTION public.many_ways(k int) RETURNS int LANGUAGE plpgsql AS $$
<<outer_block>>
DECLARE
  r record;
  n int := 0;
  ids int[] := ARRAY(SELECT id FROM hr.items);
BEGIN
  GET DIAGNOSTICS n = ROW_COUNT;
  <<inner_block>>
  DECLARE
    d hr.departments;
  BEGIN
    SELECT * INTO STRICT d FROM hr.departments WHERE id = 1;
    n := n + d.id;
  END;
  FOR r IN WITH items AS (SELECT * FROM sales.items) SELECT * FROM items LOOP
    n := n + r.id;
  END LOOP;
  FOR i IN REVERSE 3..1 BY 2 LOOP
    EXIT WHEN EXISTS (SELECT FROM public.holder);
  END LOOP;
  RETURN n + coalesce((SELECT sum(x) FROM unnest(ids) AS x), 0) + (SELECT count(*) FROM LATERAL (SELECT 1 FROM public.u) AS items);
EXCEPTION
  WHEN division_by_zero OR no_data_found THEN
    INSERT INTO public.third VALUES (k);
    RETURN 0;
END $$;
CREATE FUNCTION public.one_of(kind text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE kind WHEN 'a' THEN (SELECT count(*) FROM hr.items) ELSE (SELECT count(*) FROM sales.items) END;
END $$;
CREATE FUNCTION public.upsert_all() RETURNS void LANGUAGE sql AS $$
  WITH source AS (SELECT id, label FROM hr.items)
  INSERT INTO public.items SELECT id, label FROM source ON CONFLICT (id) DO UPDATE SET label = excluded.label WHERE EXISTS (SELECT FROM sales.items);
  MERGE INTO public.t USING public.u ON t.t = u.t WHEN MATCHED THEN UPDATE SET u = 1;
$$;

-- An event trigger, for one command only.
CREATE FUNCTION public.log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit.log (what) VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER log_ddl ON ddl_command_end WHEN TAG IN ('CREATE COLLATION') EXECUTE FUNCTION public.log_ddl();

-- Views over a table with policies: the owner's rights, and the reader's.
CREATE VIEW public.notes_owned AS SELECT * FROM public.notes;
CREATE VIEW public.notes_invoked WITH (security_invoker) AS SELECT * FROM public.notes;
GRANT ALL ON ALL TABLES IN SCHEMA public TO app, clerk, porter, sales;
