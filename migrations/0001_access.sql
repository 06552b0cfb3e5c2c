-- Why: who may do what. Users, their roles, sessions, API tokens and the one-use set-up link.
-- The application works as `passerelle_app`, which owns nothing, so that a fault in it cannot alter the audit (0002).
DO $$
BEGIN
  CREATE ROLE passerelle_app NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'passerelle_app', 'MEMBER') THEN
    EXECUTE format('GRANT passerelle_app TO %I', current_user);
  END IF;
END $$;
GRANT USAGE ON SCHEMA public TO passerelle_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO passerelle_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO passerelle_app;

CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  display_name text NOT NULL,
  -- argon2id, PHC string; null for service users and for people who sign in elsewhere.
  password_hash text,
  service boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE role_bindings (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('viewer', 'developer', 'operator', 'admin')),
  scope_kind text NOT NULL CHECK (scope_kind IN ('everything', 'team', 'system', 'tier')),
  scope_value text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  UNIQUE (user_id, role, scope_kind, scope_value)
);

CREATE TABLE sessions (
  -- SHA-256 of the cookie's value: who reads this table cannot sign in with it.
  id bytea PRIMARY KEY,
  public_id uuid NOT NULL UNIQUE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  data jsonb NOT NULL,
  user_agent text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
  id text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  secret_hash bytea NOT NULL,
  role text NOT NULL CHECK (role IN ('viewer', 'developer', 'operator', 'admin')),
  scope_kind text NOT NULL CHECK (scope_kind IN ('everything', 'team', 'system', 'tier')),
  scope_value text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX api_tokens_user ON api_tokens (user_id, created_at DESC);

CREATE TABLE setup_tokens (
  secret_hash bytea PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);

-- Raised by every change of users, roles, tokens and sessions, so that caches of the processes know when they are old.
CREATE SEQUENCE access_version;
