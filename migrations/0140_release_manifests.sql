-- Why: a release may point to a bundle of manifests, which is pinned by its digest; NULL: it has none.
SET LOCAL lock_timeout = '5s';
ALTER TABLE releases ADD COLUMN manifests_url text, ADD COLUMN manifests_sha256 text,
  ADD CONSTRAINT releases_manifests_whole CHECK ((manifests_url IS NULL) = (manifests_sha256 IS NULL)) NOT VALID;
