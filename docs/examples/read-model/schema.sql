-- What another service keeps of the orders, in a database of its own.
CREATE TABLE orders_view (
  id        bigint PRIMARY KEY,
  customer  text NOT NULL,
  total     numeric NOT NULL,
  -- Partition of the topic that the row came from: an emptied table is told in each partition by itself.
  partition integer NOT NULL
);
CREATE INDEX ON orders_view (partition);

-- Ids of the messages that were taken. A message may come twice, long after the first time only when the feed or this
-- program was away for as long; older ones may be deleted.
CREATE TABLE taken (
  id       text PRIMARY KEY,
  taken_at timestamptz NOT NULL DEFAULT now()
);
