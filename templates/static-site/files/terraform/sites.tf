# Archives of all releases, found by their digest. Not public, and nobody can change or delete one: a roll back must find it.
resource "google_storage_bucket" "releases" {
  name                        = "${var.project_id}-${var.name}-releases"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = 365
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.releases.name
  # Adds, and cannot overwrite.
  role   = "roles/storage.objectCreator"
  member = "serviceAccount:${google_service_account.build.email}"
}

resource "google_storage_bucket_iam_member" "deploy" {
  bucket = google_storage_bucket.releases.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.deploy.email}"
}

module "staging" {
  source = "./modules/site"

  project_id = var.project_id
  region     = var.region
  name       = "${var.name}-staging"
  host       = "staging.<{ host }>"
  deployer   = google_service_account.deploy.email
}

module "production" {
  source = "./modules/site"

  project_id = var.project_id
  region     = var.region
  name       = "${var.name}-production"
  host       = "<{ host }>"
  deployer   = google_service_account.deploy.email
}

output "addresses" {
  description = "A records for DNS; the certificates are issued once these answer."
  value       = { staging = module.staging.address, production = module.production.address }
}
