-- Who did what, and who may look: moves of alerts name their time and author, mutes are kept when they end, and people
-- sign in to the console with any token that reads.

-- The newest move of an alert, as whoever made it said; the trigger writes it down as one of the moves.
alter table alerts
  add column moved_at timestamptz,
  add column moved_by text,
  add column moved_why text;

-- `at` is null where it was not kept: snoozes and escalations of before.
alter table alert_moves
  add column at timestamptz,
  add column moved_by text,
  add column why text,
  add column until timestamptz;

update alert_moves m
set at = case m.move when 'raised' then a.raised_at when 'acknowledged' then a.acked_at when 'resolved' then a.resolved_at end,
    until = case m.move when 'snoozed' then a.snoozed_until end
from alerts a where a.alert_id = m.alert_id;

create or replace function note_alert_move() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into alert_moves (alert_id, move, at) values (new.alert_id, 'raised', new.raised_at);
    return null;
  end if;
  insert into alert_moves (alert_id, move, at, moved_by, why, until)
  select new.alert_id, move, new.moved_at, new.moved_by, new.moved_why,
         case move when 'snoozed' then new.snoozed_until end
  from (values
    ('escalated', coalesce((new.standing ->> 'escalations')::int, 0) > coalesce((old.standing ->> 'escalations')::int, 0)),
    ('acknowledged', new.acked_at is not null and old.acked_at is null),
    ('snoozed', new.snoozed_until is not null and new.snoozed_until is distinct from old.snoozed_until),
    ('resolved', new.state = 'resolved' and old.state <> 'resolved')) as m (move, happened)
  where happened;
  return null;
end $$;

-- A mute that ended says when and by whom; those in force have no `ended_at` and an `until` that is not over.
alter table mutes
  add column made_by text,
  add column ended_at timestamptz,
  add column ended_by text;

-- Who is signed in to the console. The word in the cookie is kept as a digest; `mark` stands for the operator's token,
-- so that a changed one signs its holders out; a token that is revoked takes its sessions along.
create table sessions (
  digest   bytea primary key,
  token_id text references tokens on delete cascade,
  mark     bytea,
  made_at  timestamptz not null,
  used_at  timestamptz not null,
  check ((token_id is null) <> (mark is null))
);
create index sessions_used on sessions (used_at);
