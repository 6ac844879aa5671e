data "fractel_fonenumbers" "branches" {
  area_code = "321"
  group     = "Branches"
}

# Do not filter by `type` if the resource changes the type: the next plan would not find the FoneNumber and would destroy its
# delivery.
resource "fractel_fonenumber_delivery" "branch" {
  for_each   = data.fractel_fonenumbers.branches.fonenumbers
  fonenumber = each.key
  type       = "Email"
  value      = "${each.key}@branches.example.com"
}
