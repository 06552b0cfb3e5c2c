-- Why: a deployment survives the portal, so all of it is rows: what was asked, how far it is, what was seen, what to put back.
CREATE TABLE releases (
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  -- `namespace/name`; an entity never changes its key.
  service_key text NOT NULL,
  version text NOT NULL,
  commit_sha text,
  image text NOT NULL,
  build_url text,
  notes text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (service_id, version)
);
CREATE INDEX releases_service ON releases (service_id, created_at DESC, id DESC);
CREATE INDEX releases_image ON releases (service_id, image);

CREATE TABLE deployments (
  -- UUID v7: sorts by age, which the fence on the target relies on.
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  service_key text NOT NULL,
  environment_id uuid NOT NULL REFERENCES environments (id),
  binding_id uuid REFERENCES bindings (id) ON DELETE SET NULL,
  target_kind text NOT NULL,
  -- The target was the simulator.
  simulated boolean NOT NULL DEFAULT false,
  operation text NOT NULL CHECK (operation IN ('deploy', 'roll_back', 'restart', 'scale')),
  state text NOT NULL CHECK (state IN ('requested', 'blocked', 'awaiting_approval', 'queued', 'running', 'verifying',
    'succeeded', 'failed', 'rolled_back', 'cancelled', 'needs_person')),
  release_id uuid REFERENCES releases (id),
  version text,
  image text,
  replicas integer,
  config_choice text CHECK (config_choice IN ('release', 'current')),
  -- The change as the target adapter takes it; null for an attempt that was refused before it was known.
  change jsonb,
  previous_version text,
  previous_image text,
  -- What was on the target before the first effect: put back by the automatic roll back.
  recorded_before jsonb,
  -- What ran when it succeeded: put back by a later roll back with the release's own configuration.
  recorded_after jsonb,
  -- For a roll back: the deployment whose version comes back.
  rolls_back_to uuid REFERENCES deployments (id),
  reason text NOT NULL,
  requested_by text NOT NULL,
  request_id text NOT NULL,
  via text NOT NULL,
  gates jsonb NOT NULL DEFAULT '[]',
  failure jsonb,
  instances jsonb NOT NULL DEFAULT '[]',
  progress jsonb,
  deadline_s integer NOT NULL,
  auto_rollback boolean NOT NULL,
  cancel_requested_by text,
  lease_owner text,
  lease_until timestamptz,
  epoch bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz
);
-- The lock: one active deployment per service and environment.
CREATE UNIQUE INDEX deployments_one_active ON deployments (service_id, environment_id)
  WHERE state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying');
CREATE INDEX deployments_claim ON deployments (lease_until NULLS FIRST)
  WHERE state IN ('requested', 'queued', 'running', 'verifying');
CREATE INDEX deployments_by_age ON deployments (created_at DESC, id DESC);
CREATE INDEX deployments_pair ON deployments (service_id, environment_id, created_at DESC, id DESC);
CREATE INDEX deployments_state ON deployments (state, created_at DESC, id DESC);
CREATE INDEX deployments_environment ON deployments (environment_id, created_at DESC, id DESC);

CREATE TABLE deployment_steps (
  deployment_id uuid NOT NULL REFERENCES deployments (id),
  position integer NOT NULL,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'skipped')),
  started_at timestamptz,
  ended_at timestamptz,
  message text,
  PRIMARY KEY (deployment_id, position)
);

CREATE TABLE deployment_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  deployment_id uuid NOT NULL REFERENCES deployments (id),
  at timestamptz NOT NULL DEFAULT now(),
  kind text NOT NULL CHECK (kind IN ('state', 'step', 'instances', 'log')),
  message text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX deployment_events_stream ON deployment_events (deployment_id, id);

-- The last look at what runs, one row per binding; rewritten in place.
CREATE TABLE binding_states (
  binding_id uuid PRIMARY KEY REFERENCES bindings (id) ON DELETE CASCADE,
  image text,
  version text,
  health text NOT NULL,
  health_message text,
  replicas jsonb,
  -- The deployment that put there what runs, when it was one of ours.
  deployment_id uuid REFERENCES deployments (id),
  observed_at timestamptz NOT NULL
);

CREATE TABLE idempotency_keys (
  principal text NOT NULL,
  key text NOT NULL,
  -- SHA-256 of method, path and body: the same key with another request is refused.
  request_hash bytea NOT NULL,
  status integer,
  body bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- One process at a time does a periodic job; the lease is taken and kept by the database's clock.
CREATE TABLE job_leases (
  job text PRIMARY KEY,
  owner text NOT NULL,
  until timestamptz NOT NULL
);
