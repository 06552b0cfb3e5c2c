-- Why: what happened must stay readable as it was written. Rows are only ever inserted; a sealer links them into a hash
-- chain and signs checkpoints. `before` and `after` are `json`, not `jsonb`: the exact text is hashed.
CREATE TABLE audit_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
  outcome text NOT NULL CHECK (outcome IN ('intent', 'success', 'failure', 'denied'))
);
CREATE INDEX audit_events_at ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_actor ON audit_events (actor, id DESC);
CREATE INDEX audit_events_action ON audit_events (action, id DESC);
CREATE INDEX audit_events_object ON audit_events (object, id DESC);
CREATE INDEX audit_events_service ON audit_events (service, id DESC) WHERE service IS NOT NULL;
CREATE INDEX audit_events_environment ON audit_events (environment, id DESC) WHERE environment IS NOT NULL;

CREATE TABLE audit_chain (
  position bigint PRIMARY KEY,
  event_id bigint NOT NULL UNIQUE,
  -- SHA-256 (hash of the position before || SHA-256 of the row's canonical bytes)
  hash bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE audit_checkpoints (
  position bigint PRIMARY KEY,
  event_id bigint NOT NULL,
  hash bytea NOT NULL,
  signature bytea NOT NULL,
  key_id text NOT NULL,
  at timestamptz NOT NULL
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON audit_events, audit_chain, audit_checkpoints FROM passerelle_app;
