# Once, by a person, with a local state: the account that holds every other state.
#   terraform init && terraform apply -var subscription_id=... -var resource_group=<{ resource_group }>
terraform {
  required_version = "~> 1.11"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "4.55.0"
    }
  }
}

variable "subscription_id" {
  type        = string
  description = "Azure subscription."
}

variable "resource_group" {
  type        = string
  description = "Resource group that the state lies in."
}

provider "azurerm" {
  features {}
  subscription_id     = var.subscription_id
  storage_use_azuread = true
}

data "azurerm_resource_group" "platform" {
  name = var.resource_group
}

resource "azurerm_storage_account" "state" {
  name                            = "<{ acr }>tfstate"
  resource_group_name             = data.azurerm_resource_group.platform.name
  location                        = data.azurerm_resource_group.platform.location
  account_tier                    = "Standard"
  account_replication_type        = "GZRS"
  min_tls_version                 = "TLS1_2"
  https_traffic_only_enabled      = true
  allow_nested_items_to_be_public = false
  # People log in with their own account; there is no key to lose.
  shared_access_key_enabled       = false
  default_to_oauth_authentication = true

  blob_properties {
    versioning_enabled = true
    delete_retention_policy {
      days = 30
    }
    container_delete_retention_policy {
      days = 30
    }
  }

  sas_policy {
    expiration_period = "01.00:00:00"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "state" {
  name                  = "tfstate"
  storage_account_id    = azurerm_storage_account.state.id
  container_access_type = "private"
}
