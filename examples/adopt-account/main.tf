# Imports the FoneNumbers in fonenumbers.csv without changing them. The plan shows imports and no changes.
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

# fonenumbers.csv contains the FoneNumbers of the account, in any format, with the type and value of each delivery.
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

# Lists the FoneNumbers that fonenumbers.csv does not contain.
data "fractel_fonenumbers" "all" {}

output "not_managed" {
  value = setsubtract(keys(data.fractel_fonenumbers.all.fonenumbers), keys(local.deliveries))
}
