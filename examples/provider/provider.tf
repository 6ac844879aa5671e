terraform {
  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

# Reads the credentials from FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN.
provider "fractel" {}
