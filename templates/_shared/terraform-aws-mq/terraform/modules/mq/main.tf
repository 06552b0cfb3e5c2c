variable "name" {
  type        = string
  description = "Name of the service."
}

variable "vpc_id" {
  type        = string
  description = "The network."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets of at least two zones."
}

variable "client_group" {
  type        = string
  description = "The only security group that may connect."
}


resource "aws_security_group" "this" {
  name        = "${var.name}-queue"
  description = "Message broker of ${var.name}: from the cluster only, and nowhere to"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "cluster" {
  security_group_id            = aws_security_group.this.id
  description                  = "From the pods of the cluster"
  referenced_security_group_id = var.client_group
  ip_protocol                  = "tcp"
  from_port                    = 5671
  to_port                      = 5671
}

# A person puts the password in (docs/deployment.md); the broker reads it once.
data "aws_secretsmanager_secret_version" "password" {
  secret_id = "${var.name}-mq-password"
}

resource "aws_mq_broker" "this" {
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = "3.13"
  auto_minor_version_upgrade = true
  host_instance_type         = "mq.m5.large"
  # Three nodes in several zones.
  deployment_mode     = "CLUSTER_MULTI_AZ"
  publicly_accessible = false
  subnet_ids          = var.subnet_ids
  security_groups     = [aws_security_group.this.id]

  user {
    username = replace(var.name, "-", "_")
    password = data.aws_secretsmanager_secret_version.password.secret_string
  }

  logs {
    general = true
  }
}

output "endpoints" {
  description = "Where the broker answers, with TLS."
  value       = aws_mq_broker.this.instances[*].endpoints
}
