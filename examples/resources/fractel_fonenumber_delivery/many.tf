# Use a map in a local value instead of an inline toset(), which is slow for many FoneNumbers.
locals {
  mailboxes = {
    "3215551206" = "north@example.com"
    "3215551207" = "south@example.com"
  }
}

resource "fractel_fonenumber_delivery" "branch" {
  for_each   = local.mailboxes
  fonenumber = each.key
  type       = "Email"
  value      = each.value
}
