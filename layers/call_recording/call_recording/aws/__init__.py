"""AWS: the only modules that import botocore and powertools."""
