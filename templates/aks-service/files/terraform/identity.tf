# GitHub proves who it is with a token of the run: federated credentials. There is no client secret, so none can leak, and nothing is
# Contributor of a subscription.
data "azurerm_resource_group" "platform" {
  name = var.resource_group
}

data "azurerm_kubernetes_cluster" "platform" {
  name                = var.cluster
  resource_group_name = var.resource_group
}

data "azurerm_container_registry" "platform" {
  name                = var.registry
  resource_group_name = var.resource_group
}

# Two identities: what builds cannot deploy, and what deploys cannot push.
resource "azurerm_user_assigned_identity" "build" {
  name                = "${var.name}-build"
  resource_group_name = data.azurerm_resource_group.platform.name
  location            = data.azurerm_resource_group.platform.location
}

resource "azurerm_user_assigned_identity" "deploy" {
  name                = "${var.name}-deploy"
  resource_group_name = data.azurerm_resource_group.platform.name
  location            = data.azurerm_resource_group.platform.location
}

# The subject is exact: builds only from the branch of releases, deployments only from jobs that a GitHub environment let through.
resource "azurerm_federated_identity_credential" "build" {
  name                = "github-${var.branch}"
  resource_group_name = data.azurerm_resource_group.platform.name
  parent_id           = azurerm_user_assigned_identity.build.id
  audience            = ["api://AzureADTokenExchange"]
  issuer              = "https://token.actions.githubusercontent.com"
  subject             = "repo:${var.repository}:ref:refs/heads/${var.branch}"
}

resource "azurerm_federated_identity_credential" "deploy" {
  for_each            = toset(["staging", "production"])
  name                = "github-${each.key}"
  resource_group_name = data.azurerm_resource_group.platform.name
  parent_id           = azurerm_user_assigned_identity.deploy.id
  audience            = ["api://AzureADTokenExchange"]
  issuer              = "https://token.actions.githubusercontent.com"
  subject             = "repo:${var.repository}:environment:${each.key}"
}

# May push to this registry.
resource "azurerm_role_assignment" "push" {
  scope                = data.azurerm_container_registry.platform.id
  role_definition_name = "AcrPush"
  principal_id         = azurerm_user_assigned_identity.build.principal_id
}

# May log in to this cluster. What it may do there is the Role in deploy/platform, in two namespaces.
resource "azurerm_role_assignment" "login" {
  scope                = data.azurerm_kubernetes_cluster.platform.id
  role_definition_name = "Azure Kubernetes Service Cluster User Role"
  principal_id         = azurerm_user_assigned_identity.deploy.principal_id
}
