# GitHub proves who it is with a token of the run; no key is stored anywhere.
resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github-${var.name}"
  display_name              = "GitHub, ${var.name}"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  # Without a condition every repository on GitHub gets in here. This repository's branch of releases and its two environments do: no pull
  # request, no other branch, no fork.
  attribute_condition = "assertion.sub == 'repo:${var.repository}:ref:refs/heads/${var.branch}' || assertion.sub == 'repo:${var.repository}:environment:staging' || assertion.sub == 'repo:${var.repository}:environment:production'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

locals {
  principal = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/subject/repo:${var.repository}"
}

# Two accounts: what builds cannot deploy, and what deploys cannot push.
resource "google_service_account" "build" {
  account_id   = "${var.name}-build"
  display_name = "Builds ${var.name}"
}

resource "google_service_account" "deploy" {
  account_id   = "${var.name}-deploy"
  display_name = "Deploys ${var.name}"
}

# The subject is exact: builds only from the branch of releases, deployments only from jobs that a GitHub environment let through.
resource "google_service_account_iam_member" "build" {
  service_account_id = google_service_account.build.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.principal}:ref:refs/heads/${var.branch}"
}

resource "google_service_account_iam_member" "deploy" {
  for_each           = toset(["staging", "production"])
  service_account_id = google_service_account.deploy.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.principal}:environment:${each.key}"
}
