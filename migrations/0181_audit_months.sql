-- Why: an audit that only grows needs a way to let old rows go without a hole that nobody vouches for. Rows lie in a partition for each month
-- (UTC), so that months which are in a signed archive are dropped as a whole; `audit_archives` says where the chain goes on.
LOCK TABLE audit_events, audit_chain IN ACCESS EXCLUSIVE MODE;

ALTER TABLE audit_events RENAME TO audit_events_before;
ALTER TABLE audit_events_before RENAME CONSTRAINT audit_events_pkey TO audit_events_before_pkey;
ALTER SEQUENCE audit_events_id_seq RENAME TO audit_events_before_id_seq;
ALTER INDEX audit_events_at RENAME TO audit_events_before_at;
ALTER INDEX audit_events_actor RENAME TO audit_events_before_actor;
ALTER INDEX audit_events_action RENAME TO audit_events_before_action;
ALTER INDEX audit_events_object RENAME TO audit_events_before_object;
ALTER INDEX audit_events_service RENAME TO audit_events_before_service;
ALTER INDEX audit_events_environment RENAME TO audit_events_before_environment;

CREATE TABLE audit_events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  via text NOT NULL,
  action text NOT NULL,
  object text NOT NULL,
  service text,
  environment text,
  reason text,
  before json,
  after json,
  request_id text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('intent', 'success', 'failure', 'denied')),
  -- A partition is found by `at`; ids are one sequence's, and so unique without it.
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_events_at ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_actor ON audit_events (actor, id DESC);
CREATE INDEX audit_events_action ON audit_events (action, id DESC);
CREATE INDEX audit_events_object ON audit_events (object, id DESC);
CREATE INDEX audit_events_service ON audit_events (service, id DESC) WHERE service IS NOT NULL;
CREATE INDEX audit_events_environment ON audit_events (environment, id DESC) WHERE environment IS NOT NULL;

-- Takes what has no month of its own, so that no act is ever refused for want of one.
CREATE TABLE audit_events_other PARTITION OF audit_events DEFAULT;
REVOKE ALL ON audit_events_other FROM passerelle_app;
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events_other
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Makes the partition of a month unless it is there; answers whether it made one.
CREATE FUNCTION audit_make_month(moment timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  name text := 'audit_events_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass(format('public.%I', name)) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE public.%I PARTITION OF public.audit_events FOR VALUES FROM (%L) TO (%L)',
    name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
  EXECUTE format('REVOKE ALL ON public.%I FROM passerelle_app', name);
  EXECUTE format('CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only()', name);
  RETURN true;
EXCEPTION
  -- Rows of that month lie in `audit_events_other` already: they are as good there.
  WHEN check_violation THEN RETURN false;
END $$;
REVOKE ALL ON FUNCTION audit_make_month(timestamptz) FROM PUBLIC;

-- For the application, which owns nothing: this month and the three after it, and no others.
CREATE FUNCTION audit_make_months() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  made integer := 0;
  ahead integer;
BEGIN
  -- One at a time: two processes start at once.
  PERFORM pg_advisory_xact_lock(7814978);
  FOR ahead IN 0..3 LOOP
    IF audit_make_month((now() AT TIME ZONE 'UTC' + make_interval(months => ahead)) AT TIME ZONE 'UTC') THEN
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION audit_make_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_make_months() TO passerelle_app;

-- The months of what is there.
SELECT audit_make_month(at) FROM (SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS at FROM audit_events_before) AS months;
SELECT audit_make_months();
INSERT INTO audit_events (id, at, actor, via, action, object, service, environment, reason, before, after, request_id, outcome)
  OVERRIDING SYSTEM VALUE
  SELECT id, at, actor, via, action, object, service, environment, reason, before, after, request_id, outcome
  FROM audit_events_before ORDER BY id;
SELECT setval('audit_events_id_seq', (SELECT last_value FROM audit_events_before_id_seq), (SELECT is_called FROM audit_events_before_id_seq));
DROP TABLE audit_events_before;

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
-- The same for who names a partition: a trigger for rows is the partitions' too.
CREATE TRIGGER audit_events_rows_append_only BEFORE UPDATE OR DELETE ON audit_events
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM passerelle_app;

-- What went into a file: a stretch from the beginning of the chain, signed with the key that lies outside the database.
CREATE TABLE audit_archives (
  last bigint PRIMARY KEY,
  first bigint NOT NULL,
  event_id bigint NOT NULL,
  hash bytea NOT NULL,
  sha256 bytea NOT NULL,
  signature bytea NOT NULL,
  key_id text NOT NULL,
  at timestamptz NOT NULL,
  CHECK (first <= last)
);
CREATE TRIGGER audit_archives_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archives
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_archives FROM passerelle_app;
