# What GitHub has to know: repository variables, not secrets.
output "github_variables" {
  description = "Set these as variables of the repository."
  value = {
    GCP_WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.github.name
    GCP_BUILD_SERVICE_ACCOUNT      = google_service_account.build.email
    GCP_DEPLOY_SERVICE_ACCOUNT     = google_service_account.deploy.email
  }
}
