# What the pipeline may do: this service and the account it runs as. Not the project.
resource "google_cloud_run_v2_service_iam_member" "deploy" {
  location = google_cloud_run_v2_service.service.location
  name     = google_cloud_run_v2_service.service.name
  role     = "roles/run.developer"
  member   = "serviceAccount:${var.deployer}"
}
<% if database %>

resource "google_cloud_run_v2_job_iam_member" "deploy" {
  location = google_cloud_run_v2_job.migrate.location
  name     = google_cloud_run_v2_job.migrate.name
  role     = "roles/run.developer"
  member   = "serviceAccount:${var.deployer}"
}
<% endif %>

resource "google_service_account_iam_member" "deploy" {
  service_account_id = google_service_account.runtime.name
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${var.deployer}"
}
<% if not events %>

# Asks the new revision before it gets traffic.
resource "google_cloud_run_v2_service_iam_member" "verify" {
  location = google_cloud_run_v2_service.service.location
  name     = google_cloud_run_v2_service.service.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.deployer}"
}
<% if public %>

# Everybody may call: the service itself decides who gets what.
resource "google_cloud_run_v2_service_iam_member" "public" {
  location = google_cloud_run_v2_service.service.location
  name     = google_cloud_run_v2_service.service.name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
<% endif %>
<% endif %>

output "url" {
  description = "Where the service answers."
  value       = google_cloud_run_v2_service.service.uri
}
