variable "project_id" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Region of everything that has one."
}

variable "name" {
  type        = string
  description = "Name of the service; part of the names of its accounts."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "2 to 20 of a-z, 0-9 and '-': service accounts have at most 30 characters."
  }
}

variable "repository" {
  type        = string
  description = "owner/name of the GitHub repository whose workflows may act."
}

variable "branch" {
  type        = string
  description = "The only branch that may build a release."
  default     = "main"
}
