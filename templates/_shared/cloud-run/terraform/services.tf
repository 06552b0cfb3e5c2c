# The same module twice: what differs between the environments stands here and nowhere else.
locals {
  # Only for the very first apply, when there is no release yet; the pipeline and the portal own the image after that.
  placeholder = "us-docker.pkg.dev/cloudrun/container/hello"
}

module "staging" {
  source = "./modules/service"

  project_id    = var.project_id
  region        = var.region
  name          = "${var.name}-staging"
  environment   = "staging"
  image         = local.placeholder
  deployer      = google_service_account.deploy.email
  min_instances = 0
  max_instances = 2
  notify_email  = var.notify_email
}

module "production" {
  source = "./modules/service"

  project_id  = var.project_id
  region      = var.region
  name        = var.name
  environment = "production"
  image       = local.placeholder
  deployer    = google_service_account.deploy.email
  # One is always warm: the objective counts the first request too.
  min_instances = 1
  max_instances = 20
  notify_email  = var.notify_email
}

variable "notify_email" {
  type        = string
  description = "Who gets the alerts of Cloud Monitoring: an address of the team, not of a person."
}

output "urls" {
  description = "Where the services answer."
  value       = { staging = module.staging.url, production = module.production.url }
}
