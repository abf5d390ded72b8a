select "id", "name", "active", "created_at" from "users" where "users"."id" = $1
select "id", lower("name") from "users" order by "users"."id" desc limit $1
select "users"."id", "users"."name", "users"."active", "users"."created_at", "shop"."Orders"."id", "shop"."Orders"."user_id", "shop"."Orders"."total", "shop"."Orders"."state" from "users" left join "shop"."Orders" on "shop"."Orders"."user_id" = "users"."id" where ("shop"."Orders"."total" > $1 and "users"."id" <> $2)
select "users"."id", "users"."name", "users"."active", "users"."created_at", "shop"."Orders"."id", "shop"."Orders"."user_id", "shop"."Orders"."total", "shop"."Orders"."state", "order_items"."id", "order_items"."order_id", "order_items"."sku", "order_items"."qty" from "users" inner join "shop"."Orders" on "shop"."Orders"."user_id" = "users"."id" right join "order_items" on "order_items"."order_id" = "shop"."Orders"."id"
select count(*) from "shop"."Orders" where ("shop"."Orders"."state" like $1 or "shop"."Orders"."total" is null)
select "id", "name", "active", "created_at" from "users" where "users"."id" in (select "user_id" from "shop"."Orders")
select "id", "name", "active", "created_at" from "users" where not exists (select "id", "order_id", "sku", "qty" from "order_items" where "order_items"."id" = "users"."id")
select "id", "name", "active", "created_at" from "users" where ("users"."name" ilike $1 and "users"."id" between $2 and $3) order by "users"."name" asc
with "open" as (select "id", "user_id", "total", "state" from "shop"."Orders" where "shop"."Orders"."state" = $1) select "open"."id", "open"."user_id", "open"."total", "open"."state", "order_items"."id", "order_items"."order_id", "order_items"."sku", "order_items"."qty" from "open" inner join "order_items" on "order_items"."order_id" = "open"."id"
select "totals"."user_id", "n", "users"."id", "users"."name", "users"."active", "users"."created_at" from (select "user_id", sum("total") as "n" from "shop"."Orders" group by "shop"."Orders"."user_id") "totals" left join "users" on "users"."id" = "totals"."user_id"
select distinct on ("shop"."Orders"."user_id") "id", "user_id", "total", "state" from "shop"."Orders" order by "shop"."Orders"."user_id"
(select "id" from "users") union (select "user_id" from "shop"."Orders")
select "id", "user_id", "total", "state" from "shop"."Orders" where "shop"."Orders"."id" = $1 for update skip locked
insert into "users" ("id", "name", "active", "created_at") values (default, $1, default, default), (default, $2, $3, default) returning "id"
insert into "shop"."Orders" ("id", "user_id", "total", "state") values (default, $1, $2, default) on conflict do nothing
insert into "shop"."Orders" ("id", "user_id", "total", "state") values ($1, default, default, $2) on conflict ("id") do update set "state" = $3
insert into "order_items" ("id", "order_id", "sku", "qty") select "id", "order_id", "sku", "qty" from "order_items" where "order_items"."qty" > $1
update "shop"."Orders" set "state" = $1 where "shop"."Orders"."id" = $2 returning "id", "user_id", "total", "state"
update "shop"."Orders" set "total" = "shop"."Orders"."total" + 1 from "users" where "users"."id" = "shop"."Orders"."user_id"
delete from "order_items" where ("order_items"."order_id" = $1 and "order_items"."qty" > $2)
delete from "users" returning "id", "name", "active", "created_at"
