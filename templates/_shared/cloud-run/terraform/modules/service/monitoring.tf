resource "google_monitoring_notification_channel" "team" {
  display_name = "${var.name}: the team"
  type         = "email"
  labels = {
    email_address = var.notify_email
  }
}

locals {
  errors = "sum(rate(http_requests_total{service=\"${var.name}\",code=~\"5..\"}[%s])) / sum(rate(http_requests_total{service=\"${var.name}\"}[%s])) > %s"
  # Two windows each: the long one says that it matters, the short one that it still goes on. The numbers are those of monitoring/.
  burns = {
    fast = { factor = 14.4, long = "1h", short = "5m" }
    slow = { factor = 6, long = "6h", short = "30m" }
  }
}

# The alerts of monitoring/, for Google's Prometheus: Cloud Run has no cluster that could hold rules.
resource "google_monitoring_alert_policy" "budget" {
  for_each     = local.burns
  display_name = "${var.name}: the error budget burns (${each.key})"
  combiner     = "AND"
  severity     = "CRITICAL"

  dynamic "conditions" {
    for_each = [each.value.long, each.value.short]
    content {
      display_name = "5xx over ${conditions.value}"
      condition_prometheus_query_language {
        query               = format(local.errors, conditions.value, conditions.value, each.value.factor * <{ budget }>)
        duration            = "0s"
        evaluation_interval = "60s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "[Runbook](<{ docs_url }>/runbook.md#errors)"
  }

  notification_channels = [google_monitoring_notification_channel.team.id]
}
<% if events %>

# What could not be handled lies there and waits for a person.
resource "google_monitoring_alert_policy" "dead_letters" {
  display_name = "${var.name}: messages were put aside"
  combiner     = "OR"
  severity     = "WARNING"

  conditions {
    display_name = "Undelivered messages in the dead-letter subscription"
    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" resource.type=\"pubsub_subscription\" resource.labels.subscription_id=\"${google_pubsub_subscription.dead.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "300s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "[Runbook](<{ docs_url }>/runbook.md#messages)"
  }

  notification_channels = [google_monitoring_notification_channel.team.id]
}
<% endif %>

resource "google_monitoring_dashboard" "service" {
  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = "2"
      widgets = [
        for title, query in {
          "Requests a second, by code"     = "sum by (code) (rate(http_requests_total{service=\"${var.name}\"}[5m]))"
          "Share of 5xx"                   = "sum(rate(http_requests_total{service=\"${var.name}\",code=~\"5..\"}[5m])) / sum(rate(http_requests_total{service=\"${var.name}\"}[5m]))"
          "Slowest 5 % begin at (seconds)" = "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service=\"${var.name}\"}[5m])))"
          } : {
          title = title
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = query }
            }]
          }
        }
      ]
    }
  })
}
