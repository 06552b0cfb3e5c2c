-- Why: what an Alertmanager tells, so that alerts stand on the pages of the services they are about and beside their budgets.
CREATE TABLE alerts (
  id uuid PRIMARY KEY,
  connection_id uuid NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
  -- The Alertmanager's own name of the set of labels, and when it began: together one occurrence.
  fingerprint text NOT NULL,
  started_at timestamptz NOT NULL,
  -- NULL: still firing.
  ended_at timestamptz,
  name text NOT NULL,
  severity text,
  summary text,
  -- NULL: its labels name no service of the catalog; whoever may see everything sees it.
  service_id uuid REFERENCES entities (id) ON DELETE CASCADE,
  environment text,
  labels jsonb NOT NULL,
  annotations jsonb NOT NULL,
  source_url text,
  heard_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (connection_id, fingerprint, started_at)
);
CREATE INDEX alerts_newest ON alerts (started_at DESC, id DESC);
CREATE INDEX alerts_of_service ON alerts (service_id, started_at DESC, id DESC);
CREATE INDEX alerts_firing ON alerts (started_at DESC, id DESC) WHERE ended_at IS NULL;
CREATE INDEX alerts_ended ON alerts (ended_at);
