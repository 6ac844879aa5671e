data "fractel_fonenumbers" "branches" {
  area_code = "321"
  group     = "Branches"
}

# The result is keyed by FoneNumber, as for_each likes it. Do not select by `type` what the configuration itself delivers
# in another way: the next plan would not find it anymore, and destroy it.
resource "fractel_fonenumber_delivery" "branch" {
  for_each   = data.fractel_fonenumbers.branches.fonenumbers
  fonenumber = each.key
  type       = "Email"
  value      = "${each.key}@branches.example.com"
}
