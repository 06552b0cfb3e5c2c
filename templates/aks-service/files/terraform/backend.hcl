# Where the state lies (terraform/bootstrap makes it). Names, no secrets.
resource_group_name  = "<{ resource_group }>"
storage_account_name = "<{ acr }>tfstate"
container_name       = "tfstate"
