-- Why: people sign in at providers of OpenID Connect. Somebody is (issuer, subject), and a role knows whether a person gave it or a
-- group of a provider did.
CREATE TABLE user_identities (
  issuer text NOT NULL,
  subject text NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The id in the configuration at the last sign-in.
  provider text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_sign_in_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX user_identities_user ON user_identities (user_id);

-- What may be used once: the state of a sign-in, the id of a logout token. SHA-256; kept until it would not hold any more.
CREATE TABLE sign_in_used (
  hash bytea PRIMARY KEY,
  until timestamptz NOT NULL
);

-- Empty for a role that a person gave. A role by hand and the same one by a group are two rows: each goes by itself.
ALTER TABLE role_bindings ADD COLUMN provider text NOT NULL DEFAULT '';
ALTER TABLE role_bindings ADD COLUMN provider_group text NOT NULL DEFAULT '';
ALTER TABLE role_bindings DROP CONSTRAINT role_bindings_user_id_role_scope_kind_scope_value_key;
ALTER TABLE role_bindings ADD CONSTRAINT role_bindings_once
  UNIQUE (user_id, role, scope_kind, scope_value, provider, provider_group);

-- Back-channel logout looks for these.
CREATE INDEX sessions_provider ON sessions ((data ->> 'provider')) WHERE data ? 'provider';
