-- Why: a service that was made by a golden path keeps its tie to it: which template in which version, what was answered, and what the
-- files were, so that a later version can be offered as a difference that keeps what people changed since.
CREATE TABLE onboardings (
  id uuid PRIMARY KEY,
  -- A service is made once.
  service_id uuid NOT NULL UNIQUE REFERENCES entities (id),
  -- namespace/name as it was made.
  service text NOT NULL,
  template text NOT NULL,
  template_version text NOT NULL,
  -- `json`, not `jsonb`: in the order of the form.
  answers json NOT NULL,
  delivery jsonb NOT NULL,
  -- What was done beside the service itself, with the words of what is missing.
  steps jsonb NOT NULL,
  created_by text NOT NULL,
  -- Of the request that made it: the same request, sent again, finds it.
  request_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX onboardings_template ON onboardings (template, template_version);

-- As they were made; never changed.
CREATE TABLE onboarding_files (
  onboarding_id uuid NOT NULL REFERENCES onboardings (id) ON DELETE CASCADE,
  path text NOT NULL,
  content text NOT NULL,
  executable boolean NOT NULL,
  PRIMARY KEY (onboarding_id, path)
);

-- What somebody has typed so far: one a person and a template.
CREATE TABLE onboarding_drafts (
  actor text NOT NULL,
  template text NOT NULL,
  answers json NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (actor, template)
);
