select * from "users" where "id" = $1
select "id", "name" as "label" from "users" where "state" in ('a', 'b') order by "id" desc limit 20 offset 40
select "users".* from "users" inner join "inventory" on "users"."id" = "inventory"."users_id" where "inventory"."x" > $1
select count(distinct "o"."id") as "n" from "users" as "t" left join "shop"."inventory" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "users" ("a", "b") values ($1, $2), ($3, $4) returning "id"
insert into "users" ("a", "id") values (2, 1) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "users" ("id") values ($1) on conflict ("id", "a") do nothing
update "users" set "a" = 'x', "b" = b + 1 where "id" < 10
delete from "users" where "gone_at" is null
update "users" set "hits" = "hits" + 1 where "id" = 7
select * from "users" where exists (select 1 from "inventory" where inventory.ref = users.id)
select * from "users" where "id" not in (select "ref" from "inventory" where "open" = true)
with "recent" as (select * from "users" where "at" > $1) select * from "recent" inner join "inventory" on "recent"."id" = "inventory"."ref"
select "id" from "users" union select "id" from "inventory" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "users" group by "kind" having count(*) > 3
select * from "users" where ("a" = 1 or "b" like 'x%') and "c" between 1 and 2 limit 1
select distinct "a", "b" from "users" order by a nulls last
select (select count(*) from "inventory" where ref = users.id) as "n" from "users"
select * from "users" where "id" = $1 for update
select * from "sessions" where "id" = 2
select "id", "name" as "label" from "sessions" where "state" in ($1, $2) order by "id" desc limit $3 offset $4
select "sessions".* from "sessions" inner join "orders" on "sessions"."id" = "orders"."sessions_id" where "orders"."x" > 5
select count(distinct "o"."id") as "n" from "sessions" as "t" left join "shop"."orders" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "sessions" ("a", "b") values (1, 'it''s'), (2, NULL) returning "id"
insert into "sessions" ("a", "id") values ($1, $2) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "sessions" ("id") values (1) on conflict ("id", "a") do nothing
update "sessions" set "a" = $1, "b" = b + 1 where "id" < $2
delete from "sessions" where "gone_at" is null
update "sessions" set "hits" = "hits" + $1 where "id" = $2
select * from "sessions" where exists (select 1 from "orders" where orders.ref = sessions.id)
select * from "sessions" where "id" not in (select "ref" from "orders" where "open" = $1)
with "recent" as (select * from "sessions" where "at" > '2024-01-01') select * from "recent" inner join "orders" on "recent"."id" = "orders"."ref"
select "id" from "sessions" union select "id" from "orders" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "sessions" group by "kind" having count(*) > 3
select * from "sessions" where ("a" = $1 or "b" like $2) and "c" between $3 and $4 limit $5
select distinct "a", "b" from "sessions" order by a nulls last
select (select count(*) from "orders" where ref = sessions.id) as "n" from "sessions"
select * from "sessions" where "id" = 3 for update
select * from "products" where "id" = $1
select "id", "name" as "label" from "products" where "state" in ('a', 'b') order by "id" desc limit 20 offset 40
select "products".* from "products" inner join "order_items" on "products"."id" = "order_items"."products_id" where "order_items"."x" > $1
select count(distinct "o"."id") as "n" from "products" as "t" left join "shop"."order_items" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "products" ("a", "b") values ($1, $2), ($3, $4) returning "id"
insert into "products" ("a", "id") values (2, 1) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "products" ("id") values ($1) on conflict ("id", "a") do nothing
update "products" set "a" = 'x', "b" = b + 1 where "id" < 10
delete from "products" where "gone_at" is null
update "products" set "hits" = "hits" + 1 where "id" = 7
select * from "products" where exists (select 1 from "order_items" where order_items.ref = products.id)
select * from "products" where "id" not in (select "ref" from "order_items" where "open" = true)
with "recent" as (select * from "products" where "at" > $1) select * from "recent" inner join "order_items" on "recent"."id" = "order_items"."ref"
select "id" from "products" union select "id" from "order_items" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "products" group by "kind" having count(*) > 3
select * from "products" where ("a" = 1 or "b" like 'x%') and "c" between 1 and 2 limit 1
select distinct "a", "b" from "products" order by a nulls last
select (select count(*) from "order_items" where ref = products.id) as "n" from "products"
select * from "products" where "id" = $1 for update
select * from "inventory" where "id" = 4
select "id", "name" as "label" from "inventory" where "state" in ($1, $2) order by "id" desc limit $3 offset $4
select "inventory".* from "inventory" inner join "payments" on "inventory"."id" = "payments"."inventory_id" where "payments"."x" > 5
select count(distinct "o"."id") as "n" from "inventory" as "t" left join "shop"."payments" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "inventory" ("a", "b") values (1, 'it''s'), (2, NULL) returning "id"
insert into "inventory" ("a", "id") values ($1, $2) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "inventory" ("id") values (1) on conflict ("id", "a") do nothing
update "inventory" set "a" = $1, "b" = b + 1 where "id" < $2
delete from "inventory" where "gone_at" is null
update "inventory" set "hits" = "hits" + $1 where "id" = $2
select * from "inventory" where exists (select 1 from "payments" where payments.ref = inventory.id)
select * from "inventory" where "id" not in (select "ref" from "payments" where "open" = $1)
with "recent" as (select * from "inventory" where "at" > '2024-01-01') select * from "recent" inner join "payments" on "recent"."id" = "payments"."ref"
select "id" from "inventory" union select "id" from "payments" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "inventory" group by "kind" having count(*) > 3
select * from "inventory" where ("a" = $1 or "b" like $2) and "c" between $3 and $4 limit $5
select distinct "a", "b" from "inventory" order by a nulls last
select (select count(*) from "payments" where ref = inventory.id) as "n" from "inventory"
select * from "inventory" where "id" = 3 for update
select * from "orders" where "id" = $1
select "id", "name" as "label" from "orders" where "state" in ('a', 'b') order by "id" desc limit 20 offset 40
select "orders".* from "orders" inner join "reviews" on "orders"."id" = "reviews"."orders_id" where "reviews"."x" > $1
select count(distinct "o"."id") as "n" from "orders" as "t" left join "shop"."reviews" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "orders" ("a", "b") values ($1, $2), ($3, $4) returning "id"
insert into "orders" ("a", "id") values (2, 1) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "orders" ("id") values ($1) on conflict ("id", "a") do nothing
update "orders" set "a" = 'x', "b" = b + 1 where "id" < 10
delete from "orders" where "gone_at" is null
update "orders" set "hits" = "hits" + 1 where "id" = 7
select * from "orders" where exists (select 1 from "reviews" where reviews.ref = orders.id)
select * from "orders" where "id" not in (select "ref" from "reviews" where "open" = true)
with "recent" as (select * from "orders" where "at" > $1) select * from "recent" inner join "reviews" on "recent"."id" = "reviews"."ref"
select "id" from "orders" union select "id" from "reviews" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "orders" group by "kind" having count(*) > 3
select * from "orders" where ("a" = 1 or "b" like 'x%') and "c" between 1 and 2 limit 1
select distinct "a", "b" from "orders" order by a nulls last
select (select count(*) from "reviews" where ref = orders.id) as "n" from "orders"
select * from "orders" where "id" = $1 for update
select * from "order_items" where "id" = 6
select "id", "name" as "label" from "order_items" where "state" in ($1, $2) order by "id" desc limit $3 offset $4
select "order_items".* from "order_items" inner join "users" on "order_items"."id" = "users"."order_items_id" where "users"."x" > 5
select count(distinct "o"."id") as "n" from "order_items" as "t" left join "shop"."users" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "order_items" ("a", "b") values (1, 'it''s'), (2, NULL) returning "id"
insert into "order_items" ("a", "id") values ($1, $2) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "order_items" ("id") values (1) on conflict ("id", "a") do nothing
update "order_items" set "a" = $1, "b" = b + 1 where "id" < $2
delete from "order_items" where "gone_at" is null
update "order_items" set "hits" = "hits" + $1 where "id" = $2
select * from "order_items" where exists (select 1 from "users" where users.ref = order_items.id)
select * from "order_items" where "id" not in (select "ref" from "users" where "open" = $1)
with "recent" as (select * from "order_items" where "at" > '2024-01-01') select * from "recent" inner join "users" on "recent"."id" = "users"."ref"
select "id" from "order_items" union select "id" from "users" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "order_items" group by "kind" having count(*) > 3
select * from "order_items" where ("a" = $1 or "b" like $2) and "c" between $3 and $4 limit $5
select distinct "a", "b" from "order_items" order by a nulls last
select (select count(*) from "users" where ref = order_items.id) as "n" from "order_items"
select * from "order_items" where "id" = 3 for update
select * from "payments" where "id" = $1
select "id", "name" as "label" from "payments" where "state" in ('a', 'b') order by "id" desc limit 20 offset 40
select "payments".* from "payments" inner join "sessions" on "payments"."id" = "sessions"."payments_id" where "sessions"."x" > $1
select count(distinct "o"."id") as "n" from "payments" as "t" left join "shop"."sessions" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "payments" ("a", "b") values ($1, $2), ($3, $4) returning "id"
insert into "payments" ("a", "id") values (2, 1) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "payments" ("id") values ($1) on conflict ("id", "a") do nothing
update "payments" set "a" = 'x', "b" = b + 1 where "id" < 10
delete from "payments" where "gone_at" is null
update "payments" set "hits" = "hits" + 1 where "id" = 7
select * from "payments" where exists (select 1 from "sessions" where sessions.ref = payments.id)
select * from "payments" where "id" not in (select "ref" from "sessions" where "open" = true)
with "recent" as (select * from "payments" where "at" > $1) select * from "recent" inner join "sessions" on "recent"."id" = "sessions"."ref"
select "id" from "payments" union select "id" from "sessions" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "payments" group by "kind" having count(*) > 3
select * from "payments" where ("a" = 1 or "b" like 'x%') and "c" between 1 and 2 limit 1
select distinct "a", "b" from "payments" order by a nulls last
select (select count(*) from "sessions" where ref = payments.id) as "n" from "payments"
select * from "payments" where "id" = $1 for update
select * from "reviews" where "id" = 8
select "id", "name" as "label" from "reviews" where "state" in ($1, $2) order by "id" desc limit $3 offset $4
select "reviews".* from "reviews" inner join "products" on "reviews"."id" = "products"."reviews_id" where "products"."x" > 5
select count(distinct "o"."id") as "n" from "reviews" as "t" left join "shop"."products" as "o" on "t"."id" = "o"."ref" group by "t"."id"
insert into "reviews" ("a", "b") values (1, 'it''s'), (2, NULL) returning "id"
insert into "reviews" ("a", "id") values ($1, $2) on conflict ("id") do update set "a" = excluded."a", "id" = excluded."id"
insert into "reviews" ("id") values (1) on conflict ("id", "a") do nothing
update "reviews" set "a" = $1, "b" = b + 1 where "id" < $2
delete from "reviews" where "gone_at" is null
update "reviews" set "hits" = "hits" + $1 where "id" = $2
select * from "reviews" where exists (select 1 from "products" where products.ref = reviews.id)
select * from "reviews" where "id" not in (select "ref" from "products" where "open" = $1)
with "recent" as (select * from "reviews" where "at" > '2024-01-01') select * from "recent" inner join "products" on "recent"."id" = "products"."ref"
select "id" from "reviews" union select "id" from "products" union select "id" from "archive"
select max("price") as "m", min("price"), avg("x") from "reviews" group by "kind" having count(*) > 3
select * from "reviews" where ("a" = $1 or "b" like $2) and "c" between $3 and $4 limit $5
select distinct "a", "b" from "reviews" order by a nulls last
select (select count(*) from "products" where ref = reviews.id) as "n" from "reviews"
select * from "reviews" where "id" = 3 for update
