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

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-redis"
  description = "Redis of ${var.name}: from the cluster only, and nowhere to"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "cluster" {
  security_group_id            = aws_security_group.this.id
  description                  = "From the pods of the cluster"
  referenced_security_group_id = var.client_group
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# Two nodes in two zones; the second takes over by itself.
resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.name
  description                = "Cache of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.small"
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  snapshot_retention_limit   = 7
  auto_minor_version_upgrade = true
}

output "address" {
  description = "Where the cache answers, with TLS."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}
