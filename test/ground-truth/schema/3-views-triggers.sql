-- What hides tables behind another name, or behind a change.

CREATE VIEW public.staff AS SELECT e.id, e.name, d.name AS department FROM hr.employees e JOIN hr.departments d ON d.id = e.department_id;
CREATE VIEW public.staff_count AS SELECT department, count(*) AS n FROM public.staff GROUP BY department;
CREATE VIEW public.rich AS SELECT * FROM hr.employees WHERE salary > 1900 WITH LOCAL CHECK OPTION;
CREATE VIEW public.rich_sales AS SELECT * FROM public.rich WHERE department_id = 1 WITH CASCADED CHECK OPTION;
CREATE VIEW public.cheap AS SELECT * FROM sales.orders o WHERE o.total < (SELECT avg(total) FROM sales.orders) AND EXISTS (SELECT FROM sales.customers c WHERE c.id = o.customer_id) WITH CHECK OPTION;
CREATE VIEW hr.items_view AS SELECT * FROM hr.items;
CREATE VIEW public.by_function AS SELECT d.id, hr.headcount(d.id) AS n FROM hr.departments d;
CREATE VIEW public.from_function AS SELECT * FROM hr.top_paid(2);
CREATE VIEW public.all_items AS SELECT * FROM public.items UNION ALL SELECT * FROM hr.items UNION ALL SELECT * FROM sales.items;
CREATE VIEW public.with_cte AS WITH items AS (SELECT * FROM hr.badges) SELECT * FROM items;
CREATE VIEW public.event_view AS SELECT * FROM public.events WHERE kind = 'click';
CREATE VIEW public.invoker WITH (security_invoker) AS SELECT t, a.u AS n, b.u AS s FROM public.t a JOIN public.u b USING (t);
CREATE RECURSIVE VIEW public.chain (id, boss) AS
  SELECT id, manager_id FROM hr.employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id FROM hr.employees e JOIN chain c ON c.id = e.manager_id;
CREATE MATERIALIZED VIEW public.totals AS SELECT customer_id, sum(total) AS total FROM sales.orders GROUP BY 1;
CREATE UNIQUE INDEX ON public.totals (customer_id);
CREATE MATERIALIZED VIEW public.staff_mat AS SELECT * FROM public.staff;
CREATE VIEW public.over_mat AS SELECT * FROM public.totals WHERE total > 0;
CREATE VIEW "Odd Schema"."A View" AS SELECT "Id" AS id FROM "Odd Schema"."Mixed Case";

-- A view that is written through a trigger, and one through rules.
CREATE FUNCTION public.write_staff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO hr.employees (id, department_id, name) SELECT NEW.id, d.id, NEW.name FROM hr.departments d WHERE d.name = NEW.department;
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' THEN
    UPDATE hr.employees SET name = NEW.name WHERE id = OLD.id;
    RETURN NEW;
  END IF;
  DELETE FROM hr.employees WHERE id = OLD.id;
  RETURN OLD;
END $$;
CREATE TRIGGER write_staff INSTEAD OF INSERT OR UPDATE OR DELETE ON public.staff FOR EACH ROW EXECUTE FUNCTION public.write_staff();
CREATE VIEW public.settings_view AS SELECT name, value FROM audit.settings;
CREATE RULE ins AS ON INSERT TO public.settings_view DO INSTEAD INSERT INTO audit.settings VALUES (NEW.name, NEW.value);
CREATE RULE upd AS ON UPDATE TO public.settings_view DO INSTEAD (
  UPDATE audit.settings SET value = NEW.value WHERE name = OLD.name; INSERT INTO audit.log (what) VALUES (NEW.name));
CREATE RULE del AS ON DELETE TO public.settings_view DO INSTEAD NOTHING;

-- Rules on tables.
CREATE TABLE public.ruled (id int, v text);
INSERT INTO public.ruled VALUES (1, 'a');
CREATE RULE also AS ON INSERT TO public.ruled DO ALSO INSERT INTO audit.log (what) SELECT label FROM public.items WHERE id = NEW.id;
CREATE RULE elsewhere AS ON DELETE TO public.ruled DO INSTEAD UPDATE audit.counts SET n = n + 1 WHERE what = 'items';
CREATE RULE sometimes AS ON UPDATE TO public.ruled WHERE NEW.v = 'never' DO INSTEAD DELETE FROM hr.badge_uses;

-- Triggers: by row and statement, before and after, of columns, conditional, on partitions, on TRUNCATE, deferred.
CREATE TABLE public.watched (id int PRIMARY KEY, v text, w int DEFAULT 0);
INSERT INTO public.watched VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION public.log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.log (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME);
  RETURN NULL;
END $$;
CREATE FUNCTION public.check_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.items WHERE id > 0) THEN RAISE EXCEPTION 'no items'; END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION public.count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit.counts SET n = n + (SELECT count(*) FROM changed) WHERE what = 'items';
  RETURN NULL;
END $$;
CREATE FUNCTION public.call_bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.bump(TG_ARGV[0]); RETURN NEW; END $$;
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM hr.badge_uses; RETURN NULL; END $$;
CREATE TRIGGER a_before BEFORE INSERT ON public.watched FOR EACH ROW EXECUTE FUNCTION public.check_item();
CREATE TRIGGER b_after AFTER INSERT OR DELETE ON public.watched FOR EACH ROW EXECUTE FUNCTION public.log_change();
CREATE TRIGGER c_of AFTER UPDATE OF w ON public.watched FOR EACH ROW EXECUTE FUNCTION public.call_bump('w');
CREATE TRIGGER d_when AFTER UPDATE ON public.watched FOR EACH ROW WHEN (OLD.v = 'never') EXECUTE FUNCTION public.refuse();
CREATE TRIGGER e_statement AFTER UPDATE ON public.watched REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_change();
CREATE TRIGGER f_truncate AFTER TRUNCATE ON public.watched FOR EACH STATEMENT EXECUTE FUNCTION public.log_change();
CREATE CONSTRAINT TRIGGER g_deferred AFTER DELETE ON public.watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.call_bump('deleted');
CREATE TRIGGER on_parent AFTER INSERT ON public.events FOR EACH ROW EXECUTE FUNCTION public.log_change();
CREATE TRIGGER on_partition AFTER INSERT ON archive.events_2025_click FOR EACH ROW EXECUTE FUNCTION public.call_bump('click');
-- One that sets off another.
CREATE TABLE public.first (id int);
CREATE TABLE public.second (id int);
CREATE TABLE public.third (id int);
INSERT INTO public.first VALUES (1);
CREATE FUNCTION public.to_second() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.second VALUES (NEW.id); RETURN NEW; END $$;
CREATE FUNCTION public.to_third() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.third VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER go AFTER INSERT ON public.first FOR EACH ROW EXECUTE FUNCTION public.to_second();
CREATE TRIGGER go BEFORE INSERT ON public.second FOR EACH ROW EXECUTE FUNCTION public.to_third();
-- One whose SQL is made at run time.
CREATE TABLE public.opaque_one (id int);
CREATE FUNCTION public.any_sql() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO audit.lo' || 'g (what) VALUES (''x'')'; RETURN NEW; END $$;
CREATE TRIGGER go AFTER INSERT ON public.opaque_one FOR EACH ROW EXECUTE FUNCTION public.any_sql();
-- One on the table that a cascade deletes from.
CREATE TRIGGER on_lines AFTER DELETE OR UPDATE ON sales.lines FOR EACH ROW EXECUTE FUNCTION public.log_change();
CREATE TRIGGER disabled AFTER INSERT ON sales.customers FOR EACH ROW EXECUTE FUNCTION public.refuse();
ALTER TABLE sales.customers DISABLE TRIGGER disabled;

-- A trigger that changes a key which the statement does not set, and a key made from a column that it sets.
CREATE TABLE sales.codes (code text PRIMARY KEY, name text);
CREATE TABLE sales.code_uses (code text REFERENCES sales.codes ON UPDATE CASCADE);
CREATE FUNCTION public.recode() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.code := upper(NEW.name); RETURN NEW; END $$;
CREATE TRIGGER recode BEFORE UPDATE ON sales.codes FOR EACH ROW EXECUTE FUNCTION public.recode();
CREATE TABLE sales.made_codes (name text, code text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE);
CREATE TABLE sales.made_code_uses (code text REFERENCES sales.made_codes (code) ON UPDATE CASCADE);
INSERT INTO sales.codes VALUES ('A', 'a');
INSERT INTO sales.code_uses VALUES ('A');
INSERT INTO sales.made_codes VALUES ('A');
INSERT INTO sales.made_code_uses VALUES ('a');
CREATE FUNCTION public.on_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM hr.departments; RETURN NEW; END $$;
CREATE TRIGGER on_made AFTER UPDATE OF code ON sales.made_codes FOR EACH ROW EXECUTE FUNCTION public.on_made();

-- Policies, for a role that is not the owner.
CREATE TABLE public.notes (id int, owner text DEFAULT current_user, body text);
CREATE TABLE public.grants (who text, note int);
INSERT INTO public.notes VALUES (1, 'app', 'mine'), (2, 'clerk', 'theirs');
INSERT INTO public.grants VALUES ('app', 2);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON public.notes FOR SELECT USING (owner = current_user OR id IN (SELECT note FROM public.grants WHERE who = current_user));
CREATE POLICY made ON public.notes FOR INSERT WITH CHECK (public.is_open('open') AND owner = current_user);
CREATE POLICY changed ON public.notes FOR UPDATE USING (owner = current_user) WITH CHECK (EXISTS (SELECT FROM audit.counts));
CREATE POLICY gone ON public.notes FOR DELETE USING (owner = current_user AND EXISTS (SELECT FROM hr.departments));

GRANT ALL ON ALL TABLES IN SCHEMA public, hr, sales, audit, archive, "Odd Schema" TO app, clerk, porter, sales;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public, hr, sales, audit TO app, clerk, porter, sales;
GRANT ALL ON SCHEMA public, hr, sales, audit, archive, "Odd Schema" TO app, clerk, porter, sales;
GRANT app TO clerk, sales;
GRANT clerk TO sales;
