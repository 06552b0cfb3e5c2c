terraform {
  required_version = "~> 1.11"
  required_providers {
    # Exact. `terraform init` adds the hashes (.terraform.lock.hcl): commit that file too.
    aws = {
      source  = "hashicorp/aws"
      version = "6.25.0"
    }
  }

  # terraform init -backend-config="bucket=..." : no account in the code. The lock is an object beside the state (no DynamoDB table needed).
  backend "s3" {
    key          = "<{ name }>/terraform.tfstate"
    region       = "<{ region }>"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      service    = var.name
      managed-by = "terraform"
    }
  }
}
