-- name: allow_index_scans
-- Until the transaction ends or it is said otherwise.
select set_config('enable_indexscan', %(said)s, true);
