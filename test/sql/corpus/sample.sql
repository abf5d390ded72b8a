select * from "users" where "id" = $1
select (select count(*) from "inventory" where "product_id" = "users"."id") as "n" from "users"
delete from "users" using "products" where "products"."id" = $1
with "big" as materialized (select * from "sessions" where "user_id" > $1) select * from "big" limit $2
with "gone" as (delete from "sessions" where "id" < $1 returning *) insert into "inventory" select * from "gone"
select * from "products" where ("id" > $1 or "name" like $2) and "price" between $3 and $4
insert into "products" select "id" from "reviews" limit $1
select count(distinct "updated_at") as "n" from "inventory"
select "c"."product_id" from "inventory" as "c" full outer join "products" on "c"."product_id" = "products"."id" group by "c"."product_id"
delete from "inventory" using "orders" where "orders"."id" = $1
with "big" as materialized (select * from "reviews" where "rating" > $1) select * from "big" limit $2
insert into "reviews" ("body", "created_at", "id", "product_id", "rating", "user_id") values ($1, $2, $3, $4, $5, $6)
select "id", "status" as "label" from "orders" where "status" in ($1, $2) order by "id" desc limit $3 offset $4
select row_number() over (order by "id") as "n", "status" from "orders"
update "orders" set "status" = $1 from "payments" where "payments"."id" = $2
select * from "order_items" where exists (select 1 from "user" as "o" where o."id" > 1)
select * from "order_items" as "c" right outer join "products" as "p" on "c"."product_id" = "p"."id" and "p"."id" < $1
delete from "order_items" where "price" is null returning "order_id"
with "recent" as (select * from "payments" where "paid_at" > $1) select * from "recent" cross join "Line Items"
insert into "payments" ("id") select "id" from "user"
select distinct "title", "deletedAt" from "BlogPost"
select * from "BlogPost" as "c" natural join "user"
truncate "BlogPost" restart identity
with recursive "tree" as (select * from "user" where "id" = $1 union all select "c".* from "user" as "c" inner join "tree" on "c"."id" = "tree"."id") select * from "tree"
delete from "user" where "group" is null returning "id"
with "recent" as (select * from "Line Items" where "select" > $1) select * from "recent" cross join "users"
insert into "Line Items" ("ItemId") select "id" from "accounts"
select distinct "meta", "meta" from "finance"."ledger"
select * from "ledger" as "c" natural join "accounts"
truncate "finance"."ledger" restart identity
with recursive "tree" as (select * from "accounts" where "id" = $1 union all select "c".* from "accounts" as "c" inner join "tree" on "c"."id" = "tree"."id") select * from "tree"
delete from "finance"."accounts" where "owner" is null returning "id"
alter table "users" add constraint positive check("id" > 0)
alter table "sessions" drop column "device"
create index "products_sku_index" on "products" ("sku")
create materialized view "products_all" as select * from "products"
alter table "inventory" alter column "product_id" set not null
alter table "reviews" add constraint "reviews_id_body_unique" unique ("id", "body")
drop materialized view "reviews_all"
alter table "orders" add constraint "orders_id_foreign" foreign key ("id") references "users" ("id") on update SET NULL
alter table "order_items" add column "extra" varchar(40) null, add column "kind" "order_id_kind"
comment on table "payments" is 'made by a migration'
drop table "payments"
alter table "BlogPost" drop constraint "blogpost_title_foreign"
create table "user_copy" (like "user" including all)
create table "Line Items" ("ItemId" serial primary key, "PostId" text not null default 'x', "select" text not null default 'x', "PostId_2" integer, "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP)
drop table "Line Items"
alter table "finance"."ledger" drop constraint "ledger_meta_foreign"
create table "finance"."accounts_copy" (like "finance"."accounts" including all)
select "id", "email" from "users" where "email" in ($1, $2) order by "id" desc limit $3 offset $4
select case when "id" > $1 then $2 else $3 end as "c" from "users"
alter table "users" add constraint "only_one" unique ("email")
with "recent" as (select * from "sessions" where "user_id" > $1) select * from "recent"
with "new" as (insert into "sessions" ("id", "user_id", "device", "started_at", "ended_at") values ($1, $2, $3, $4, $5) returning "id") insert into "orders" ("id") select "new"."id" from "new"
refresh materialized view concurrently "sessions_mat" with data
select * from "products" where "id" = $1 for update skip locked
create table if not exists "products" ("id" serial primary key, "sku" text not null, "name" text not null, "price" text not null)
select avg("quantity") over(partition by "updated_at" order by "product_id") as "a" from "inventory"
select (select coalesce(json_agg(c), '[]') from (select * from "inventory" where "inventory"."product_id" = "p"."id") as c) as "children" from "products" as "p"
alter table "inventory" add constraint "fk" foreign key ("product_id") references "users" ("id") on update cascade
with "reviews" as (select * from "user") select * from "reviews" limit $1
insert into "reviews" ("id") select "Id" from "BlogPost"
create or replace view "reviews_view" as select * from "reviews"
select "a".* from "orders" as "a", "Line Items" as "b" where "a"."id" = $1
delete from "orders" using "user" where "orders"."id" = "user"."id"
select distinct "t"."order_id" as "k" from "order_items" as "t"
select case when "order_id" > $1 then $2 else $3 end as "c" from "order_items"
merge into "order_items" using "Line Items" as "s" on "order_items"."order_id" = "s"."ItemId" when matched then delete
select count(*) as "n", sum("amount") as "s" from "payments" group by "method" having count(*) > $1
select * from "orders" as "p" left join lateral (select * from "payments" where "payments"."order_id" = "p"."id" limit $1) as "last" on true
alter table "payments" alter column "method" set not null
select (select max("users"."id") as "m" from "users") as "newest" from "BlogPost"
insert into "BlogPost" default values returning "Id"
create materialized view "BlogPost_mat" as select "Id" from "BlogPost"
select "a".* from "user" as "a", "sessions" as "b" where "a"."id" = $1
merge into "user" using "users" as "s" on "user"."id" = "s"."id" when matched then delete
select count(*) as "n", sum("PostId") as "s" from "Line Items" group by "select" having count(*) > $1
select * from "BlogPost" as "p" left join lateral (select * from "Line Items" where "Line Items"."PostId" = "p"."Id" limit $1) as "last" on true
alter table "Line Items" add constraint "only_one" unique ("select")
with "recent" as (select * from "finance"."ledger" where "amount" > $1) select * from "recent"
with "new" as (insert into "finance"."ledger" ("id", "account_id", "amount", "meta") values ($1, $2, $3, $4) returning "id") insert into "products" ("id") select "new"."id" from "new"
refresh materialized view concurrently "finance"."ledger_mat" with data
select * from "finance"."accounts" where "id" = $1 for update skip locked
create table if not exists "finance"."accounts" ("id" serial primary key, "owner" text not null, "open" text not null)
commit
select "users".* from "users" where "id" in (select "id" from "users" where "id" = $1)
update "reviews" set "email" = $1 where "reviews"."user_id" in (select "users"."id" from "users" where "email" = $2)
select "sessions".* from "sessions" where "sessions"."id" in ($1)
select "products".* from "products" where "products"."id" = $1
select "products".* from "products" where "products"."id" = $1 for update
select "products".* from "products" inner join "order_items" as "all_order_items" on "all_order_items"."product_id" = "products"."id"
update "inventory" set "quantity" = "quantity" + $1 where "inventory"."product_id" = $2
select "reviews".* from "reviews" where "body" is not null limit $1
select (select count(*) from "products" as "the_products" where "the_products"."id" = "reviews"."product_id") as "n" from "reviews"
insert into "orders" ("id", "placed_at", "status", "total", "user_id") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) returning "id"
delete from "users" where "users"."id" in (select "orders"."user_id" from "orders" where "orders"."id" in ($1))
select count(*) as "count" from (select "order_id" from "order_items" where "price" > $1) as "temp"
select "order_items".* from "order_items" where exists (select "the_orders".* from "orders" as "the_orders" where "the_orders"."id" = "order_items"."order_id")
insert into "payments" ("amount", "id", "method", "order_id", "paid_at") values ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) returning "id"
delete from "orders" where "orders"."id" in (select "payments"."order_id" from "payments" where "payments"."id" in ($1))
select "BlogPost".* from "BlogPost" where "Id" in (select "Id" from "BlogPost" where "authorId" = $1)
select "user".* from "user" where "user"."id" = $1
select "user".* from "user"
select "Line Items".* from "Line Items" where "Line Items"."ItemId" in ($1)
select "finance"."ledger".* from "finance"."ledger" where "finance"."ledger"."id" = $1
select "finance"."ledger".* from "finance"."ledger" where "finance"."ledger"."id" = $1 for update
insert into "finance"."accounts" ("id", "open", "owner") values ($1, $2, $3), ($4, $5, $6) returning "id"
delete from "finance"."ledger" where "finance"."ledger"."account_id" in ($1)
CREATE OR REPLACE FUNCTION pg_temp.testfunc(OUT response "users", OUT sequelize_caught_exception text) RETURNS RECORD AS $func_aa15c1f665d5493d92f3343e2519fba1$ BEGIN INSERT INTO "users" ("id","name","email","created_at") VALUES (1,'it''s 2','it''s 3','2025-01-05 00:00:00.000 +00:00') RETURNING * INTO response; EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS sequelize_caught_exception = PG_EXCEPTION_DETAIL; END $func_aa15c1f665d5493d92f3343e2519fba1$ LANGUAGE plpgsql; SELECT (testfunc.response)."id", (testfunc.response)."name", (testfunc.response)."email", (testfunc.response)."created_at", testfunc.sequelize_caught_exception FROM pg_temp.testfunc(); DROP FUNCTION IF EXISTS pg_temp.testfunc();
SELECT "users"."id", "users"."name", "users"."email", "users"."created_at" FROM "users" AS "users" LIMIT 2;
INSERT INTO "sessions" ("id","user_id","device","started_at","ended_at") VALUES ($1,$2,$3,$4,$5) RETURNING "id","user_id","device","started_at","ended_at";
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_ck" CHECK ("user_id" > 0);
INSERT INTO "products" ("id","sku","name","price") VALUES (1,'it''s 2','it''s 3','4.50'),(2,'it''s 3','it''s 4','5.50') ON CONFLICT DO NOTHING RETURNING "id","sku","name","price";
ALTER TABLE "products" RENAME TO "products_old";
SELECT count(DISTINCT("product_id")) AS "count" FROM "inventory" AS "inventory";
ALTER TABLE "public"."inventory" DROP COLUMN "updated_at";
SELECT sum("rating") AS "sum" FROM "reviews" AS "reviews" WHERE "reviews"."body" = 'it''s 5';
ALTER TABLE "reviews" ALTER COLUMN "body" SET NOT NULL;ALTER TABLE "reviews" ALTER COLUMN "body" DROP DEFAULT;ALTER TABLE "reviews" ALTER COLUMN "body" TYPE VARCHAR(40);
SELECT "id", "user_id", "status", "total", "placed_at" FROM "orders" AS "orders" WHERE "orders"."total" BETWEEN 1 AND 9 LIMIT 5;
ALTER TABLE "public"."orders" ADD COLUMN "extra" INTEGER REFERENCES "users" ("id");
SELECT "order_id", "line", "product_id", "quantity", "price" FROM "order_items" AS "order_items" WHERE ("order_items"."order_id" = 1 OR "order_items"."price" IN ('5.50', NULL)) ORDER BY "order_items"."order_id" DESC LIMIT 10 OFFSET 20;
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'order_items'
SELECT "id", "order_id", "amount", "method", "paid_at" FROM "payments" AS "payments" WHERE "payments"."id" = 1;
TRUNCATE "payments" RESTART IDENTITY CASCADE
SELECT "Id", "authorId", "title", "deletedAt", "createdAt", "updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL AND CAST("title" AS TEXT) ILIKE '%x%') LIMIT 1;
UPDATE "BlogPost" SET "deletedAt"=$1 WHERE "Id" = $2
SELECT "BlogPost".*, "all Line Items"."ItemId" AS "all Line Items.ItemId", "all Line Items"."PostId" AS "all Line Items.PostId", "all Line Items"."select" AS "all Line Items.select" FROM (SELECT "BlogPost"."Id", "BlogPost"."authorId", "BlogPost"."title", "BlogPost"."deletedAt", "BlogPost"."createdAt", "BlogPost"."updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL) AND ( SELECT "PostId" FROM "Line Items" AS "all Line Items" WHERE (NOT ("all Line Items"."id" IS NULL) AND "all Line Items"."PostId" = "BlogPost"."Id") LIMIT 1 ) IS NOT NULL LIMIT 4) AS "BlogPost" INNER JOIN "Line Items" AS "all Line Items" ON "BlogPost"."Id" = "all Line Items"."PostId" AND NOT ("all Line Items"."id" IS NULL) ORDER BY "all Line Items"."id" ASC;
UPDATE "user" SET "order"="order"+ 2 WHERE "id" = 1 RETURNING *
SELECT "user".*, "all BlogPost"."Id" AS "all BlogPost.Id", "all BlogPost"."authorId" AS "all BlogPost.authorId", "all BlogPost"."title" AS "all BlogPost.title", "all BlogPost"."deletedAt" AS "all BlogPost.deletedAt", "all BlogPost"."createdAt" AS "all BlogPost.createdAt", "all BlogPost"."updatedAt" AS "all BlogPost.updatedAt", "all BlogPost->all Line Items"."ItemId" AS "all BlogPost.all Line Items.ItemId", "all BlogPost->all Line Items"."PostId" AS "all BlogPost.all Line Items.PostId", "all BlogPost->all Line Items"."select" AS "all BlogPost.all Line Items.select" FROM (SELECT "user"."id", "user"."order", "user"."group" FROM "user" AS "user" LIMIT 3) AS "user" LEFT OUTER JOIN "BlogPost" AS "all BlogPost" ON "user"."id" = "all BlogPost"."authorId" AND ("all BlogPost"."deletedAt" IS NULL) LEFT OUTER JOIN "Line Items" AS "all BlogPost->all Line Items" ON "all BlogPost"."Id" = "all BlogPost->all Line Items"."PostId";
DELETE FROM "Line Items" WHERE "ItemId" = 3
SELECT "Id", "authorId", "title", "deletedAt", "createdAt", "updatedAt" FROM "BlogPost" AS "BlogPost" WHERE ("BlogPost"."deletedAt" IS NULL AND "BlogPost"."Id" = 2);
DELETE FROM "finance"."ledger" WHERE "id" IN (SELECT "id" FROM "finance"."ledger" LIMIT 3)
SELECT "id", "owner", "open" FROM "finance"."accounts" AS "accounts" WHERE "accounts"."id" = 1;
TRUNCATE "finance"."accounts" RESTART IDENTITY CASCADE
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE '%TABLE' AND table_name != 'spatial_ref_sys';
CREATE TABLE "payments" ("id" bigint NOT NULL, "order_id" bigint, "amount" numeric, "method" text, "paid_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_197ab7af18c93fbb0c9b28b4a59" PRIMARY KEY ("id"))
SELECT COUNT(1) AS "cnt" FROM "users" "users" WHERE (("users"."id" = $1))
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
WITH "recent" AS (SELECT "t"."id" AS "t_id" FROM "sessions" "t") SELECT "t"."id" AS "t_id", "t"."user_id" AS "t_user_id", "t"."device" AS "t_device", "t"."started_at" AS "t_started_at", "t"."ended_at" AS "t_ended_at" FROM "sessions" "t" INNER JOIN "recent" "r" ON r.id = "t"."id"
INSERT INTO "products"("id", "sku", "name", "price") VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)
SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "inventory" "inventory" WHERE (("inventory"."product_id" = $1))) LIMIT 1
INSERT INTO "inventory"("product_id", "quantity", "updated_at") VALUES (DEFAULT, $1, $2)
SELECT "t"."id" AS "t_id", "t"."product_id" AS "t_product_id", "t"."user_id" AS "t_user_id", "t"."rating" AS "t_rating", "t"."body" AS "t_body", "t"."created_at" AS "t_created_at" FROM "reviews" "t" WHERE "t"."id" = $1
SELECT "orders"."id" AS "orders_id", "orders"."user_id" AS "orders_user_id", "orders"."status" AS "orders_status", "orders"."total" AS "orders_total", "orders"."placed_at" AS "orders_placed_at" FROM "orders" "orders" WHERE (("orders"."id" = $1)) LIMIT 1
INSERT INTO "orders"("id", "user_id", "status", "total", "placed_at") VALUES (DEFAULT, $1, $2, $3, $4) ON CONFLICT ( "id" ) DO UPDATE SET "status" = EXCLUDED."status"
UPDATE "order_items" SET "price" = $1 WHERE "order_id" = $2
SELECT "order_items"."order_id" AS "order_items_order_id", "order_items"."line" AS "order_items_line", "order_items"."product_id" AS "order_items_product_id", "order_items"."quantity" AS "order_items_quantity", "order_items"."price" AS "order_items_price", "order_items__order_items_product_idParent"."id" AS "order_items__order_items_product_idParent_id", "order_items__order_items_product_idParent"."sku" AS "order_items__order_items_product_idParent_sku", "order_items__order_items_product_idParent"."name" AS "order_items__order_items_product_idParent_name", "order_items__order_items_product_idParent"."price" AS "order_items__order_items_product_idParent_price" FROM "order_items" "order_items" LEFT JOIN "products" "order_items__order_items_product_idParent" ON "order_items__order_items_product_idParent"."id"="order_items"."product_id"
SELECT "t"."id" AS "t_id", "t"."order_id" AS "t_order_id", "t"."amount" AS "t_amount", "t"."method" AS "t_method", "t"."paid_at" AS "t_paid_at" FROM "payments" "t" WHERE "t"."id" IN (SELECT "s"."id" AS "s_id" FROM "payments" "s")
SELECT "BlogPost"."Id" AS "BlogPost_Id", "BlogPost"."authorId" AS "BlogPost_authorId", "BlogPost"."title" AS "BlogPost_title", "BlogPost"."deletedAt" AS "BlogPost_deletedAt" FROM "BlogPost" "BlogPost" WHERE "BlogPost"."Id" = $1
INSERT INTO "BlogPost"("Id", "authorId", "title", "deletedAt") VALUES (DEFAULT, $1, $2, $3) RETURNING "deletedAt"
SELECT "t"."id" AS "t_id", "t"."order" AS "t_order", "t"."group" AS "t_group" FROM "user" "t" WHERE "t"."id" = $1
UPDATE "Line Items" SET "select" = $1 WHERE "ItemId" = $2
SELECT "ledger"."id" AS "ledger_id", "ledger"."account_id" AS "ledger_account_id", "ledger"."amount" AS "ledger_amount", "ledger"."meta" AS "ledger_meta" FROM "finance"."ledger" "ledger" WHERE (("ledger"."id" = $1)) LIMIT 1
INSERT INTO "finance"."ledger"("id", "account_id", "amount", "meta") VALUES (DEFAULT, $1, $2, $3) ON CONFLICT ( "id" ) DO UPDATE SET "meta" = EXCLUDED."meta"
UPDATE "finance"."accounts" SET "owner" = $1 WHERE "id" = $2
select "id", "name", "email", "created_at" from "users" where "users"."id" not in (select "id" from "reviews" limit $1)
insert into "users" ("id", "name", "email", "created_at") values ($1, $2, $3, $4), ($5, $6, $7, $8) returning "id", "name", "email", "created_at"
select "sessions"."id", "sessions"."user_id", "sessions"."device", "sessions"."started_at", "sessions"."ended_at", "orders"."id", "orders"."user_id", "orders"."status", "orders"."total", "orders"."placed_at" from "sessions" left join "orders" on "orders"."id" = "sessions"."id"
insert into "sessions" ("id", "user_id", "device", "started_at", "ended_at") values ($1, $2, $3, $4, $5) on conflict ("id") do nothing
select "products"."id", "products"."sku", "products"."name", "products"."price", "order_items"."order_id", "order_items"."line", "order_items"."product_id", "order_items"."quantity", "order_items"."price" from "products" full join "order_items" on "order_items"."order_id" = "products"."id" where "products"."price" > $1
insert into "products" ("id", "sku", "name", "price") select "id", "sku", "name", "price" from "products" where "products"."id" > $1
select "inventory"."product_id", "inventory"."quantity", "inventory"."updated_at", "z"."id" from "inventory" left join lateral (select "id" from "payments" where "payments"."id" = "inventory"."product_id" limit $1) "z" on true
update "inventory" set "updated_at" = ((select max("id") from "payments"))
select "totals"."id", "n", "reviews"."id", "reviews"."product_id", "reviews"."user_id", "reviews"."rating", "reviews"."body", "reviews"."created_at" from (select "id", sum("rating") as "n" from "reviews" group by "reviews"."id") "totals" left join "reviews" on "reviews"."id" = "totals"."id"
delete from "reviews" returning "id", "product_id", "user_id", "rating", "body", "created_at"
select distinct on ("orders"."status") "id", "user_id", "status", "total", "placed_at" from "orders" order by "orders"."status", "orders"."id" desc
with "gone" as (delete from "orders" where "orders"."id" > $1 returning "id") insert into "user" ("id", "order", "group") values ($2, $3, $4)
(select "order_id" from "order_items") union all (select "ItemId" from "Line Items")
select "id", lower("method") from "payments" order by "payments"."id" desc limit $1 offset $2
(select "id" from "payments") except (select "id" from "finance"."ledger")
select "Id", "authorId", "title", "deletedAt" from "BlogPost" where ("BlogPost"."title" like $1 or "BlogPost"."authorId" is null or ("BlogPost"."Id" between $2 and $3 and "BlogPost"."title" <> $4))
select "Id", "authorId", "title", "deletedAt" from "BlogPost" for no key update of "BlogPost" nowait
select "id", "order", "group" from "user" where "user"."id" in (select "id" from "users")
select  from "user_view"
select "ItemId", "PostId", "select" from "Line Items" where exists (select "id", "user_id", "device", "started_at", "ended_at" from "sessions" where "sessions"."id" = "Line Items"."ItemId")
insert into "Line Items" ("ItemId", "PostId", "select") values ($1, $2, $3) on conflict do nothing
select "finance"."ledger"."id", "finance"."ledger"."account_id", "finance"."ledger"."amount", "finance"."ledger"."meta", "products"."id", "products"."sku", "products"."name", "products"."price" from "finance"."ledger" full join "products" on "products"."id" = "finance"."ledger"."id" where "finance"."ledger"."amount" > $1
insert into "finance"."ledger" ("id", "account_id", "amount", "meta") select "id", "account_id", "amount", "meta" from "finance"."ledger" where "finance"."ledger"."id" > $1
select "finance"."accounts"."id", "finance"."accounts"."owner", "finance"."accounts"."open", "z"."product_id" from "finance"."accounts" left join lateral (select "product_id" from "inventory" where "inventory"."product_id" = "finance"."accounts"."id" limit $1) "z" on true
update "finance"."accounts" set "owner" = "finance"."accounts"."owner" || 'x' from "inventory" where "inventory"."product_id" = "finance"."accounts"."id"
select "reviews"."id", "reviews_products"."data" as "products", "reviews_users"."data" as "users" from "reviews" "reviews" left join lateral (select json_build_array("reviews_products"."id", "reviews_products"."sku", "reviews_products"."name", "reviews_products"."price") as "data" from (select * from "products" "reviews_products" where "reviews_products"."id" = "reviews"."product_id" limit $1) "reviews_products") "reviews_products" on true left join lateral (select json_build_array("reviews_users"."id", "reviews_users"."name", "reviews_users"."email", "reviews_users"."created_at") as "data" from (select * from "users" "reviews_users" where "reviews_users"."id" = "reviews"."user_id" limit $2) "reviews_users") "reviews_users" on true offset $3
select "ledger"."id", "ledger"."account_id", "ledger"."amount", "ledger"."meta", "ledger_accounts"."data" as "accounts" from "finance"."ledger" "ledger" left join lateral (select json_build_array("ledger_accounts"."id", "ledger_accounts"."owner", "ledger_accounts"."open") as "data" from (select * from "finance"."accounts" "ledger_accounts" where "ledger_accounts"."id" = "ledger"."account_id" limit $1) "ledger_accounts") "ledger_accounts" on true limit $2
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($8, $9, $10, $11, CURRENT_TIMESTAMP);
insert into pgbench_branches(bid, filler) select bid, '' from generate_series(1, 10) as bid
insert into pgbench_tellers(bid, filler) select bid, '' from generate_series(1, 10) as bid
CREATE TABLE sbtest7( id SERIAL, k INTEGER DEFAULT '0' NOT NULL, c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, PRIMARY KEY (id) )
INSERT INTO oorder (id, d_id, w_id, c_id, entered, line_count, all_local) VALUES ($1, $2, $3, $4, now(), $5, $6)
UPDATE order_line SET delivered = now() WHERE o_id = $1 AND d_id = $2 AND w_id = $3
CREATE VIEW revenue AS SELECT supplier_id, sum(price) AS total FROM lineitem GROUP BY supplier_id
ALTER TABLE users OWNER TO app
CREATE RULE users_keep AS ON DELETE TO users DO INSTEAD UPDATE users SET email = 'gone' WHERE id = OLD.id
SELECT id, id, sum(id) OVER (PARTITION BY email ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM users
ALTER TABLE ONLY sessions ALTER COLUMN user_id TYPE numeric(12, 2) USING user_id::numeric
CREATE VIEW sessions_up AS SELECT a.*, b.id AS up_id FROM sessions AS a LEFT JOIN users AS b ON b.id = a.id
DECLARE sessions_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM sessions ORDER BY id
DROP INDEX CONCURRENTLY IF EXISTS products_idx
DROP TRIGGER IF EXISTS products_touch ON products
LOCK TABLE products IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT pg_get_serial_sequence('products', 'id'), 'products'::regclass::oid
INSERT INTO inventory SELECT * FROM inventory_stage ON CONFLICT DO NOTHING
VACUUM (ANALYZE, VERBOSE) inventory
DELETE FROM inventory a USING products b WHERE b.id = a.product_id AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = a.product_id)
CREATE TABLE reviews_2025 PARTITION OF reviews FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
COMMENT ON TABLE reviews IS 'moves soon'
WITH RECURSIVE up AS (SELECT id, 1 AS depth FROM reviews UNION ALL SELECT a.id, up.depth + 1 FROM reviews a JOIN up ON up.id = a.id) SELECT * FROM up
ALTER TABLE orders OWNER TO app
CREATE RULE orders_keep AS ON DELETE TO orders DO INSTEAD UPDATE orders SET status = 'gone' WHERE id = OLD.id
SELECT id, total, sum(total) OVER (PARTITION BY status ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM orders
ALTER TABLE ONLY order_items ALTER COLUMN price TYPE numeric(12, 2) USING price::numeric
CREATE VIEW order_items_up AS SELECT a.*, b.id AS up_id FROM order_items AS a LEFT JOIN orders AS b ON b.id = a.order_id
DECLARE order_items_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM order_items ORDER BY order_id
DROP INDEX CONCURRENTLY IF EXISTS payments_idx
DROP TRIGGER IF EXISTS payments_touch ON payments
LOCK TABLE payments IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT pg_get_serial_sequence('payments', 'id'), 'payments'::regclass::oid
INSERT INTO "BlogPost" SELECT * FROM blogpost_stage ON CONFLICT DO NOTHING
VACUUM (ANALYZE, VERBOSE) "BlogPost"
DELETE FROM "BlogPost" a USING "user" b WHERE b.id = a."Id" AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = a."Id")
CREATE TABLE user_2025 PARTITION OF "user" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
COMMENT ON TABLE "user" IS 'moves soon'
WITH RECURSIVE up AS (SELECT id, 1 AS depth FROM "user" UNION ALL SELECT a.id, up.depth + 1 FROM "user" a JOIN up ON up.id = a.id) SELECT * FROM up
ALTER TABLE "Line Items" OWNER TO app
CREATE RULE line_items_keep AS ON DELETE TO "Line Items" DO INSTEAD UPDATE "Line Items" SET "select" = 'gone' WHERE "ItemId" = OLD."ItemId"
SELECT "ItemId", "PostId", sum("PostId") OVER (PARTITION BY "select" ORDER BY "ItemId" ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM "Line Items"
ALTER TABLE ONLY finance.ledger ALTER COLUMN amount TYPE numeric(12, 2) USING amount::numeric
CREATE VIEW ledger_up AS SELECT a.*, b.id AS up_id FROM finance.ledger AS a LEFT JOIN accounts AS b ON b.id = a.id
DECLARE ledger_all NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM finance.ledger ORDER BY id
DROP INDEX CONCURRENTLY IF EXISTS accounts_idx
DROP TRIGGER IF EXISTS accounts_touch ON finance.accounts
LOCK TABLE finance.accounts IN SHARE ROW EXCLUSIVE MODE NOWAIT
SELECT pg_get_serial_sequence('accounts', 'id'), 'accounts'::regclass::oid
START TRANSACTION READ WRITE
SELECT set_config('app.id', '7', true)
TABLE users
