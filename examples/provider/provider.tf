terraform {
  required_providers {
    fractel = {
      source = "fractel/fractel"
    }
  }
}

# Credentials come from the environment: FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN.
provider "fractel" {}
