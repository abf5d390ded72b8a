-- Tables of several schemas, with few rows in each: triggers and functions of a table without rows do nothing.

CREATE ROLE app;
CREATE ROLE clerk LOGIN;
CREATE ROLE sales LOGIN;
CREATE SCHEMA hr;
CREATE SCHEMA sales;
CREATE SCHEMA audit;
CREATE SCHEMA archive;
CREATE SCHEMA "Odd Schema";
CREATE ROLE porter LOGIN;
ALTER ROLE porter SET search_path = hr;
ALTER ROLE porter IN DATABASE postgres SET search_path = sales, public;
ALTER ROLE clerk SET search_path = hr, public;

-- Names that are in more than one schema.
CREATE TABLE public.items (id int PRIMARY KEY, label text);
CREATE TABLE hr.items (id int PRIMARY KEY, label text);
CREATE TABLE sales.items (id int PRIMARY KEY, label text);
INSERT INTO public.items VALUES (1, 'public'), (2, 'public'), (3, 'public');
INSERT INTO hr.items VALUES (1, 'hr'), (2, 'hr');
INSERT INTO sales.items VALUES (1, 'sales');

CREATE TABLE hr.departments (id int PRIMARY KEY, name text NOT NULL, budget numeric DEFAULT 0);
CREATE TABLE hr.employees (
  id int PRIMARY KEY,
  department_id int NOT NULL REFERENCES hr.departments ON DELETE CASCADE ON UPDATE CASCADE,
  manager_id int REFERENCES hr.employees ON DELETE SET NULL,
  name text NOT NULL,
  salary numeric NOT NULL DEFAULT 1000,
  hired date DEFAULT current_date
);
CREATE TABLE hr.badges (employee_id int PRIMARY KEY REFERENCES hr.employees ON DELETE CASCADE ON UPDATE CASCADE, code text);
CREATE TABLE hr.badge_uses (badge int REFERENCES hr.badges ON DELETE CASCADE ON UPDATE CASCADE, used_at timestamptz);
INSERT INTO hr.departments VALUES (1, 'Sales', 100), (2, 'Law', 200), (3, 'Works', 300);
INSERT INTO hr.employees VALUES (1, 1, NULL, 'Ada', 3000), (2, 1, 1, 'Ben', 2000), (3, 2, 1, 'Cleo', 2500), (4, 3, 2, 'Dora', 1500);
INSERT INTO hr.badges VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO hr.badge_uses VALUES (1, now()), (2, now()), (3, now());

-- Odd names.
CREATE TABLE "Odd Schema"."Mixed Case" ("Id" int PRIMARY KEY, "a ""quoted"" name" text, "select" int);
CREATE TABLE "Odd Schema"."with.dot" (id int, "from" text);
CREATE TABLE public."Items" (id int PRIMARY KEY, label text);
CREATE TABLE public."select" (id int, "table" text);
CREATE TABLE public."user" (id int, "order" text);
CREATE TABLE public."""" (id int);
CREATE TABLE public."grün" (id int, "größe" int);
CREATE TABLE public."été" (id int);
CREATE TABLE public.a_table_with_a_name_that_is_just_as_long_as_a_name_can_ever_be_ (id int);
CREATE TABLE public.unnest (id int);
CREATE TABLE public.count (id int);
CREATE TABLE public.t (t int, u int);
CREATE TABLE public.u (t int, u text);
INSERT INTO "Odd Schema"."Mixed Case" VALUES (1, 'x', 2);
INSERT INTO public."Items" VALUES (1, 'quoted');
INSERT INTO public.t VALUES (1, 1), (2, 2);
INSERT INTO public.u VALUES (1, '1');

-- Columns named like tables, and columns of composite types.
CREATE TYPE public.money_pair AS (items numeric, currency text);
CREATE TABLE public.holder (items int, departments hr.departments, pair public.money_pair, docs jsonb, doc xml, tags text[]);
INSERT INTO public.holder VALUES (1, ROW (1, 'x', 2), ROW (1, 'EUR'), '[{"id": 1, "name": "a"}]', '<r><i id="1"/></r>', '{a,b}');

-- Queues and logs that others write.
CREATE TABLE audit.log (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), what text, who text DEFAULT current_user);
CREATE TABLE audit.counts (what text PRIMARY KEY, n bigint NOT NULL DEFAULT 0);
CREATE TABLE audit.settings (name text PRIMARY KEY, value text);
INSERT INTO audit.counts VALUES ('orders', 0), ('items', 0);
INSERT INTO audit.settings VALUES ('limit', '100'), ('open', 'true');

-- Partitions, also in another schema, nested, with a default one.
CREATE TABLE public.events (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, kind text NOT NULL, body jsonb, PRIMARY KEY (id, at, kind))
  PARTITION BY RANGE (at);
CREATE TABLE public.events_2024 PARTITION OF public.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE archive.events_2025 PARTITION OF public.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE archive.events_2025_click PARTITION OF archive.events_2025 FOR VALUES IN ('click');
CREATE TABLE archive.events_2025_rest PARTITION OF archive.events_2025 DEFAULT;
CREATE TABLE public.events_other PARTITION OF public.events DEFAULT;
CREATE TABLE public.event_notes (event_id bigint, event_at date, event_kind text, note text,
  FOREIGN KEY (event_id, event_at, event_kind) REFERENCES public.events ON DELETE CASCADE);
INSERT INTO public.events (at, kind) VALUES ('2024-05-01', 'view'), ('2025-05-01', 'click'), ('2025-06-01', 'view'), ('2030-01-01', 'odd');
INSERT INTO public.event_notes VALUES (1, '2024-05-01', 'view', 'first'), (2, '2025-05-01', 'click', 'second');
CREATE TABLE public.shards (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE public.shards_0 PARTITION OF public.shards FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.shards_1 PARTITION OF public.shards FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO public.shards SELECT g, 'v' || g FROM generate_series(1, 10) g;

-- Inheritance, two levels, two parents.
CREATE TABLE public.vehicles (id int, wheels int);
CREATE TABLE public.cars (seats int) INHERITS (public.vehicles);
CREATE TABLE public.taxis (licence text) INHERITS (public.cars);
CREATE TABLE public.boats (id int, draught numeric);
CREATE TABLE public.amphibians () INHERITS (public.cars, public.boats);
INSERT INTO public.vehicles VALUES (1, 2);
INSERT INTO public.cars VALUES (2, 4, 5);
INSERT INTO public.taxis VALUES (3, 4, 4, 'T');
INSERT INTO public.amphibians VALUES (4, 4, 2, 1.5);

-- Keys of every action.
CREATE TABLE sales.customers (id int PRIMARY KEY, code text UNIQUE, name text, region text DEFAULT 'north');
CREATE TABLE sales.orders (
  id int PRIMARY KEY,
  customer_id int DEFAULT 1 REFERENCES sales.customers ON DELETE SET DEFAULT ON UPDATE CASCADE,
  customer_code text REFERENCES sales.customers (code) ON UPDATE CASCADE ON DELETE SET NULL,
  total numeric DEFAULT 0,
  state text DEFAULT 'new'
);
CREATE TABLE sales.lines (
  order_id int REFERENCES sales.orders ON DELETE CASCADE ON UPDATE CASCADE,
  line int, sku text, qty int DEFAULT 1, PRIMARY KEY (order_id, line)
);
CREATE TABLE sales.line_notes (
  order_id int, line int, note text,
  FOREIGN KEY (order_id, line) REFERENCES sales.lines ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE sales.invoices (id int PRIMARY KEY, order_id int REFERENCES sales.orders ON DELETE RESTRICT, amount numeric);
CREATE TABLE sales.refunds (id int PRIMARY KEY, invoice_id int REFERENCES sales.invoices DEFERRABLE INITIALLY DEFERRED);
INSERT INTO sales.customers VALUES (1, 'A', 'Ann'), (2, 'B', 'Bob'), (3, 'C', 'Cat');
INSERT INTO sales.orders VALUES (1, 1, 'A', 10), (2, 2, 'B', 20), (3, 3, 'C', 30), (4, 2, 'B', 40);
INSERT INTO sales.lines VALUES (1, 1, 's1'), (1, 2, 's2'), (2, 1, 's1'), (3, 1, 's3'), (4, 1, 's4');
INSERT INTO sales.line_notes VALUES (1, 1, 'n'), (2, 1, 'm'), (3, 1, 'o');
INSERT INTO sales.invoices VALUES (1, 1, 10);
INSERT INTO sales.refunds VALUES (1, 1);

CREATE SEQUENCE public.ticket;
CREATE SEQUENCE hr.badge_no OWNED BY hr.badges.code;
