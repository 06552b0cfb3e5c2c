# An account of its own: what this service may do, no other service may.
resource "google_service_account" "runtime" {
  account_id   = var.name
  display_name = "Runs ${var.name}"
}

# For the collector of metrics beside the service. Neither role can be given for less than the project; they only write.
resource "google_project_iam_member" "metrics" {
  project = var.project_id
  role    = "roles/monitoring.metricWriter"
  member  = "serviceAccount:${google_service_account.runtime.email}"
}

<% if database %>
# The secret is made here, its value is not: that would stand in the state. docs/deployment.md says how a person puts it in.
resource "google_secret_manager_secret" "database_url" {
  secret_id = "${var.name}-database-url"
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "database_url" {
  secret_id = google_secret_manager_secret.database_url.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.runtime.email}"
}

<% endif %>
resource "google_cloud_run_v2_service" "service" {
  name                = var.name
  location            = var.region
  deletion_protection = true
<% if events %>
  # Nobody from outside: Pub/Sub of this project comes in.
  ingress = "INGRESS_TRAFFIC_INTERNAL_ONLY"
<% else %>
  ingress             = "INGRESS_TRAFFIC_ALL"
<% endif %>

  template {
    service_account                  = google_service_account.runtime.email
    timeout                          = "60s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
<% if database %>

    # Through the connector to the private network of the database; everything else goes its normal way.
    vpc_access {
      connector = "projects/${var.project_id}/locations/${var.region}/connectors/<{ vpc_connector }>"
      egress    = "PRIVATE_RANGES_ONLY"
    }

    # As a file, not a variable: what a crash report inherits has no password in it. Read when an instance starts.
    volumes {
      name = "secrets"
      secret {
        secret       = google_secret_manager_secret.database_url.secret_id
        default_mode = 292
        items {
          path    = "database_url"
          version = "latest"
        }
      }
    }
<% endif %>

    containers {
      name  = "<{ name }>"
      image = var.image

      ports {
        container_port = <{ port }>
      }

      env {
        name  = "ENVIRONMENT"
        value = var.environment
      }
      # Cloud Run kills ten seconds after it asked.
      env {
        name  = "SHUTDOWN_GRACE_S"
        value = "8"
      }
<% if database %>

      volume_mounts {
        name       = "secrets"
        mount_path = "/run/secrets"
      }
<% endif %>

      resources {
        limits = {
          cpu    = "1"
          memory = "<{ memory_mb }>Mi"
        }
        # The collector beside it works between requests too, so the processor is not taken away.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      # Cloud Run ignores HEALTHCHECK of the image; these decide when a revision takes traffic, and when an instance is replaced.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30
        http_get {
          path = "<{ health_path }>"
        }
      }
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 3
        failure_threshold = 3
        http_get {
          path = "<{ health_path }>"
        }
      }
    }

    # Reads /metrics of each instance (nobody else could: instances have no address) and writes to Managed Prometheus.
    containers {
      name       = "collector"
      image      = "us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.2.0"
      depends_on = ["<{ name }>"]

      resources {
        limits = {
          cpu    = "0.5"
          memory = "256Mi"
        }
      }
    }
  }

  lifecycle {
    # The pipeline and the portal own what runs and who gets traffic; an apply must not take a release back.
    ignore_changes = [template[0].containers[0].image, template[0].revision, template[0].labels, traffic, client, client_version]
  }
}
<% if database %>

# The migration: the image of the release, run to its end before the release gets traffic.
resource "google_cloud_run_v2_job" "migrate" {
  name                = "${var.name}-migrate"
  location            = var.region
  deletion_protection = true

  template {
    template {
      service_account = google_service_account.runtime.email
      # Tried once: what failed half-way is looked at by a person.
      max_retries = 0
      timeout     = "600s"

      vpc_access {
        connector = "projects/${var.project_id}/locations/${var.region}/connectors/<{ vpc_connector }>"
        egress    = "PRIVATE_RANGES_ONLY"
      }

      volumes {
        name = "secrets"
        secret {
          secret       = google_secret_manager_secret.database_url.secret_id
          default_mode = 292
          items {
            path    = "database_url"
            version = "latest"
          }
        }
      }

      containers {
        image   = var.image
        command = ["<{ migrate_program }>"]
        args    = [<% for word in migrate_arguments %><% if not loop.first %>, <% endif %>"<{ word }>"<% endfor %>]

        volume_mounts {
          name       = "secrets"
          mount_path = "/run/secrets"
        }

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }
}
<% endif %>
