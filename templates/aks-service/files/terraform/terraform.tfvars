# Names, no secrets: this file is committed. The subscription comes from the person: export TF_VAR_subscription_id=$(az account show --query id -o tsv)
resource_group = "<{ resource_group }>"
cluster        = "<{ cluster }>"
registry       = "<{ acr }>"
name           = "<{ name }>"
repository     = "<{ repository }>"
branch         = "<{ branch }>"
