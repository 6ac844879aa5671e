# What `make demo` plans first, for a simulated account: FoneNumber 3215551202 delivers to somebody who has left. The
# provider reads its endpoint and credentials from the environment.
terraform {
  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

provider "fractel" {}

resource "fractel_fonenumber_delivery" "billing" {
  fonenumber = "3215551202"
  type       = "URL"
  value      = "https://billing.example.com/sms?msg={{msg}}"
}
