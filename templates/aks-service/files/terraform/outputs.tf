# What GitHub has to know: repository variables, not secrets.
output "github_variables" {
  description = "Set these as variables of the repository, with AZURE_TENANT_ID and AZURE_SUBSCRIPTION_ID."
  value = {
    AZURE_BUILD_CLIENT_ID  = azurerm_user_assigned_identity.build.client_id
    AZURE_DEPLOY_CLIENT_ID = azurerm_user_assigned_identity.deploy.client_id
  }
}

output "deploy_principal_id" {
  description = "Who deploys, as the cluster sees it: bound to the Role deployer."
  value       = azurerm_user_assigned_identity.deploy.principal_id
}
