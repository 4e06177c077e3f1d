"""The local stack: this application on one machine, without Docker and without an AWS account."""
