variable "name" {
  type        = string
  description = "Name of the service."
}

variable "repository" {
  type        = string
  description = "group/project on GitLab."
}

variable "gitlab_url" {
  type        = string
  description = "Address of GitLab."
}

variable "release_branch" {
  type        = string
  description = "The only branch whose pipelines may act; protect it."
}

variable "ecr_arn" {
  type        = string
  description = "Repository that may be pushed to."
}

variable "cluster_arn" {
  type        = string
  description = "Cluster that may be deployed to."
}

locals {
  host = trimprefix(var.gitlab_url, "https://")
}

# GitLab proves who it is with a token of the job; no access key is stored anywhere.
resource "aws_iam_openid_connect_provider" "gitlab" {
  url            = var.gitlab_url
  client_id_list = [var.gitlab_url]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.gitlab.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:aud"
      values   = [var.gitlab_url]
    }
    # Exact: this project, this branch. A star here would let in every fork and every branch.
    condition {
      test     = "StringEquals"
      variable = "${local.host}:sub"
      values   = ["project_path:${var.repository}:ref_type:branch:ref:${var.release_branch}"]
    }
  }
}

# Two roles: what builds cannot deploy, and what deploys cannot push.
resource "aws_iam_role" "build" {
  name                 = "${var.name}-build"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

resource "aws_iam_role" "deploy" {
  name                 = "${var.name}-deploy"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "build" {
  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage", "ecr:DescribeImages"]
    resources = [var.ecr_arn]
  }
  # Has no resource of its own.
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "build" {
  role   = aws_iam_role.build.id
  policy = data.aws_iam_policy_document.build.json
}

# Finds the cluster; what it may do there is the Role in deploy/platform, in two namespaces.
data "aws_iam_policy_document" "deploy" {
  statement {
    actions   = ["eks:DescribeCluster"]
    resources = [var.cluster_arn]
  }
}

resource "aws_iam_role_policy" "deploy" {
  role   = aws_iam_role.deploy.id
  policy = data.aws_iam_policy_document.deploy.json
}

output "build_role_arn" {
  description = "Pushes images."
  value       = aws_iam_role.build.arn
}

output "deploy_role_arn" {
  description = "Deploys."
  value       = aws_iam_role.deploy.arn
}
