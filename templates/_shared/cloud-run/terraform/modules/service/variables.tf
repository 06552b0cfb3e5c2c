variable "project_id" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Region of the service."
}

variable "name" {
  type        = string
  description = "Name of the Cloud Run service."
}

variable "environment" {
  type        = string
  description = "staging or production; told to the service."

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "staging or production."
  }
}

variable "image" {
  type        = string
  description = "Image of the very first revision; ignored afterwards."
}

variable "deployer" {
  type        = string
  description = "E-mail of the account that deploys."
}

variable "min_instances" {
  type        = number
  description = "Instances that are always warm."
}

variable "max_instances" {
  type        = number
  description = "Instances at most: a limit on cost, and on connections to the database."
}

variable "notify_email" {
  type        = string
  description = "Who gets the alerts."
}
