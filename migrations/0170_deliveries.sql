-- Why: the files of a service get to where people work on them: a new repository, or a branch with a request to take it in. Each step is
-- written down before and after it is made, so that whoever goes on after a crash knows what there is to look for.
CREATE TABLE onboarding_deliveries (
  id uuid PRIMARY KEY,
  onboarding_id uuid NOT NULL REFERENCES onboardings (id) ON DELETE CASCADE,
  -- The files as the service was made with, or what a later version of its template changes.
  purpose text NOT NULL CHECK (purpose IN ('files', 'update')),
  template_version text NOT NULL,
  -- Of an update: what its files were rendered with, in the order of the form.
  answers json,
  -- As it was asked for.
  destination jsonb NOT NULL,
  act text NOT NULL DEFAULT 'deliver' CHECK (act IN ('deliver', 'undo')),
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'undone')),
  -- What the steps have learned: repository, commit, request, what was taken back.
  facts jsonb NOT NULL DEFAULT '{}',
  created_by text NOT NULL,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  -- Grows with each claim: who was asleep finds that it writes nothing any more.
  epoch bigint NOT NULL DEFAULT 0,
  lease_owner text,
  lease_until timestamptz,
  next_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((state = 'running') = (ended_at IS NULL))
);
-- One at a time for a service.
CREATE UNIQUE INDEX onboarding_deliveries_one_active ON onboarding_deliveries (onboarding_id) WHERE state = 'running';
CREATE INDEX onboarding_deliveries_of ON onboarding_deliveries (onboarding_id, id DESC);
CREATE INDEX onboarding_deliveries_due ON onboarding_deliveries (next_at) WHERE state = 'running';

CREATE TABLE onboarding_delivery_steps (
  delivery_id uuid NOT NULL REFERENCES onboarding_deliveries (id) ON DELETE CASCADE,
  place smallint NOT NULL,
  step text NOT NULL CHECK (step IN ('repository', 'commit', 'proposal', 'merge', 'undo')),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'done', 'failed')),
  -- Template and arguments, to be said in the reader's language.
  message jsonb,
  attempts integer NOT NULL DEFAULT 0,
  started_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (delivery_id, step)
);

-- Of an update: what its commit changes (without content: the file goes), what it leaves although the new version differs, and the files of the new version as they were rendered, which
-- become those that the next update is compared with once this one was taken in.
CREATE TABLE onboarding_delivery_files (
  delivery_id uuid NOT NULL REFERENCES onboarding_deliveries (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('change', 'kept', 'rendered')),
  path text NOT NULL,
  content text,
  executable boolean NOT NULL,
  PRIMARY KEY (delivery_id, kind, path)
);
