-- The hours in which we were there to be sent to, feed by feed, and whether posts came: what a sender's silence is
-- measured by. Upkeep keeps eight weeks of them.
create table sender_hours (
  feed_id bigint not null references feeds on delete cascade,
  hour    timestamptz not null,
  sent    boolean not null,
  primary key (feed_id, hour)
);
