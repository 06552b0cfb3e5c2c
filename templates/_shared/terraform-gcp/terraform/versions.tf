terraform {
  required_version = "~> 1.11"
  required_providers {
    # Exact. `terraform init` adds the hashes (.terraform.lock.hcl): commit that file too.
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }

  # terraform init -backend-config="bucket=PROJECT-tfstate": no project's name in the code. The backend locks the state while it is used.
  backend "gcs" {
    prefix = "<{ name }>"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
