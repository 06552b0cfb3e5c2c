variable "region" {
  type        = string
  description = "AWS region."
}

variable "name" {
  type        = string
  description = "Name of the service; part of the names of everything here."
}

variable "cluster" {
  type        = string
  description = "Name of the EKS cluster."
}

variable "repository" {
  type        = string
  description = "group/project on GitLab whose pipelines may act."
}

variable "gitlab_url" {
  type        = string
  description = "Address of GitLab, as it stands in its tokens."
  default     = "https://gitlab.com"
}

variable "admin_cidrs" {
  type        = list(string)
  description = "Networks that may reach the cluster's API from outside: an office, a VPN, the runners. Never 0.0.0.0/0."

  validation {
    condition     = !contains(var.admin_cidrs, "0.0.0.0/0")
    error_message = "The API of the cluster is not for everybody."
  }
}
