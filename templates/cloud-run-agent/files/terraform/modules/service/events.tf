locals {
  topic = var.environment == "production" ? "<{ topic }>" : "<{ topic }>-${var.environment}"
}

data "google_project" "this" {
  project_id = var.project_id
}
<% if own_topic %>

resource "google_pubsub_topic" "events" {
  name = local.topic
  # A subscriber that is made tomorrow can still have what came today.
  message_retention_duration = "604800s"
}

locals {
  topic_id = google_pubsub_topic.events.id
}
<% else %>

# Made by the service that publishes.
data "google_pubsub_topic" "events" {
  name = local.topic
}

locals {
  topic_id = data.google_pubsub_topic.events.id
}
<% endif %>

# Pushes, and can do nothing else: not the account that the agent runs as, which may read its secrets.
resource "google_service_account" "push" {
  account_id   = "${var.name}-p"
  display_name = "Pushes messages to ${var.name}"
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  location = google_cloud_run_v2_service.service.location
  name     = google_cloud_run_v2_service.service.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.push.email}"
}

# Pub/Sub may sign as that account.
resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_subscription" "events" {
  name  = var.name
  topic = local.topic_id

  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"

  # A subscription that nobody used for a month is not thrown away.
  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.service.uri}/events"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloud_run_v2_service.service.uri
    }
  }

  # Slower and slower: a service that is down is not run over when it comes back.
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 5
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push, google_service_account_iam_member.push_token]
}

resource "google_pubsub_topic" "dead" {
  name                       = "${local.topic}.${var.name}-dead"
  message_retention_duration = "604800s"
}

# Keeps what was put aside until a person looked at it (docs/runbook.md).
resource "google_pubsub_subscription" "dead" {
  name                       = "${var.name}-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = "604800s"
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves messages there.
resource "google_pubsub_topic_iam_member" "dead" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_subscription_iam_member" "dead" {
  subscription = google_pubsub_subscription.events.id
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
