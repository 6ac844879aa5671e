terraform {
  required_version = ">= 1.5"

  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

# Acts on the billing account, with FRACTEL_USERNAME and FRACTEL_PASSWORD.
provider "fractel" {}

provider "fractel" {
  alias      = "retail"
  subaccount = "2000000001"
}

provider "fractel" {
  alias      = "clinics"
  subaccount = "2000000002"
}

locals {
  billing = {
    "3215550100" = "ops@example.com"
  }
  retail = {
    "3215550200" = "north@example.com"
    "3215550201" = "south@example.com"
  }
  clinics = {
    "3215550300" = "https://hooks.example.com/sms?from={{from}}&msg={{msg}}"
  }
}

resource "fractel_fonenumber_delivery" "billing" {
  for_each   = local.billing
  fonenumber = each.key
  type       = "Email"
  value      = each.value
}

resource "fractel_fonenumber_delivery" "retail" {
  provider   = fractel.retail
  for_each   = local.retail
  fonenumber = each.key
  type       = "Email"
  value      = each.value
}

resource "fractel_fonenumber_delivery" "clinics" {
  provider   = fractel.clinics
  for_each   = local.clinics
  fonenumber = each.key
  type       = "URL"
  value      = each.value
}
