terraform {
  required_version = ">= 1.7"

  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

locals {
  # Derives the type from the format of the destination.
  types = {
    for number, destination in var.fonenumbers : number => (
      destination == null ? "None" :
      can(regex("^https?://", destination)) ? "URL" :
      can(regex("@", destination)) ? "Email" :
      can(regex("^[0-9]{10}$", destination)) ? "Forward" : "Device"
    )
  }
}

resource "fractel_fonenumber_delivery" "this" {
  for_each   = var.fonenumbers
  fonenumber = each.key
  type       = local.types[each.key]
  value      = each.value
  on_destroy = var.on_destroy
}
