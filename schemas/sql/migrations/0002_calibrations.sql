-- What stands behind a verdict: the threshold it was held to, the past it was learned from, and what the two tests said
-- before calibration (nats; null where nothing was judged or learned from).
alter table verdicts
  add column alpha double precision,
  add column learned_s double precision,
  add column learned_from timestamptz,
  add column spike double precision,
  add column rise double precision;

-- What a replay over all frames found, a row a day of the stream; it holds from then on, until the next.
create table calibrations (
  holds_from timestamptz primary key,
  made_at    timestamptz not null,
  budget     double precision not null,
  series     integer not null,
  days       double precision not null,
  asked      double precision not null,
  accepted   double precision not null,
  alarms     integer not null,
  held       integer not null,
  found      jsonb not null
);
