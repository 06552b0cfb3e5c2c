# Once per project, by a person, with a local state: the bucket that holds every other state.
#   terraform init && terraform apply -var project_id=PROJECT
terraform {
  required_version = "~> 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }
}

variable "project_id" {
  type        = string
  description = "Project that the state belongs to."
}

variable "location" {
  type        = string
  description = "Where the bucket lies."
  default     = "<{ region }>"
}

provider "google" {
  project = var.project_id
}

# The gcs backend locks by itself: two applies at once cannot happen.
resource "google_storage_bucket" "state" {
  name                        = "${var.project_id}-tfstate"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  # A state that was broken can be taken back.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      num_newer_versions = 20
    }
    action {
      type = "Delete"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
