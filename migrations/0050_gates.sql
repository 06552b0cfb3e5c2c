-- Why: a change reaches production only when it may. What each tier asks for, when nothing is deployed, what scanners found, who
-- approved, and the two exceptions: waivers and break-glass.

-- Who decides about a deployment holds the row of the tier FOR SHARE until its transaction ends; who changes a policy, a freeze,
-- a waiver or a report takes all rows FOR UPDATE. So no deployment starts on what has just ceased to hold.
CREATE TABLE gate_policies (
  tier text PRIMARY KEY CHECK (tier IN ('development', 'staging', 'production')),
  policy jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text
);
INSERT INTO gate_policies (tier, policy) VALUES
  ('development', '{"preflight": "block"}'),
  ('staging', '{"preflight": "block", "freeze": "block"}'),
  ('production', '{"preflight": "block", "freeze": "block", "promotion_order": {"mode": "block", "healthy_minutes": 0},
    "vulnerability": {"mode": "block", "report_required": false}, "error_budget": "block"}');

CREATE TABLE freezes (
  id uuid PRIMARY KEY,
  scope_kind text NOT NULL CHECK (scope_kind IN ('global', 'team', 'environment', 'service')),
  -- The name or key that the kind says; empty for global.
  scope_value text NOT NULL DEFAULT '',
  title text NOT NULL,
  starts_at timestamptz NOT NULL,
  -- Null: until it is lifted. The end of the first window when it recurs.
  ends_at timestamptz,
  -- An RFC 5545 rule on the wall clock of the time zone.
  recurrence text,
  time_zone text NOT NULL DEFAULT 'UTC',
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  lifted_by text,
  lifted_at timestamptz,
  CHECK ((scope_kind = 'global') = (scope_value = '')),
  CHECK (recurrence IS NULL OR ends_at IS NOT NULL),
  CHECK (ends_at IS NULL OR ends_at > starts_at),
  CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);
CREATE INDEX freezes_standing ON freezes (scope_kind, scope_value) WHERE lifted_at IS NULL;

-- The newest report of each release.
CREATE TABLE vulnerability_reports (
  release_id uuid PRIMARY KEY REFERENCES releases (id),
  scan jsonb NOT NULL,
  -- SHA-256 of the report as it was sent.
  report_sha256 bytea NOT NULL CHECK (length(report_sha256) = 32),
  uploaded_by text NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE waivers (
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  service_key text NOT NULL,
  vulnerability text NOT NULL,
  -- Null: in any package.
  package text,
  reason text NOT NULL,
  expires_at timestamptz NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_by text,
  revoked_at timestamptz,
  CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
CREATE INDEX waivers_service ON waivers (service_id, created_at DESC);

CREATE TABLE approvals (
  id uuid PRIMARY KEY,
  deployment_id uuid NOT NULL REFERENCES deployments (id),
  approver text NOT NULL,
  decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
  reason text,
  -- What was approved: artifact, place and configuration. See `deployments.fingerprint`.
  fingerprint bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  voided_at timestamptz,
  void_reason text,
  CHECK ((voided_at IS NULL) = (void_reason IS NULL))
);
-- A person counts once.
CREATE UNIQUE INDEX approvals_one_each ON approvals (deployment_id, approver) WHERE voided_at IS NULL;
CREATE INDEX approvals_deployment ON approvals (deployment_id, created_at);

-- Opened by one person for one deployment of one service in one environment.
CREATE TABLE break_glass (
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  service_key text NOT NULL,
  environment_id uuid NOT NULL REFERENCES environments (id),
  opened_by text NOT NULL,
  reason text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL CHECK (expires_at <= opened_at + interval '60 minutes'),
  used_by uuid REFERENCES deployments (id) DEFERRABLE INITIALLY DEFERRED,
  used_at timestamptz,
  CHECK ((used_by IS NULL) = (used_at IS NULL))
);
CREATE INDEX break_glass_pair ON break_glass (service_id, environment_id, expires_at DESC);
CREATE INDEX break_glass_age ON break_glass (opened_at DESC);

-- What others are told, written with the change itself and delivered later.
CREATE TABLE outbox_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  -- For example `break_glass.opened`.
  kind text NOT NULL,
  service text,
  environment text,
  payload jsonb NOT NULL,
  taken_at timestamptz
);
CREATE INDEX outbox_events_waiting ON outbox_events (id) WHERE taken_at IS NULL;

ALTER TABLE deployments
  -- SHA-256 over the artifact, the place and its configuration, as they were when it was asked for.
  ADD COLUMN fingerprint bytea,
  ADD COLUMN approvals_needed integer NOT NULL DEFAULT 0,
  ADD COLUMN approval_until timestamptz,
  ADD COLUMN break_glass_id uuid REFERENCES break_glass (id);
CREATE INDEX deployments_awaiting ON deployments (approval_until) WHERE state = 'awaiting_approval';

-- Since when what runs has been seen healthy without a break.
ALTER TABLE binding_states ADD COLUMN healthy_since timestamptz;
