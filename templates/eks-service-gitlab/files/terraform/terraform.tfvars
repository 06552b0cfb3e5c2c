# Names, no secrets: this file is committed.
region     = "<{ region }>"
name       = "<{ name }>"
cluster    = "<{ cluster }>"
repository = "<{ repository }>"
# Documentation addresses: replace by yours, or nobody gets in.
admin_cidrs = ["203.0.113.0/24"]
