# The cluster belongs to the platform. The pipeline may find it and log in; what it may do there is the Role in deploy/platform, in its two
# namespaces only (roles/container.developer would be every namespace).
resource "google_project_iam_member" "cluster" {
  project = var.project_id
  role    = "roles/container.clusterViewer"
  member  = "serviceAccount:${google_service_account.deploy.email}"
}
