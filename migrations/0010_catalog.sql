-- Why: the catalog. One row per entity, whatever its kind, and the relations each one states. Rows are never deleted: deployments and
-- the audit point at services that are gone, so what disappears is archived and keeps its id when it comes back.
CREATE SEQUENCE catalog_revision;

CREATE TABLE entities (
  id uuid PRIMARY KEY,
  -- kind:namespace/name in lower case: what identifies an entity.
  reference text NOT NULL UNIQUE,
  api_version text NOT NULL,
  -- These three as the document writes them.
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  -- What holds: the document's value, or the portal's own (overrides) where one was set.
  title text,
  description text,
  entity_type text,
  lifecycle text,
  owner text,
  system text,
  tags text[] NOT NULL DEFAULT '{}',
  -- `json`, not `jsonb`: fields keep their order.
  document json NOT NULL,
  -- Fields that were edited in the portal: title, description, lifecycle, tags.
  overrides jsonb NOT NULL DEFAULT '{}',
  -- SHA-256 of the document's text: equal means that an import has nothing to do.
  content_hash bytea NOT NULL,
  -- The name of the import, the file in it, and the line its document begins at.
  source text NOT NULL,
  source_file text NOT NULL,
  source_line integer NOT NULL,
  -- From catalog_revision, taken under an advisory lock that is held until the commit: who has read all rows up to one revision has
  -- missed none.
  revision bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE INDEX entities_revision ON entities (revision);
CREATE INDEX entities_source ON entities (source) WHERE archived_at IS NULL;

-- One direction of each pair, references in lower case; either end may not exist (yet).
CREATE TABLE relations (
  -- The entity whose document says so; mostly, but not always, the source.
  entity_id uuid NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('ownedBy', 'partOf', 'providesApi', 'consumesApi', 'dependsOn', 'childOf', 'memberOf')),
  source text NOT NULL,
  target text NOT NULL,
  PRIMARY KEY (entity_id, kind, source, target)
);
CREATE INDEX relations_target ON relations (target, kind);
