terraform {
  required_version = "~> 1.11"
  required_providers {
    # Exact. `terraform init` adds the hashes (.terraform.lock.hcl): commit that file too.
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "4.55.0"
    }
  }

  # terraform init -backend-config=backend.hcl: the names are not in the code. The blob's lease locks the state while it is used; the login is
  # the person's own (Entra ID), no access key.
  backend "azurerm" {
    use_azuread_auth = true
    key              = "<{ name }>.tfstate"
  }
}

provider "azurerm" {
  features {}
  subscription_id     = var.subscription_id
  storage_use_azuread = true
}
