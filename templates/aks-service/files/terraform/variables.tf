variable "subscription_id" {
  type        = string
  description = "Azure subscription."
}

variable "resource_group" {
  type        = string
  description = "Resource group of the cluster and the registry."
}

variable "cluster" {
  type        = string
  description = "Name of the AKS cluster."
}

variable "registry" {
  type        = string
  description = "Name of the container registry, without .azurecr.io."
}

variable "name" {
  type        = string
  description = "Name of the service; part of the names of its identities."
}

variable "repository" {
  type        = string
  description = "owner/name of the GitHub repository whose workflows may act."
}

variable "branch" {
  type        = string
  description = "The only branch that may build a release."
}
