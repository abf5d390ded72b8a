select * from "users" where "id" = $1
select * from "users" where "id" = $1 for update skip locked
select (select count(*) from "inventory" where "product_id" = "users"."id") as "n" from "users"
insert into "users" ("id") select "id" from "products"
delete from "users" using "products" where "products"."id" = $1
select distinct "device", "ended_at" from "sessions"
with "big" as materialized (select * from "sessions" where "user_id" > $1) select * from "big" limit $2
select * from "sessions" as "c" natural join "users"
with "gone" as (delete from "sessions" where "id" < $1 returning *) insert into "inventory" select * from "gone"
truncate "sessions" restart identity
select * from "products" where ("id" > $1 or "name" like $2) and "price" between $3 and $4
with recursive "tree" as (select * from "products" where "id" = $1 union all select "c".* from "products" as "c" inner join "tree" on "c"."id" = "tree"."id") select * from "tree"
insert into "products" select "id" from "reviews" limit $1
delete from "products" where "name" is null returning "id"
select count(distinct "updated_at") as "n" from "inventory"
with "recent" as (select * from "inventory" where "updated_at" > $1) select * from "recent" cross join "order_items"
select "c"."product_id" from "inventory" as "c" full outer join "products" on "c"."product_id" = "products"."id" group by "c"."product_id"
insert into "inventory" ("product_id") select "id" from "orders"
delete from "inventory" using "orders" where "orders"."id" = $1
select distinct "body", "created_at" from "reviews"
with "big" as materialized (select * from "reviews" where "rating" > $1) select * from "big" limit $2
select * from "reviews" as "c" natural join "products"
insert into "reviews" ("body", "created_at", "id", "product_id", "rating", "user_id") values ($1, $2, $3, $4, $5, $6)
update "reviews" set "body" = ((select max("price") from "order_items")) where "id" in (select "order_id" from "order_items")
select "id", "status" as "label" from "orders" where "status" in ($1, $2) order by "id" desc limit $3 offset $4
select * from "orders" where "id" in (select "Id" from "BlogPost" where "title" is not null)
select row_number() over (order by "id") as "n", "status" from "orders"
insert into "orders" ("id", "placed_at", "status", "total", "user_id") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10), ($11, $12, $13, $14, $15), ($16, $17, $18, $19, $20), ($21, $22, $23, $24, $25) returning "id"
update "orders" set "status" = $1 from "payments" where "payments"."id" = $2
select * from "order_items" where "price" is null and not "price" = $1 order by "price" nulls last
select * from "order_items" where exists (select 1 from "user" as "o" where o."id" > 1)
select jsonb_path_query("meta", $1) as "n" from "order_items"
select * from "order_items" as "c" right outer join "products" as "p" on "c"."product_id" = "p"."id" and "p"."id" < $1
insert into "order_items" select "Id" from "BlogPost" limit $1
delete from "order_items" where "price" is null returning "order_id"
select count(distinct "method") as "n" from "payments"
with "recent" as (select * from "payments" where "paid_at" > $1) select * from "recent" cross join "Line Items"
select "c"."id" from "payments" as "c" full outer join "orders" on "c"."order_id" = "orders"."id" group by "c"."id"
insert into "payments" ("id") select "id" from "user"
delete from "payments" using "user" where "user"."id" = $1
select distinct "title", "deletedAt" from "BlogPost"
with "big" as materialized (select * from "BlogPost" where "authorId" > $1) select * from "big" limit $2
select * from "BlogPost" as "c" natural join "user"
with "gone" as (delete from "BlogPost" where "Id" < $1 returning *) insert into "Line Items" select * from "gone"
truncate "BlogPost" restart identity
select * from "user" where ("id" > $1 or "group" like $2) and "order" between $3 and $4
with recursive "tree" as (select * from "user" where "id" = $1 union all select "c".* from "user" as "c" inner join "tree" on "c"."id" = "tree"."id") select * from "tree"
insert into "user" select "id" from "ledger" limit $1
delete from "user" where "group" is null returning "id"
select count(distinct "select") as "n" from "Line Items"
with "recent" as (select * from "Line Items" where "select" > $1) select * from "recent" cross join "users"
select "c"."ItemId" from "Line Items" as "c" full outer join "BlogPost" on "c"."PostId" = "BlogPost"."Id" group by "c"."ItemId"
insert into "Line Items" ("ItemId") select "id" from "accounts"
delete from "Line Items" using "accounts" where "accounts"."id" = $1
select distinct "meta", "meta" from "finance"."ledger"
with "big" as materialized (select * from "finance"."ledger" where "amount" > $1) select * from "big" limit $2
select * from "ledger" as "c" natural join "accounts"
with "gone" as (delete from "finance"."ledger" where "id" < $1 returning *) insert into "users" select * from "gone"
truncate "finance"."ledger" restart identity
select * from "finance"."accounts" where ("id" > $1 or "owner" like $2) and "open" between $3 and $4
with recursive "tree" as (select * from "accounts" where "id" = $1 union all select "c".* from "accounts" as "c" inner join "tree" on "c"."id" = "tree"."id") select * from "tree"
insert into "finance"."accounts" select "id" from "sessions" limit $1
delete from "finance"."accounts" where "owner" is null returning "id"
create type "id_kind" as enum ('a', 'b')
alter table "users" add constraint positive check("id" > 0)
create table "sessions" ("id" serial primary key, "user_id" text not null default 'x', "device" text not null default 'x', "started_at" text not null default 'x', "ended_at" text not null default 'x', "user_id_2" integer, "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP)
alter table "sessions" drop column "device"
alter table "sessions" rename to "sessions_old"
create index "products_sku_index" on "products" ("sku")
alter table "products" drop constraint "products_name_unique"
create materialized view "products_all" as select * from "products"
create table "inventory_copy" (like "inventory" including all)
alter table "inventory" alter column "product_id" set not null
drop materialized view "inventory_all"
alter table "reviews" add constraint "reviews_id_body_unique" unique ("id", "body")
alter table "reviews" alter column "id" set not null
drop materialized view "reviews_all"
alter table "orders" add column "extra" varchar(40) null, add column "kind" "id_kind"
alter table "orders" add constraint "orders_id_foreign" foreign key ("id") references "users" ("id") on update SET NULL
comment on table "order_items" is 'made by a migration'
alter table "order_items" add column "extra" varchar(40) null, add column "kind" "order_id_kind"
alter table "order_items" add constraint "order_items_order_id_foreign" foreign key ("order_id") references "users" ("id") on update SET NULL
comment on table "payments" is 'made by a migration'
alter table "payments" rename "id" to "old_key"
drop table "payments"
create index "blogpost_title_index" on "BlogPost" ("title")
alter table "BlogPost" drop constraint "blogpost_title_foreign"
create view "BlogPost_view" ("Id") as select "Id" from "BlogPost" where "Id" > 3
create table "user_copy" (like "user" including all)
alter table "user" add constraint positive check("id" > 0)
create table "Line Items" ("ItemId" serial primary key, "PostId" text not null default 'x', "select" text not null default 'x', "PostId_2" integer, "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP)
alter table "Line Items" rename "ItemId" to "old_key"
drop table "Line Items"
create index "ledger_amount_index" on "finance"."ledger" ("amount")
alter table "finance"."ledger" drop constraint "ledger_meta_foreign"
create view "finance"."ledger_view" ("id") as select "id" from "ledger" where "id" > 3
create table "finance"."accounts_copy" (like "finance"."accounts" including all)
alter table "finance"."accounts" add constraint positive check("id" > 0)
select "id", "email" from "users" where "email" in ($1, $2) order by "id" desc limit $3 offset $4
with "recent" as (select * from "users" where "id" > $1) select * from "recent"
select case when "id" > $1 then $2 else $3 end as "c" from "users"
update "users" as "a" set "email" = $1 from "reviews" as "b" where "a"."id" = "b"."id"
alter table "users" add constraint "only_one" unique ("email")
select "id", "device" from "sessions" where "device" in ($1, $2) order by "id" desc limit $3 offset $4
with "recent" as (select * from "sessions" where "user_id" > $1) select * from "recent"
select case when "id" > $1 then $2 else $3 end as "c" from "sessions"
with "new" as (insert into "sessions" ("id", "user_id", "device", "started_at", "ended_at") values ($1, $2, $3, $4, $5) returning "id") insert into "orders" ("id") select "new"."id" from "new"
alter table "sessions" add column "extra" integer default 7, add column "more" jsonb
refresh materialized view concurrently "sessions_mat" with data
select * from "products" where ("id" > $1 or ("name" like $2 and not "price" = $3))
select * from "products" where "id" = $1 for update skip locked
insert into "products" ("id") select "order_id" from "order_items"
create table if not exists "products" ("id" serial primary key, "sku" text not null, "name" text not null, "price" text not null)
create or replace view "products_view" as select * from "products"
select avg("quantity") over(partition by "updated_at" order by "product_id") as "a" from "inventory"
select "product_id" from "inventory" except select "Id" from "BlogPost"
select (select coalesce(json_agg(c), '[]') from (select * from "inventory" where "inventory"."product_id" = "p"."id") as c) as "children" from "products" as "p"
delete from "inventory" where "product_id" < $1 returning *
alter table "inventory" add constraint "fk" foreign key ("product_id") references "users" ("id") on update cascade
select distinct "t"."id" as "k" from "reviews" as "t"
with "reviews" as (select * from "user") select * from "reviews" limit $1
select * from "reviews" as "c" left join "products" as "p" on "c"."product_id" = "p"."id" and "p"."id" > $1
insert into "reviews" ("id") select "Id" from "BlogPost"
create table if not exists "reviews" ("id" serial primary key, "product_id" text references "products" ("id") on delete cascade, "user_id" text references "users" ("id") on delete cascade, "rating" text not null, "body" text not null, "created_at" text not null)
create or replace view "reviews_view" as select * from "reviews"
select count("id") filter(where "status" is not null) as "n" from "orders"
select "a".* from "orders" as "a", "Line Items" as "b" where "a"."id" = $1
insert into "orders" ("id", "user_id", "status", "total", "placed_at") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) returning *
delete from "orders" using "user" where "orders"."id" = "user"."id"
alter table "orders" drop constraint "only_one"
select distinct "t"."order_id" as "k" from "order_items" as "t"
with "order_items" as (select * from "finance"."ledger") select * from "order_items" limit $1
select case when "order_id" > $1 then $2 else $3 end as "c" from "order_items"
insert into "order_items" ("order_id", "line", "product_id", "quantity", "price") values ($1, $2, $3, $4, $5) on conflict ("order_id", "price") do nothing
merge into "order_items" using "Line Items" as "s" on "order_items"."order_id" = "s"."ItemId" when matched then delete
create index "order_items_part" on "order_items" using gin (to_tsvector('simple', "price")) where "order_id" > 3
select count(*) as "n", sum("amount") as "s" from "payments" group by "method" having count(*) > $1
select "id" from "payments" union select "id" from "finance"."accounts" order by "id"
select * from "orders" as "p" left join lateral (select * from "payments" where "payments"."order_id" = "p"."id" limit $1) as "last" on true
update "payments" set "amount" = "amount" + $1 where "id" in (select "id" from "finance"."ledger")
alter table "payments" alter column "method" set not null
drop table if exists "payments" cascade
select (select max("users"."id") as "m" from "users") as "newest" from "BlogPost"
select json_agg("BlogPost".*) as "all" from "BlogPost"
insert into "BlogPost" default values returning "Id"
create temporary table "BlogPost_tmp" as select * from "BlogPost"
create materialized view "BlogPost_mat" as select "Id" from "BlogPost"
select count("id") filter(where "group" is not null) as "n" from "user"
select "a".* from "user" as "a", "sessions" as "b" where "a"."id" = $1
insert into "user" ("id", "order", "group") values ($1, $2, $3) on conflict ("id", "group") do nothing
merge into "user" using "users" as "s" on "user"."id" = "s"."id" when matched then delete
create index "user_part" on "user" using gin (to_tsvector('simple', "group")) where "id" > 3
select count(*) as "n", sum("PostId") as "s" from "Line Items" group by "select" having count(*) > $1
select "ItemId" from "Line Items" union select "id" from "products" order by "ItemId"
select * from "BlogPost" as "p" left join lateral (select * from "Line Items" where "Line Items"."PostId" = "p"."Id" limit $1) as "last" on true
update "Line Items" as "a" set "select" = $1 from "sessions" as "b" where "a"."ItemId" = "b"."id"
alter table "Line Items" add constraint "only_one" unique ("select")
select "id", "meta" from "finance"."ledger" where "meta" in ($1, $2) order by "id" desc limit $3 offset $4
with "recent" as (select * from "finance"."ledger" where "amount" > $1) select * from "recent"
select case when "id" > $1 then $2 else $3 end as "c" from "finance"."ledger"
with "new" as (insert into "finance"."ledger" ("id", "account_id", "amount", "meta") values ($1, $2, $3, $4) returning "id") insert into "products" ("id") select "new"."id" from "new"
alter table "finance"."ledger" add column "extra" integer default 7, add column "more" jsonb
refresh materialized view concurrently "finance"."ledger_mat" with data
select * from "finance"."accounts" where ("id" > $1 or ("owner" like $2 and not "open" = $3))
select * from "finance"."accounts" where "id" = $1 for update skip locked
insert into "finance"."accounts" ("id") select "product_id" from "inventory"
create table if not exists "finance"."accounts" ("id" serial primary key, "owner" text not null, "open" text not null)
create or replace view "finance"."accounts_view" as select * from "finance"."accounts"
commit
insert into "users" ("created_at", "email", "id", "name") values ($1, $2, $3, $4), ($5, $6, $7, $8) returning "id"
select "users".* from "users" where "id" in (select "id" from "users" where "id" = $1)
select (select count(*) from "sessions" as "all_sessions" where "all_sessions"."user_id" = "users"."id") as "n" from "users"
update "reviews" set "email" = $1 where "reviews"."user_id" in (select "users"."id" from "users" where "email" = $2)
select "sessions".* from "sessions" where "sessions"."id" = $1
select "sessions".* from "sessions" where "sessions"."id" in ($1)
select "sessions".* from "sessions" where "sessions"."id" = $1 for update
select "products".* from "products" where "products"."id" = $1
select "products".* from "products" where "products"."id" in ($1)
select "products".* from "products" where "products"."id" = $1 for update
delete from "inventory" where "inventory"."product_id" in ($1)
select "products".* from "products" inner join "order_items" as "all_order_items" on "all_order_items"."product_id" = "products"."id"
select count(*) as "count" from (select "product_id" from "inventory" where "quantity" > $1) as "temp"
update "inventory" set "quantity" = "quantity" + $1 where "inventory"."product_id" = $2
select "inventory".* from "inventory" where exists (select "the_products".* from "products" as "the_products" where "the_products"."id" = "inventory"."product_id")
select "reviews".* from "reviews" where "body" is not null limit $1
delete from "reviews" where "reviews"."id" = $1
select (select count(*) from "products" as "the_products" where "the_products"."id" = "reviews"."product_id") as "n" from "reviews"
delete from "users" where "users"."id" in (select "reviews"."user_id" from "reviews" where "reviews"."id" in ($1))
insert into "orders" ("id", "placed_at", "status", "total", "user_id") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) returning "id"
select "orders".* from "orders" where "id" in (select "id" from "orders" where "total" = $1)
delete from "users" where "users"."id" in (select "orders"."user_id" from "orders" where "orders"."id" in ($1))
select "orders".* from "orders" inner join "payments" as "all_payments" on "all_payments"."order_id" = "orders"."id"
select count(*) as "count" from (select "order_id" from "order_items" where "price" > $1) as "temp"
update "order_items" set "price" = "price" + $1 where "order_items"."order_id" = $2
select "order_items".* from "order_items" where exists (select "the_orders".* from "orders" as "the_orders" where "the_orders"."id" = "order_items"."order_id")
delete from "products" where "products"."id" in (select "order_items"."product_id" from "order_items" where "order_items"."order_id" in ($1))
insert into "payments" ("amount", "id", "method", "order_id", "paid_at") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) returning "id"
select "payments".* from "payments" where "id" in (select "id" from "payments" where "amount" = $1)
delete from "orders" where "orders"."id" in (select "payments"."order_id" from "payments" where "payments"."id" in ($1))
insert into "BlogPost" ("Id", "authorId", "deletedAt", "title") values ($1, $2, $3, $4), ($5, $6, $7, $8) returning "Id"
select "BlogPost".* from "BlogPost" where "Id" in (select "Id" from "BlogPost" where "authorId" = $1)
update "user" set "title" = $1 where "user"."id" in (select "BlogPost"."authorId" from "BlogPost" where "title" = $2)
select "user".* from "user" where "user"."id" = $1
insert into "user" ("group", "id", "order") values ($1, $2, $3) on conflict ("id") do update set "group" = excluded."group", "id" = excluded."id", "order" = excluded."order" returning "id"
select "user".* from "user"
select "Line Items".* from "Line Items" where "Line Items"."ItemId" = $1
select "Line Items".* from "Line Items" where "Line Items"."ItemId" in ($1)
select "Line Items".* from "Line Items" where "Line Items"."ItemId" = $1 for update
select "finance"."ledger".* from "finance"."ledger" where "finance"."ledger"."id" = $1
select "finance"."ledger".* from "finance"."ledger" where "finance"."ledger"."id" in ($1)
select "finance"."ledger".* from "finance"."ledger" where "finance"."ledger"."id" = $1 for update
delete from "finance"."accounts" where "finance"."accounts"."id" in (select "finance"."ledger"."account_id" from "finance"."ledger" where "finance"."ledger"."id" in ($1))
insert into "finance"."accounts" ("id", "open", "owner") values ($1, $2, $3), ($4, $5, $6) returning "id"
select "finance"."accounts".* from "finance"."accounts" where "finance"."accounts"."id" = $1 for update
delete from "finance"."ledger" where "finance"."ledger"."account_id" in ($1)
SELECT "id", "name", "email", "created_at" FROM "users" AS "users" WHERE "users"."id" BETWEEN 1 AND 9 LIMIT 5;
CREATE OR REPLACE FUNCTION pg_temp.testfunc(OUT response "users", OUT sequelize_caught_exception text) RETURNS RECORD AS $func_ac93da8c27d74bef8f1b99147f78f81f$ BEGIN INSERT INTO "users" ("id","name","email","created_at") VALUES (1,'it''s 2','it''s 3','2025-01-05 00:00:00.000 +00:00') RETURNING * INTO response; EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS sequelize_caught_exception = PG_EXCEPTION_DETAIL; END $func_ac93da8c27d74bef8f1b99147f78f81f$ LANGUAGE plpgsql; SELECT (testfunc.response)."id", (testfunc.response)."name", (testfunc.response)."email", (testfunc.response)."created_at", testfunc.sequelize_caught_exception FROM pg_temp.testfunc(); DROP FUNCTION IF EXISTS pg_temp.testfunc();
DROP TABLE IF EXISTS "users" CASCADE;
SELECT "users"."id", "users"."name", "users"."email", "users"."created_at" FROM "users" AS "users" LIMIT 2;
SELECT "id", "user_id", "device", "started_at", "ended_at" FROM "sessions" AS "sessions" WHERE "sessions"."id" = 1;
INSERT INTO "sessions" ("id","user_id","device","started_at","ended_at") VALUES ($1,$2,$3,$4,$5) RETURNING "id","user_id","device","started_at","ended_at";
TRUNCATE "sessions" RESTART IDENTITY CASCADE
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_ck" CHECK ("user_id" > 0);
SELECT "id", "sku", "name", "price" FROM "products" AS "products" WHERE CAST("name" AS TEXT) ILIKE '%x%' LIMIT 1;
INSERT INTO "products" ("id","sku","name","price") VALUES (1,'it''s 2','it''s 3','4.50'),(2,'it''s 3','it''s 4','5.50') ON CONFLICT DO NOTHING RETURNING "id","sku","name","price";
SELECT "id", "sku", "name", "price" FROM "products" AS "products" FOR UPDATE SKIP LOCKED;
ALTER TABLE "products" RENAME TO "products_old";
SELECT "id", "product_id", "user_id", "rating", "body", "created_at" FROM "reviews" AS "reviews" WHERE "reviews"."product_id" = 1;
SELECT count(DISTINCT("product_id")) AS "count" FROM "inventory" AS "inventory";
UPDATE "inventory" SET "quantity"="quantity"+ 2 WHERE "product_id" = 1 RETURNING *
ALTER TABLE "public"."inventory" DROP COLUMN "updated_at";
SELECT "inventory".*, "the products"."id" AS "the products.id", "the products"."sku" AS "the products.sku", "the products"."name" AS "the products.name", "the products"."price" AS "the products.price", "the products->all reviews"."id" AS "the products.all reviews.id", "the products->all reviews"."product_id" AS "the products.all reviews.product_id", "the products->all reviews"."user_id" AS "the products.all reviews.user_id", "the products->all reviews"."rating" AS "the products.all reviews.rating", "the products->all reviews"."body" AS "the products.all reviews.body", "the products->all reviews"."created_at" AS "the products.all reviews.created_at", "the products->all reviews->the users"."id" AS "the products.all reviews.the users.id", "the products->all reviews->the users"."name" AS "the products.all reviews.the users.name", "the products->all reviews->the users"."email" AS "the products.all reviews.the users.email", "the products->all reviews->the users"."created_at" AS "the products.all reviews.the users.created_at", "the products->all reviews->the users->all sessions"."id" AS "the products.all reviews.the users.all sessions.id", "the products->all reviews->the users->all sessions"."user_id" AS "the products.all reviews.the users.all sessions.user_id", "the products->all reviews->the users->all sessions"."device" AS "the products.all reviews.the users.all sessions.device", "the products->all reviews->the users->all sessions"."started_at" AS "the products.all reviews.the users.all sessions.started_at", "the products->all reviews->the users->all sessions"."ended_at" AS "the products.all reviews.the users.all sessions.ended_at", "the products->all reviews->the users->all orders"."id" AS "the products.all reviews.the users.all orders.id", "the products->all reviews->the users->all orders"."user_id" AS "the products.all reviews.the users.all orders.user_id", "the products->all reviews->the users->all orders"."status" AS "the products.all reviews.the users.all orders.status", "the products->all reviews->the users->all orders"."total" AS "the products.all reviews.the users.all orders.total", "the products->all reviews->the users->all orders"."placed_at" AS "the products.all reviews.the users.all orders.placed_at", "the products->all reviews->the users->all orders->all order_items"."order_id" AS "the products.all reviews.the users.all orders.all order_items.order_id", "the products->all reviews->the users->all orders->all order_items"."line" AS "the products.all reviews.the users.all orders.all order_items.line", "the products->all reviews->the users->all orders->all order_items"."product_id" AS "the products.all reviews.the users.all orders.all order_items.product_id", "the products->all reviews->the users->all orders->all order_items"."quantity" AS "the products.all reviews.the users.all orders.all order_items.quantity", "the products->all reviews->the users->all orders->all order_items"."price" AS "the products.all reviews.the users.all orders.all order_items.price", "the products->all reviews->the users->all orders->all payments"."id" AS "the products.all reviews.the users.all orders.all payments.id", "the products->all reviews->the users->all orders->all payments"."order_id" AS "the products.all reviews.the users.all orders.all payments.order_id", "the products->all reviews->the users->all orders->all payments"."amount" AS "the products.all reviews.the users.all orders.all payments.amount", "the products->all reviews->the users->all orders->all payments"."method" AS "the products.all reviews.the users.all orders.all payments.method", "the products->all reviews->the users->all orders->all payments"."paid_at" AS "the products.all reviews.the users.all orders.all payments.paid_at", "the products->all order_items"."order_id" AS "the products.all order_items.order_id", "the products->all order_items"."line" AS "the products.all order_items.line", "the products->all order_items"."product_id" AS "the products.all order_items.product_id", "the products->all order_items"."quantity" AS "the products.all order_items.quantity", "the products->all order_items"."price" AS "the products.all order_items.price", "the products->all order_items->the orders"."id" AS "the products.all order_items.the orders.id", "the products->all order_items->the orders"."user_id" AS "the products.all order_items.the orders.user_id", "the products->all order_items->the orders"."status" AS "the products.all order_items.the orders.status", "the products->all order_items->the orders"."total" AS "the products.all order_items.the orders.total", "the products->all order_items->the orders"."placed_at" AS "the products.all order_items.the orders.placed_at", "the products->all order_items->the orders->the users"."id" AS "the products.all order_items.the orders.the users.id", "the products->all order_items->the orders->the users"."name" AS "the products.all order_items.the orders.the users.name", "the products->all order_items->the orders->the users"."email" AS "the products.all order_items.the orders.the users.email", "the products->all order_items->the orders->the users"."created_at" AS "the products.all order_items.the orders.the users.created_at", "the products->all order_items->the orders->the users->all sessions"."id" AS "the products.all order_items.the orders.the users.all sessions.id", "the products->all order_items->the orders->the users->all sessions"."user_id" AS "the products.all order_items.the orders.the users.all sessions.user_id", "the products->all order_items->the orders->the users->all sessions"."device" AS "the products.all order_items.the orders.the users.all sessions.device", "the products->all order_items->the orders->the users->all sessions"."started_at" AS "the products.all order_items.the orders.the users.all sessions.started_at", "the products->all order_items->the orders->the users->all sessions"."ended_at" AS "the products.all order_items.the orders.the users.all sessions.ended_at", "the products->all order_items->the orders->the users->all reviews"."id" AS "the products.all order_items.the orders.the users.all reviews.id", "the products->all order_items->the orders->the users->all reviews"."product_id" AS "the products.all order_items.the orders.the users.all reviews.product_id", "the products->all order_items->the orders->the users->all reviews"."user_id" AS "the products.all order_items.the orders.the users.all reviews.user_id", "the products->all order_items->the orders->the users->all reviews"."rating" AS "the products.all order_items.the orders.the users.all reviews.rating", "the products->all order_items->the orders->the users->all reviews"."body" AS "the products.all order_items.the orders.the users.all reviews.body", "the products->all order_items->the orders->the users->all reviews"."created_at" AS "the products.all order_items.the orders.the users.all reviews.created_at", "the products->all order_items->the orders->all payments"."id" AS "the products.all order_items.the orders.all payments.id", "the products->all order_items->the orders->all payments"."order_id" AS "the products.all order_items.the orders.all payments.order_id", "the products->all order_items->the orders->all payments"."amount" AS "the products.all order_items.the orders.all payments.amount", "the products->all order_items->the orders->all payments"."method" AS "the products.all order_items.the orders.all payments.method", "the products->all order_items->the orders->all payments"."paid_at" AS "the products.all order_items.the orders.all payments.paid_at" FROM (SELECT "inventory"."product_id", "inventory"."quantity", "inventory"."updated_at" FROM "inventory" AS "inventory" LIMIT 3) AS "inventory" LEFT OUTER JOIN "products" AS "the products" ON "inventory"."product_id" = "the products"."id" LEFT OUTER JOIN "reviews" AS "the products->all reviews" ON "the products"."id" = "the products->all reviews"."product_id" LEFT OUTER JOIN "users" AS "the products->all reviews->the users" ON "the products->all reviews"."user_id" = "the products->all reviews->the users"."id" LEFT OUTER JOIN "sessions" AS "the products->all reviews->the users->all sessions" ON "the products->all reviews->the users"."id" = "the products->all reviews->the users->all sessions"."user_id" LEFT OUTER JOIN "orders" AS "the products->all reviews->the users->all orders" ON "the products->all reviews->the users"."id" = "the products->all reviews->the users->all orders"."user_id" LEFT OUTER JOIN "order_items" AS "the products->all reviews->the users->all orders->all order_items" ON "the products->all reviews->the users->all orders"."id" = "the products->all reviews->the users->all orders->all order_items"."order_id" LEFT OUTER JOIN "payments" AS "the products->all reviews->the users->all orders->all payments" ON "the products->all reviews->the users->all orders"."id" = "the products->all reviews->the users->all orders->all payments"."order_id" LEFT OUTER JOIN "order_items" AS "the products->all order_items" ON "the products"."id" = "the products->all order_items"."product_id" LEFT OUTER JOIN "orders" AS "the products->all order_items->the orders" ON "the products->all order_items"."order_id" = "the products->all order_items->the orders"."id" LEFT OUTER JOIN "users" AS "the products->all order_items->the orders->the users" ON "the products->all order_items->the orders"."user_id" = "the products->all order_items->the orders->the users"."id" LEFT OUTER JOIN "sessions" AS "the products->all order_items->the orders->the users->all sessions" ON "the products->all order_items->the orders->the users"."id" = "the products->all order_items->the orders->the users->all sessions"."user_id" LEFT OUTER JOIN "reviews" AS "the products->all order_items->the orders->the users->all reviews" ON "the products->all order_items->the orders->the users"."id" = "the products->all order_items->the orders->the users->all reviews"."user_id" LEFT OUTER JOIN "payments" AS "the products->all order_items->the orders->all payments" ON "the products->all order_items->the orders"."id" = "the products->all order_items->the orders->all payments"."order_id";
SELECT sum("rating") AS "sum" FROM "reviews" AS "reviews" WHERE "reviews"."body" = 'it''s 5';
DELETE FROM "reviews" WHERE "id" IN (SELECT "id" FROM "reviews" LIMIT 3)
ALTER TABLE "reviews" ALTER COLUMN "body" SET NOT NULL;ALTER TABLE "reviews" ALTER COLUMN "body" DROP DEFAULT;ALTER TABLE "reviews" ALTER COLUMN "body" TYPE VARCHAR(40);
SELECT "reviews"."id", "reviews"."product_id", "reviews"."user_id", "reviews"."rating", "reviews"."body", "reviews"."created_at", "the users"."id" AS "the users.id", "the users"."name" AS "the users.name", "the users"."email" AS "the users.email", "the users"."created_at" AS "the users.created_at" FROM "reviews" AS "reviews" LEFT OUTER JOIN "users" AS "the users" ON "reviews"."user_id" = "the users"."id";
SELECT "id", "user_id", "status", "total", "placed_at" FROM "orders" AS "orders" WHERE "orders"."total" BETWEEN 1 AND 9 LIMIT 5;
UPDATE "orders" SET "status"=$1 WHERE "id" IN (1, 2) RETURNING "id","user_id","status","total","placed_at"
ALTER TABLE "public"."orders" ADD COLUMN "extra" INTEGER REFERENCES "users" ("id");
SELECT count("orders"."id") AS "count" FROM "orders" AS "orders" LEFT OUTER JOIN "users" AS "the users" ON "orders"."user_id" = "the users"."id" LEFT OUTER JOIN "sessions" AS "the users->all sessions" ON "the users"."id" = "the users->all sessions"."user_id" LEFT OUTER JOIN "reviews" AS "the users->all reviews" ON "the users"."id" = "the users->all reviews"."user_id" LEFT OUTER JOIN "products" AS "the users->all reviews->the products" ON "the users->all reviews"."product_id" = "the users->all reviews->the products"."id" LEFT OUTER JOIN "inventory" AS "the users->all reviews->the products->all inventory" ON "the users->all reviews->the products"."id" = "the users->all reviews->the products->all inventory"."product_id" LEFT OUTER JOIN "order_items" AS "the users->all reviews->the products->all order_items" ON "the users->all reviews->the products"."id" = "the users->all reviews->the products->all order_items"."product_id" LEFT OUTER JOIN "order_items" AS "all order_items" ON "orders"."id" = "all order_items"."order_id" LEFT OUTER JOIN "products" AS "all order_items->the products" ON "all order_items"."product_id" = "all order_items->the products"."id" LEFT OUTER JOIN "inventory" AS "all order_items->the products->all inventory" ON "all order_items->the products"."id" = "all order_items->the products->all inventory"."product_id" LEFT OUTER JOIN "reviews" AS "all order_items->the products->all reviews" ON "all order_items->the products"."id" = "all order_items->the products->all reviews"."product_id" LEFT OUTER JOIN "users" AS "all order_items->the products->all reviews->the users" ON "all order_items->the products->all reviews"."user_id" = "all order_items->the products->all reviews->the users"."id" LEFT OUTER JOIN "sessions" AS "all order_items->the products->all reviews->the users->all sessions" ON "all order_items->the products->all reviews->the users"."id" = "all order_items->the products->all reviews->the users->all sessions"."user_id" LEFT OUTER JOIN "payments" AS "all payments" ON "orders"."id" = "all payments"."order_id";
SELECT "order_id", "line", "product_id", "quantity", "price" FROM "order_items" AS "order_items" WHERE ("order_items"."order_id" = 1 OR "order_items"."price" IN ('5.50', NULL)) ORDER BY "order_items"."order_id" DESC LIMIT 10 OFFSET 20;
INSERT INTO "order_items" ("order_id","line","product_id","quantity","price") VALUES (1,2,3,4,'5.50') ON CONFLICT ("order_id") DO UPDATE SET "price"=EXCLUDED."price" RETURNING "order_id","line","product_id","quantity","price";
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'order_items'
SELECT pk.constraint_type as "Constraint",c.column_name as "Field", c.column_default as "Default",c.is_nullable as "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid) WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE  cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name WHERE c.table_name = 'order_items' AND c.table_schema = 'public'
SELECT "id", "order_id", "amount", "method", "paid_at" FROM "payments" AS "payments" WHERE "payments"."id" = 1;
INSERT INTO "payments" ("id","order_id","amount","method","paid_at") VALUES ($1,$2,$3,$4,$5) RETURNING "id","order_id","amount","method","paid_at";
TRUNCATE "payments" RESTART IDENTITY CASCADE
ALTER TABLE "payments" ADD CONSTRAINT "payments_amount_ck" CHECK ("amount" > 0);
SELECT "Id", "authorId", "title", "deletedAt", "createdAt", "updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL AND CAST("title" AS TEXT) ILIKE '%x%') LIMIT 1;
INSERT INTO "BlogPost" ("Id","authorId","title","deletedAt","createdAt","updatedAt") VALUES (1,2,'it''s 3','2025-01-05 00:00:00.000 +00:00','2026-11-23 02:33:11.918 +00:00','2026-11-23 02:33:11.918 +00:00'),(2,3,'it''s 4','2025-01-06 00:00:00.000 +00:00','2026-11-23 02:33:11.918 +00:00','2026-11-23 02:33:11.918 +00:00') ON CONFLICT DO NOTHING RETURNING "Id","authorId","title","deletedAt","createdAt","updatedAt";
UPDATE "BlogPost" SET "deletedAt"=$1 WHERE "Id" = $2
ALTER TABLE "BlogPost" ADD CONSTRAINT "BlogPost_authorId_ck" CHECK ("authorId" > 0);
SELECT "BlogPost".*, "all Line Items"."ItemId" AS "all Line Items.ItemId", "all Line Items"."PostId" AS "all Line Items.PostId", "all Line Items"."select" AS "all Line Items.select" FROM (SELECT "BlogPost"."Id", "BlogPost"."authorId", "BlogPost"."title", "BlogPost"."deletedAt", "BlogPost"."createdAt", "BlogPost"."updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL) AND ( SELECT "PostId" FROM "Line Items" AS "all Line Items" WHERE (NOT ("all Line Items"."id" IS NULL) AND "all Line Items"."PostId" = "BlogPost"."Id") LIMIT 1 ) IS NOT NULL LIMIT 4) AS "BlogPost" INNER JOIN "Line Items" AS "all Line Items" ON "BlogPost"."Id" = "all Line Items"."PostId" AND NOT ("all Line Items"."id" IS NULL) ORDER BY "all Line Items"."id" ASC;
SELECT count(DISTINCT("id")) AS "count" FROM "user" AS "user";
UPDATE "user" SET "order"="order"+ 2 WHERE "id" = 1 RETURNING *
ALTER TABLE "public"."user" DROP COLUMN "group";
SELECT "user".*, "all BlogPost"."Id" AS "all BlogPost.Id", "all BlogPost"."authorId" AS "all BlogPost.authorId", "all BlogPost"."title" AS "all BlogPost.title", "all BlogPost"."deletedAt" AS "all BlogPost.deletedAt", "all BlogPost"."createdAt" AS "all BlogPost.createdAt", "all BlogPost"."updatedAt" AS "all BlogPost.updatedAt", "all BlogPost->all Line Items"."ItemId" AS "all BlogPost.all Line Items.ItemId", "all BlogPost->all Line Items"."PostId" AS "all BlogPost.all Line Items.PostId", "all BlogPost->all Line Items"."select" AS "all BlogPost.all Line Items.select" FROM (SELECT "user"."id", "user"."order", "user"."group" FROM "user" AS "user" LIMIT 3) AS "user" LEFT OUTER JOIN "BlogPost" AS "all BlogPost" ON "user"."id" = "all BlogPost"."authorId" AND ("all BlogPost"."deletedAt" IS NULL) LEFT OUTER JOIN "Line Items" AS "all BlogPost->all Line Items" ON "all BlogPost"."Id" = "all BlogPost->all Line Items"."PostId";
SELECT max("PostId") AS "max" FROM "Line Items" AS "Line Items";
DELETE FROM "Line Items" WHERE "ItemId" = 3
CREATE UNIQUE INDEX CONCURRENTLY "Line Items index" ON "Line Items" ("select")
SELECT "Id", "authorId", "title", "deletedAt", "createdAt", "updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL AND "BlogPost"."Id" = 2);
SELECT sum("amount") AS "sum" FROM "finance"."ledger" AS "ledger" WHERE "ledger"."meta" = '"{\"n\":4}"';
DELETE FROM "finance"."ledger" WHERE "id" IN (SELECT "id" FROM "finance"."ledger" LIMIT 3)
ALTER TABLE "ledger" ALTER COLUMN "meta" SET NOT NULL;ALTER TABLE "ledger" ALTER COLUMN "meta" DROP DEFAULT;ALTER TABLE "ledger" ALTER COLUMN "meta" TYPE VARCHAR(40);
SELECT "id", "owner", "open" FROM "finance"."accounts" AS "accounts" WHERE "accounts"."id" = 1;
INSERT INTO "finance"."accounts" ("id","owner","open") VALUES ($1,$2,$3) RETURNING "id","owner","open";
TRUNCATE "finance"."accounts" RESTART IDENTITY CASCADE
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_open_ck" CHECK ("open" > 0);
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE '%TABLE' AND table_name != 'spatial_ref_sys';
COMMIT
CREATE TABLE "payments" ("id" bigint NOT NULL, "order_id" bigint, "amount" numeric, "method" text, "paid_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_197ab7af18c93fbb0c9b28b4a59" PRIMARY KEY ("id"))
ALTER TABLE "orders" ADD CONSTRAINT "FK_a922b820eeef29ac1c6800e826a" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE NO ACTION
SELECT COUNT(1) AS "cnt" FROM "users" "users" WHERE (("users"."id" = $1))
TRUNCATE TABLE "users"
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
INSERT INTO "sessions"("id", "user_id", "device", "started_at", "ended_at") VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)
WITH "recent" AS (SELECT "t"."id" AS "t_id" FROM "sessions" "t") SELECT "t"."id" AS "t_id", "t"."user_id" AS "t_user_id", "t"."device" AS "t_device", "t"."started_at" AS "t_started_at", "t"."ended_at" AS "t_ended_at" FROM "sessions" "t" INNER JOIN "recent" "r" ON r.id = "t"."id"
SELECT DISTINCT "distinctAlias"."t_id" AS "ids_t_id", "distinctAlias"."t_id" FROM (SELECT "t"."id" AS "t_id", "t"."user_id" AS "t_user_id", "t"."device" AS "t_device", "t"."started_at" AS "t_started_at", "t"."ended_at" AS "t_ended_at", "p"."id" AS "p_id", "p"."name" AS "p_name", "p"."email" AS "p_email", "p"."created_at" AS "p_created_at" FROM "sessions" "t" LEFT JOIN "users" "p" ON "p"."id"="t"."user_id") "distinctAlias" ORDER BY "distinctAlias"."t_id" ASC, "t_id" ASC LIMIT 5
INSERT INTO "products"("id", "sku", "name", "price") VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)
WITH "recent" AS (SELECT "t"."id" AS "t_id" FROM "products" "t") SELECT "t"."id" AS "t_id", "t"."sku" AS "t_sku", "t"."name" AS "t_name", "t"."price" AS "t_price" FROM "products" "t" INNER JOIN "recent" "r" ON r.id = "t"."id"
SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "inventory" "inventory" WHERE (("inventory"."product_id" = $1))) LIMIT 1
SELECT "t"."product_id" AS "t_product_id", "t"."quantity" AS "t_quantity", "t"."updated_at" AS "t_updated_at" FROM "inventory" "t" WHERE "t"."product_id" = $1
INSERT INTO "inventory"("product_id", "quantity", "updated_at") VALUES (DEFAULT, $1, $2)
SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "reviews" "reviews" WHERE (("reviews"."id" = $1))) LIMIT 1
SELECT "t"."id" AS "t_id", "t"."product_id" AS "t_product_id", "t"."user_id" AS "t_user_id", "t"."rating" AS "t_rating", "t"."body" AS "t_body", "t"."created_at" AS "t_created_at" FROM "reviews" "t" WHERE "t"."id" = $1
INSERT INTO "reviews"("id", "product_id", "user_id", "rating", "body", "created_at") VALUES (DEFAULT, $1, $2, $3, $4, $5)
SELECT "orders"."id" AS "orders_id", "orders"."user_id" AS "orders_user_id", "orders"."status" AS "orders_status", "orders"."total" AS "orders_total", "orders"."placed_at" AS "orders_placed_at" FROM "orders" "orders" WHERE (("orders"."id" = $1)) LIMIT 1
UPDATE "orders" SET "status" = $1 WHERE "id" = $2
INSERT INTO "orders"("id", "user_id", "status", "total", "placed_at") VALUES (DEFAULT, $1, $2, $3, $4) ON CONFLICT ( "id" ) DO UPDATE SET "status" = EXCLUDED."status"
SELECT "order_items"."order_id" AS "order_items_order_id", "order_items"."line" AS "order_items_line", "order_items"."product_id" AS "order_items_product_id", "order_items"."quantity" AS "order_items_quantity", "order_items"."price" AS "order_items_price" FROM "order_items" "order_items" WHERE (("order_items"."order_id" = $1)) LIMIT 1
UPDATE "order_items" SET "price" = $1 WHERE "order_id" = $2
INSERT INTO "order_items"("order_id", "line", "product_id", "quantity", "price") VALUES (DEFAULT, $1, $2, $3, $4) ON CONFLICT ( "order_id" ) DO UPDATE SET "price" = EXCLUDED."price"
SELECT "order_items"."order_id" AS "order_items_order_id", "order_items"."line" AS "order_items_line", "order_items"."product_id" AS "order_items_product_id", "order_items"."quantity" AS "order_items_quantity", "order_items"."price" AS "order_items_price", "order_items__order_items_product_idParent"."id" AS "order_items__order_items_product_idParent_id", "order_items__order_items_product_idParent"."sku" AS "order_items__order_items_product_idParent_sku", "order_items__order_items_product_idParent"."name" AS "order_items__order_items_product_idParent_name", "order_items__order_items_product_idParent"."price" AS "order_items__order_items_product_idParent_price" FROM "order_items" "order_items" LEFT JOIN "products" "order_items__order_items_product_idParent" ON "order_items__order_items_product_idParent"."id"="order_items"."product_id"
SELECT "payments"."id" AS "payments_id", "payments"."order_id" AS "payments_order_id", "payments"."amount" AS "payments_amount", "payments"."method" AS "payments_method", "payments"."paid_at" AS "payments_paid_at" FROM "payments" "payments" WHERE "payments"."id" = $1
SELECT "t"."id" AS "t_id", "t"."order_id" AS "t_order_id", "t"."amount" AS "t_amount", "t"."method" AS "t_method", "t"."paid_at" AS "t_paid_at" FROM "payments" "t" WHERE "t"."id" IN (SELECT "s"."id" AS "s_id" FROM "payments" "s")
SELECT DISTINCT "distinctAlias"."payments_id" AS "ids_payments_id" FROM (SELECT "payments"."id" AS "payments_id", "payments"."order_id" AS "payments_order_id", "payments"."amount" AS "payments_amount", "payments"."method" AS "payments_method", "payments"."paid_at" AS "payments_paid_at", "payments__payments_order_idParent"."id" AS "payments__payments_order_idParent_id", "payments__payments_order_idParent"."user_id" AS "payments__payments_order_idParent_user_id", "payments__payments_order_idParent"."status" AS "payments__payments_order_idParent_status", "payments__payments_order_idParent"."total" AS "payments__payments_order_idParent_total", "payments__payments_order_idParent"."placed_at" AS "payments__payments_order_idParent_placed_at" FROM "payments" "payments" LEFT JOIN "orders" "payments__payments_order_idParent" ON "payments__payments_order_idParent"."id"="payments"."order_id" WHERE (("payments"."method" = $1))) "distinctAlias" ORDER BY "payments_id" ASC LIMIT 4
SELECT "BlogPost"."Id" AS "BlogPost_Id", "BlogPost"."authorId" AS "BlogPost_authorId", "BlogPost"."title" AS "BlogPost_title", "BlogPost"."deletedAt" AS "BlogPost_deletedAt" FROM "BlogPost" "BlogPost" WHERE "BlogPost"."Id" = $1
SELECT "t"."Id" AS "t_Id", "t"."authorId" AS "t_authorId", "t"."title" AS "t_title", "t"."deletedAt" AS "t_deletedAt" FROM "BlogPost" "t" WHERE ( "t"."Id" = $1 ) AND ( "t"."deletedAt" IS NULL )
INSERT INTO "BlogPost"("Id", "authorId", "title", "deletedAt") VALUES (DEFAULT, $1, $2, $3) RETURNING "deletedAt"
SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "user" "user" WHERE (("user"."id" = $1))) LIMIT 1
SELECT "t"."id" AS "t_id", "t"."order" AS "t_order", "t"."group" AS "t_group" FROM "user" "t" WHERE "t"."id" = $1
SELECT "LineItems"."ItemId" AS "LineItems_ItemId", "LineItems"."PostId" AS "LineItems_PostId", "LineItems"."select" AS "LineItems_select" FROM "Line Items" "LineItems" WHERE (("LineItems"."ItemId" = $1)) LIMIT 1
UPDATE "Line Items" SET "select" = $1 WHERE "ItemId" = $2
INSERT INTO "Line Items"("ItemId", "PostId", "select") VALUES (DEFAULT, $1, $2) ON CONFLICT ( "ItemId" ) DO UPDATE SET "select" = EXCLUDED."select"
SELECT "ledger"."id" AS "ledger_id", "ledger"."account_id" AS "ledger_account_id", "ledger"."amount" AS "ledger_amount", "ledger"."meta" AS "ledger_meta" FROM "finance"."ledger" "ledger" WHERE (("ledger"."id" = $1)) LIMIT 1
UPDATE "finance"."ledger" SET "meta" = $1 WHERE "id" = $2
INSERT INTO "finance"."ledger"("id", "account_id", "amount", "meta") VALUES (DEFAULT, $1, $2, $3) ON CONFLICT ( "id" ) DO UPDATE SET "meta" = EXCLUDED."meta"
SELECT "accounts"."id" AS "accounts_id", "accounts"."owner" AS "accounts_owner", "accounts"."open" AS "accounts_open" FROM "finance"."accounts" "accounts" WHERE (("accounts"."id" = $1)) LIMIT 1
UPDATE "finance"."accounts" SET "owner" = $1 WHERE "id" = $2
INSERT INTO "finance"."accounts"("id", "owner", "open") VALUES (DEFAULT, $1, $2) ON CONFLICT ( "id" ) DO UPDATE SET "owner" = EXCLUDED."owner"
select "id", "name", "email", "created_at" from "users" where "users"."id" not in (select "id" from "reviews" limit $1)
select distinct "email" from "users"
insert into "users" ("id", "name", "email", "created_at") values ($1, $2, $3, $4), ($5, $6, $7, $8) returning "id", "name", "email", "created_at"
with "gone" as (delete from "users" where "users"."id" > $1 returning "id") select "id" from "gone"
select "sessions"."id", "sessions"."user_id", "sessions"."device", "sessions"."started_at", "sessions"."ended_at", "orders"."id", "orders"."user_id", "orders"."status", "orders"."total", "orders"."placed_at" from "sessions" left join "orders" on "orders"."id" = "sessions"."id"
(select "id" from "sessions") union (select "id" from "orders")
insert into "sessions" ("id", "user_id", "device", "started_at", "ended_at") values ($1, $2, $3, $4, $5) on conflict ("id") do nothing
select "id", "sku", "name", "price" from "products" where "products"."id" = $1
select "products"."id", "products"."sku", "products"."name", "products"."price", "order_items"."order_id", "order_items"."line", "order_items"."product_id", "order_items"."quantity", "order_items"."price" from "products" full join "order_items" on "order_items"."order_id" = "products"."id" where "products"."price" > $1
(select "id" from "products") intersect (select "order_id" from "order_items")
insert into "products" ("id", "sku", "name", "price") select "id", "sku", "name", "price" from "products" where "products"."id" > $1
select count(*), avg("quantity"), max("product_id"), count(distinct "updated_at") from "inventory"
select "inventory"."product_id", "inventory"."quantity", "inventory"."updated_at", "z"."id" from "inventory" left join lateral (select "id" from "payments" where "payments"."id" = "inventory"."product_id" limit $1) "z" on true
select "product_id", "quantity", "updated_at" from "inventory" where "inventory"."product_id" = $1 for update skip locked
update "inventory" set "updated_at" = ((select max("id") from "payments"))
select "id", "product_id", "user_id", "rating", "body", "created_at" from "reviews" where "reviews"."id" in (select "Id" from "BlogPost")
select "totals"."id", "n", "reviews"."id", "reviews"."product_id", "reviews"."user_id", "reviews"."rating", "reviews"."body", "reviews"."created_at" from (select "id", sum("rating") as "n" from "reviews" group by "reviews"."id") "totals" left join "reviews" on "reviews"."id" = "totals"."id"
select  from "reviews_view"
delete from "reviews" returning "id", "product_id", "user_id", "rating", "body", "created_at"
select "id", "user_id", "status", "total", "placed_at" from "orders" where exists (select "id", "order", "group" from "user" where "user"."id" = "orders"."id")
select distinct on ("orders"."status") "id", "user_id", "status", "total", "placed_at" from "orders" order by "orders"."status", "orders"."id" desc
insert into "orders" ("id", "user_id", "status", "total", "placed_at") values ($1, $2, $3, $4, $5) on conflict do nothing
with "gone" as (delete from "orders" where "orders"."id" > $1 returning "id") insert into "user" ("id", "order", "group") values ($2, $3, $4)
select "order_items"."order_id", "order_items"."line", "order_items"."product_id", "order_items"."quantity", "order_items"."price", "Line Items"."ItemId", "Line Items"."PostId", "Line Items"."select", "twin"."order_id", "twin"."line", "twin"."product_id", "twin"."quantity", "twin"."price" from "order_items" inner join "Line Items" on "Line Items"."ItemId" = "order_items"."order_id" right join "order_items" "twin" on "twin"."order_id" = "order_items"."order_id"
(select "order_id" from "order_items") union all (select "ItemId" from "Line Items")
insert into "order_items" ("order_id", "line", "product_id", "quantity", "price") values ($1, $2, $3, $4, $5) on conflict ("order_id") do update set "price" = excluded."price" where "order_items"."price" <> $6
select "id", lower("method") from "payments" order by "payments"."id" desc limit $1 offset $2
select "payments"."id", "payments"."order_id", "payments"."amount", "payments"."method", "payments"."paid_at", "finance"."ledger"."id", "finance"."ledger"."account_id", "finance"."ledger"."amount", "finance"."ledger"."meta" from "payments" cross join "finance"."ledger"
(select "id" from "payments") except (select "id" from "finance"."ledger")
update "payments" set "method" = $1 where "payments"."id" = $2 returning "id"
select "Id", "authorId", "title", "deletedAt" from "BlogPost" where ("BlogPost"."title" like $1 or "BlogPost"."authorId" is null or ("BlogPost"."Id" between $2 and $3 and "BlogPost"."title" <> $4))
select "BlogPost"."Id", "twin"."Id" from "BlogPost" inner join "BlogPost" "twin" on "twin"."Id" > "BlogPost"."Id"
select "Id", "authorId", "title", "deletedAt" from "BlogPost" for no key update of "BlogPost" nowait
update "BlogPost" set "title" = ((select max("id") from "finance"."accounts"))
select "id", "order", "group" from "user" where "user"."id" in (select "id" from "users")
select "totals"."id", "n", "user"."id", "user"."order", "user"."group" from (select "id", sum("order") as "n" from "user" group by "user"."id") "totals" left join "user" on "user"."id" = "totals"."id"
select  from "user_view"
delete from "user" returning "id", "order", "group"
select "ItemId", "PostId", "select" from "Line Items" where exists (select "id", "user_id", "device", "started_at", "ended_at" from "sessions" where "sessions"."id" = "Line Items"."ItemId")
select distinct on ("Line Items"."select") "ItemId", "PostId", "select" from "Line Items" order by "Line Items"."select", "Line Items"."ItemId" desc
insert into "Line Items" ("ItemId", "PostId", "select") values ($1, $2, $3) on conflict do nothing
select "id", "account_id", "amount", "meta" from "finance"."ledger" where "finance"."ledger"."id" = $1
select "finance"."ledger"."id", "finance"."ledger"."account_id", "finance"."ledger"."amount", "finance"."ledger"."meta", "products"."id", "products"."sku", "products"."name", "products"."price" from "finance"."ledger" full join "products" on "products"."id" = "finance"."ledger"."id" where "finance"."ledger"."amount" > $1
(select "id" from "finance"."ledger") intersect (select "id" from "products")
insert into "finance"."ledger" ("id", "account_id", "amount", "meta") select "id", "account_id", "amount", "meta" from "finance"."ledger" where "finance"."ledger"."id" > $1
select count(*), avg("open"), max("id"), count(distinct "owner") from "finance"."accounts"
select "finance"."accounts"."id", "finance"."accounts"."owner", "finance"."accounts"."open", "z"."product_id" from "finance"."accounts" left join lateral (select "product_id" from "inventory" where "inventory"."product_id" = "finance"."accounts"."id" limit $1) "z" on true
select "id", "owner", "open" from "finance"."accounts" where "finance"."accounts"."id" = $1 for update skip locked
update "finance"."accounts" set "owner" = "finance"."accounts"."owner" || 'x' from "inventory" where "inventory"."product_id" = "finance"."accounts"."id"
select "sessions"."id", "sessions"."user_id", "sessions"."device", "sessions"."started_at", "sessions"."ended_at", "sessions_users"."data" as "users" from "sessions" "sessions" left join lateral (select json_build_array("sessions_users"."id", "sessions_users"."name", "sessions_users"."email", "sessions_users"."created_at") as "data" from (select * from "users" "sessions_users" where "sessions_users"."id" = "sessions"."user_id" limit $1) "sessions_users") "sessions_users" on true limit $2
select "reviews"."id", "reviews_products"."data" as "products", "reviews_users"."data" as "users" from "reviews" "reviews" left join lateral (select json_build_array("reviews_products"."id", "reviews_products"."sku", "reviews_products"."name", "reviews_products"."price") as "data" from (select * from "products" "reviews_products" where "reviews_products"."id" = "reviews"."product_id" limit $1) "reviews_products") "reviews_products" on true left join lateral (select json_build_array("reviews_users"."id", "reviews_users"."name", "reviews_users"."email", "reviews_users"."created_at") as "data" from (select * from "users" "reviews_users" where "reviews_users"."id" = "reviews"."user_id" limit $2) "reviews_users") "reviews_users" on true offset $3
select "Id", "authorId", "title", "deletedAt" from "BlogPost" "BlogPost"
select "ledger"."id", "ledger"."account_id", "ledger"."amount", "ledger"."meta", "ledger_accounts"."data" as "accounts" from "finance"."ledger" "ledger" left join lateral (select json_build_array("ledger_accounts"."id", "ledger_accounts"."owner", "ledger_accounts"."open") as "data" from (select * from "finance"."accounts" "ledger_accounts" where "ledger_accounts"."id" = "ledger"."account_id" limit $1) "ledger_accounts") "ledger_accounts" on true limit $2
END;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($8, $9, $10, $11, CURRENT_TIMESTAMP);
insert into pgbench_accounts(bid, filler) select bid, '' from generate_series(1, 10) as bid
insert into pgbench_branches(bid, filler) select bid, '' from generate_series(1, 10) as bid
insert into pgbench_history(bid, filler) select bid, '' from generate_series(1, 10) as bid
insert into pgbench_tellers(bid, filler) select bid, '' from generate_series(1, 10) as bid
SELECT c FROM sbtest1 WHERE id BETWEEN 5 AND 104 ORDER BY c
CREATE TABLE sbtest7( id SERIAL, k INTEGER DEFAULT '0' NOT NULL, c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, PRIMARY KEY (id) )
UPDATE sbtest7 SET c='abc' WHERE id=$1
INSERT INTO oorder (id, d_id, w_id, c_id, entered, line_count, all_local) VALUES ($1, $2, $3, $4, now(), $5, $6)
UPDATE district SET ytd = ytd + $1 WHERE w_id = $2 AND id = $3
UPDATE order_line SET delivered = now() WHERE o_id = $1 AND d_id = $2 AND w_id = $3
SELECT sum(price * discount) FROM lineitem WHERE shipped >= '2024-01-01' AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24
CREATE VIEW revenue AS SELECT supplier_id, sum(price) AS total FROM lineitem GROUP BY supplier_id
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_id_idx ON users USING btree (email text_pattern_ops, id DESC) WHERE email IS NOT NULL
ALTER TABLE users OWNER TO app
DROP POLICY IF EXISTS users_own ON users
CREATE RULE users_keep AS ON DELETE TO users DO INSTEAD UPDATE users SET email = 'gone' WHERE id = OLD.id
REINDEX TABLE CONCURRENTLY users
SELECT id, id, sum(id) OVER (PARTITION BY email ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM users
SELECT DISTINCT ON (email) * FROM users TABLESAMPLE SYSTEM (10) ORDER BY email, id DESC
ALTER TABLE ONLY sessions ALTER COLUMN user_id TYPE numeric(12, 2) USING user_id::numeric
CREATE TABLE sessions_archive AS SELECT * FROM sessions WHERE id < 1000
CREATE VIEW sessions_up AS SELECT a.*, b.id AS up_id FROM sessions AS a LEFT JOIN users AS b ON b.id = a.id
GRANT SELECT, INSERT ON sessions TO app, reporting
DECLARE sessions_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM sessions ORDER BY id
SELECT * FROM sessions a, jsonb_to_recordset('[{"x": 1}]'::jsonb) AS j(x int) WHERE j.x = a.id
DROP INDEX CONCURRENTLY IF EXISTS products_idx
ALTER TABLE products DETACH PARTITION products_2024 CONCURRENTLY
DROP TRIGGER IF EXISTS products_touch ON products
ALTER SEQUENCE products_no RESTART WITH 1000
LOCK TABLE products IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT b.id, l.* FROM users b CROSS JOIN LATERAL (SELECT * FROM products a WHERE a.id = b.id ORDER BY a.id DESC LIMIT 3) l
SELECT pg_get_serial_sequence('products', 'id'), 'products'::regclass::oid
ALTER TABLE inventory RENAME TO inventory_v1
INSERT INTO inventory SELECT * FROM inventory_stage ON CONFLICT DO NOTHING
REFRESH MATERIALIZED VIEW CONCURRENTLY inventory_sums
VACUUM (ANALYZE, VERBOSE) inventory
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT updated_at, count(*) FROM inventory GROUP BY ROLLUP (updated_at)
DELETE FROM inventory a USING products b WHERE b.id = a.product_id AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = a.product_id)
ALTER TABLE reviews ADD CONSTRAINT reviews_fk FOREIGN KEY (id) REFERENCES products (id) ON DELETE CASCADE NOT VALID
CREATE TABLE reviews_2025 PARTITION OF reviews FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
CREATE OR REPLACE FUNCTION reviews_log() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN INSERT INTO audit_log VALUES (TG_TABLE_NAME); RETURN NEW; END $body$
COMMENT ON TABLE reviews IS 'moves soon'
COPY reviews (id, product_id, user_id, rating, body, created_at) FROM STDIN WITH (FORMAT csv, HEADER true)
WITH RECURSIVE up AS (SELECT id, 1 AS depth FROM reviews UNION ALL SELECT a.id, up.depth + 1 FROM reviews a JOIN up ON up.id = a.id) SELECT * FROM up
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_id_idx ON orders USING btree (status text_pattern_ops, id DESC) WHERE status IS NOT NULL
ALTER TABLE orders OWNER TO app
DROP POLICY IF EXISTS orders_own ON orders
CREATE RULE orders_keep AS ON DELETE TO orders DO INSTEAD UPDATE orders SET status = 'gone' WHERE id = OLD.id
REINDEX TABLE CONCURRENTLY orders
SELECT id, total, sum(total) OVER (PARTITION BY status ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM orders
SELECT DISTINCT ON (status) * FROM orders TABLESAMPLE SYSTEM (10) ORDER BY status, id DESC
ALTER TABLE ONLY order_items ALTER COLUMN price TYPE numeric(12, 2) USING price::numeric
CREATE TABLE order_items_archive AS SELECT * FROM order_items WHERE order_id < 1000
CREATE VIEW order_items_up AS SELECT a.*, b.id AS up_id FROM order_items AS a LEFT JOIN orders AS b ON b.id = a.order_id
GRANT SELECT, INSERT ON order_items TO app, reporting
DECLARE order_items_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM order_items ORDER BY order_id
SELECT * FROM order_items a, jsonb_to_recordset('[{"x": 1}]'::jsonb) AS j(x int) WHERE j.x = a.order_id
DROP INDEX CONCURRENTLY IF EXISTS payments_idx
ALTER TABLE payments DETACH PARTITION payments_2024 CONCURRENTLY
DROP TRIGGER IF EXISTS payments_touch ON payments
ALTER SEQUENCE payments_no RESTART WITH 1000
LOCK TABLE payments IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT b.id, l.* FROM orders b CROSS JOIN LATERAL (SELECT * FROM payments a WHERE a.id = b.id ORDER BY a.id DESC LIMIT 3) l
SELECT pg_get_serial_sequence('payments', 'id'), 'payments'::regclass::oid
ALTER TABLE "BlogPost" RENAME TO blogpost_v1
INSERT INTO "BlogPost" SELECT * FROM blogpost_stage ON CONFLICT DO NOTHING
REFRESH MATERIALIZED VIEW CONCURRENTLY blogpost_sums
VACUUM (ANALYZE, VERBOSE) "BlogPost"
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT title, count(*) FROM "BlogPost" GROUP BY ROLLUP (title)
DELETE FROM "BlogPost" a USING "user" b WHERE b.id = a."Id" AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = a."Id")
ALTER TABLE "user" ADD CONSTRAINT user_fk FOREIGN KEY (id) REFERENCES users (id) ON DELETE CASCADE NOT VALID
CREATE TABLE user_2025 PARTITION OF "user" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
CREATE OR REPLACE FUNCTION user_log() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN INSERT INTO audit_log VALUES (TG_TABLE_NAME); RETURN NEW; END $body$
COMMENT ON TABLE "user" IS 'moves soon'
COPY "user" (id, "order", "group") FROM STDIN WITH (FORMAT csv, HEADER true)
WITH RECURSIVE up AS (SELECT id, 1 AS depth FROM "user" UNION ALL SELECT a.id, up.depth + 1 FROM "user" a JOIN up ON up.id = a.id) SELECT * FROM up
CREATE INDEX CONCURRENTLY IF NOT EXISTS line_items_ItemId_idx ON "Line Items" USING btree ("select" text_pattern_ops, "ItemId" DESC) WHERE "select" IS NOT NULL
ALTER TABLE "Line Items" OWNER TO app
DROP POLICY IF EXISTS line_items_own ON "Line Items"
CREATE RULE line_items_keep AS ON DELETE TO "Line Items" DO INSTEAD UPDATE "Line Items" SET "select" = 'gone' WHERE "ItemId" = OLD."ItemId"
REINDEX TABLE CONCURRENTLY "Line Items"
SELECT "ItemId", "PostId", sum("PostId") OVER (PARTITION BY "select" ORDER BY "ItemId" ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM "Line Items"
SELECT DISTINCT ON ("select") * FROM "Line Items" TABLESAMPLE SYSTEM (10) ORDER BY "select", "ItemId" DESC
ALTER TABLE ONLY finance.ledger ALTER COLUMN amount TYPE numeric(12, 2) USING amount::numeric
CREATE TABLE ledger_archive AS SELECT * FROM finance.ledger WHERE id < 1000
CREATE VIEW ledger_up AS SELECT a.*, b.id AS up_id FROM finance.ledger AS a LEFT JOIN accounts AS b ON b.id = a.id
GRANT SELECT, INSERT ON finance.ledger TO app, reporting
DECLARE ledger_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM finance.ledger ORDER BY id
SELECT * FROM finance.ledger a, jsonb_to_recordset('[{"x": 1}]'::jsonb) AS j(x int) WHERE j.x = a.id
DROP INDEX CONCURRENTLY IF EXISTS accounts_idx
ALTER TABLE finance.accounts DETACH PARTITION accounts_2024 CONCURRENTLY
DROP TRIGGER IF EXISTS accounts_touch ON finance.accounts
ALTER SEQUENCE accounts_no RESTART WITH 1000
LOCK TABLE finance.accounts IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT b.id, l.* FROM users b CROSS JOIN LATERAL (SELECT * FROM finance.accounts a WHERE a.id = b.id ORDER BY a.id DESC LIMIT 3) l
SELECT pg_get_serial_sequence('accounts', 'id'), 'accounts'::regclass::oid
ALTER ROLE app SET search_path = shop, public
START TRANSACTION READ WRITE
DISCARD ALL
SELECT set_config('app.id', '7', true)
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x')
TABLE users
