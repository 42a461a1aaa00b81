-- What became of alerts, in an order that readers can go on from: a move is read once no transaction that began before
-- it can still commit (xid), so that none is passed over.
create table alert_moves (
  move_id  bigint generated always as identity primary key,
  xid      xid8 not null default pg_current_xact_id(),
  alert_id text not null references alerts on delete cascade,
  move     text not null check (move in ('raised', 'escalated', 'acknowledged', 'snoozed', 'resolved'))
);
create index alert_moves_order on alert_moves (xid, move_id);
create index alert_moves_alert on alert_moves (alert_id);

create function note_alert_move() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into alert_moves (alert_id, move) values (new.alert_id, 'raised');
    return null;
  end if;
  insert into alert_moves (alert_id, move)
  select new.alert_id, move
  from (values
    ('escalated', coalesce((new.standing ->> 'escalations')::int, 0) > coalesce((old.standing ->> 'escalations')::int, 0)),
    ('acknowledged', new.acked_at is not null and old.acked_at is null),
    ('snoozed', new.snoozed_until is not null and new.snoozed_until is distinct from old.snoozed_until),
    ('resolved', new.state = 'resolved' and old.state <> 'resolved')) as m (move, happened)
  where happened;
  return null;
end $$;

create trigger alerts_moved after insert or update on alerts for each row execute function note_alert_move();
