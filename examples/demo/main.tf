# What `make demo` plans first, for a simulated account: FoneNumber 3215551212 delivers to somebody who has left. The
# README shows this plan as a picture. The provider reads its endpoint and credentials from the environment.
terraform {
  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

provider "fractel" {}

resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = "https://hooks.example.com/sms?msg={{msg}}"
}
