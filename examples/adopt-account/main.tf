# Imports the FoneNumbers of an existing account as they are: a table of where each delivers, and one import block for all.
# The plan shows only imports.
terraform {
  required_version = ">= 1.8"
  required_providers {
    fractel = {
      source  = "fractel/fractel"
      version = "~> 0.1"
    }
  }
}

provider "fractel" {}

# fonenumbers.csv says what the account has: number (punctuation does not matter), type and value.
locals {
  rows = csvdecode(file("${path.module}/fonenumbers.csv"))
  deliveries = {
    for row in local.rows : provider::fractel::normalize_fonenumber(row.fonenumber) => row
  }
}

import {
  for_each = local.deliveries
  to       = fractel_fonenumber_delivery.adopted[each.key]
  id       = each.key
}

resource "fractel_fonenumber_delivery" "adopted" {
  for_each   = local.deliveries
  fonenumber = each.key
  type       = each.value.type
  value      = each.value.value != "" ? each.value.value : null
}

# What the account has and the list does not.
data "fractel_fonenumbers" "all" {}

output "not_managed" {
  value = setsubtract(keys(data.fractel_fonenumbers.all.fonenumbers), keys(local.deliveries))
}
