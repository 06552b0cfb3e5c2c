-- Why: where services run. An environment is a stage; a connection is a place with credentials; a binding ties a service in
-- an environment to an object on a connection. Secrets inside `config` are sealed before they come here.
CREATE TABLE environments (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  tier text NOT NULL CHECK (tier IN ('development', 'staging', 'production')),
  position integer NOT NULL CHECK (position BETWEEN 1 AND 1000),
  auto_rollback boolean NOT NULL DEFAULT true,
  progress_deadline_s integer NOT NULL DEFAULT 300 CHECK (progress_deadline_s BETWEEN 10 AND 3600),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE connections (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  kind text NOT NULL,
  config jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE bindings (
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  environment_id uuid NOT NULL REFERENCES environments (id),
  connection_id uuid NOT NULL REFERENCES connections (id),
  kind text NOT NULL,
  config jsonb NOT NULL,
  hold_since timestamptz,
  hold_by text,
  hold_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (service_id, environment_id),
  CHECK ((hold_since IS NULL) = (hold_by IS NULL) AND (hold_since IS NULL) = (hold_reason IS NULL))
);
CREATE INDEX bindings_environment ON bindings (environment_id);
CREATE INDEX bindings_connection ON bindings (connection_id);
