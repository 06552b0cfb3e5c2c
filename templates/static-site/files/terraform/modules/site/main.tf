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
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Where the bucket lies."
}

variable "name" {
  type        = string
  description = "Name of everything here."
}

variable "host" {
  type        = string
  description = "Name that visitors type."
}

variable "deployer" {
  type        = string
  description = "E-mail of the account that deploys."
}

resource "google_storage_bucket" "site" {
  name                        = "${var.project_id}-${var.name}"
  location                    = var.region
  uniform_bucket_level_access = true

  website {
    main_page_suffix = "index.html"
    not_found_page   = "index.html"
  }

  versioning {
    enabled = true
  }

  # Assets of releases of long ago: nobody has their pages open any more. The files of the current release are written by it, or were younger.
  lifecycle_rule {
    condition {
      num_newer_versions = 5
    }
    action {
      type = "Delete"
    }
  }
}

# A public website is public: that is what it is for. Only reading, only this bucket, and no listing (legacyObjectReader has no list).
resource "google_storage_bucket_iam_member" "visitors" {
  bucket = google_storage_bucket.site.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

# Writes the objects of this bucket; cannot change who may read it.
resource "google_storage_bucket_iam_member" "deploy" {
  bucket = google_storage_bucket.site.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.deployer}"
}

resource "google_compute_backend_bucket" "site" {
  name        = var.name
  bucket_name = google_storage_bucket.site.name
  enable_cdn  = true

  cdn_policy {
    # As the objects say: assets for ever, pages never.
    cache_mode = "USE_ORIGIN_HEADERS"
  }

  custom_response_headers = [
    "Strict-Transport-Security: max-age=31536000; includeSubDomains",
    "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: strict-origin-when-cross-origin",
  ]
}

resource "google_compute_url_map" "site" {
  name            = var.name
  default_service = google_compute_backend_bucket.site.id
<% if single_page %>

  # The application routes by itself: an unknown path is its page, with 200, so that it is no error for search engines and alerts.
  default_custom_error_response_policy {
    error_response_rule {
      match_response_codes   = ["404"]
      path                   = "/index.html"
      override_response_code = 200
    }
    error_service = google_compute_backend_bucket.site.id
  }
<% endif %>
}

resource "google_compute_managed_ssl_certificate" "site" {
  name = var.name
  managed {
    domains = [var.host]
  }
}

resource "google_compute_ssl_policy" "site" {
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "site" {
  name             = var.name
  url_map          = google_compute_url_map.site.id
  ssl_certificates = [google_compute_managed_ssl_certificate.site.id]
  ssl_policy       = google_compute_ssl_policy.site.id
}

resource "google_compute_global_address" "site" {
  name = var.name
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "${var.name}-https"
  target                = google_compute_target_https_proxy.site.id
  ip_address            = google_compute_global_address.site.id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

# Plain HTTP only says where to go.
resource "google_compute_url_map" "redirect" {
  name = "${var.name}-redirect"
  default_url_redirect {
    https_redirect         = true
    strip_query            = false
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  name    = "${var.name}-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "http" {
  name                  = "${var.name}-http"
  target                = google_compute_target_http_proxy.redirect.id
  ip_address            = google_compute_global_address.site.id
  port_range            = "80"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

output "address" {
  description = "Address of the load balancer."
  value       = google_compute_global_address.site.address
}
