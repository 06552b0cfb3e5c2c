# One cluster with the namespaces staging and production; what holds data is in private subnets and only the cluster reaches it.
module "vpc" {
  source = "./modules/vpc"

  name    = var.cluster
  cluster = var.cluster
  region  = var.region
  cidr    = "<{ edge_cidr }>"
}

module "ecr" {
  source = "./modules/ecr"

  name = var.name
}

module "identity" {
  source = "./modules/identity"

  name           = var.name
  repository     = var.repository
  gitlab_url     = var.gitlab_url
  ecr_arn        = module.ecr.arn
  cluster_arn    = module.eks.arn
  release_branch = "main"
}

module "eks" {
  source = "./modules/eks"

  name        = var.cluster
  service     = var.name
  subnet_ids  = module.vpc.private_subnet_ids
  admin_cidrs = var.admin_cidrs
  deploy_role = module.identity.deploy_role_arn
}
<% if database %>

module "rds" {
  source = "./modules/rds"

  name         = var.name
  vpc_id       = module.vpc.id
  subnet_ids   = module.vpc.private_subnet_ids
  client_group = module.eks.node_security_group_id
}
<% endif %>
<% if redis %>

module "redis" {
  source = "./modules/redis"

  name         = var.name
  vpc_id       = module.vpc.id
  subnet_ids   = module.vpc.private_subnet_ids
  client_group = module.eks.node_security_group_id
}
<% endif %>
<% if queue %>

module "mq" {
  source = "./modules/mq"

  name         = var.name
  vpc_id       = module.vpc.id
  subnet_ids   = module.vpc.private_subnet_ids
  client_group = module.eks.node_security_group_id
}
<% endif %>

output "gitlab_variables" {
  description = "Set these as CI/CD variables of the project (protected, not secret)."
  value = {
    AWS_BUILD_ROLE  = module.identity.build_role_arn
    AWS_DEPLOY_ROLE = module.identity.deploy_role_arn
    IMAGE           = module.ecr.url
  }
}
