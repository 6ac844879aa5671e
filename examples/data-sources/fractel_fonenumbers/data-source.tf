data "fractel_fonenumbers" "branches" {
  area_code = "321"
  group     = "Branches"
}

# The result is a map by FoneNumber, as for_each needs it. Do not select by `type` if the resource changes it: the next plan
# would not find the FoneNumber anymore, and would destroy its delivery.
resource "fractel_fonenumber_delivery" "branch" {
  for_each   = data.fractel_fonenumbers.branches.fonenumbers
  fonenumber = each.key
  type       = "Email"
  value      = "${each.key}@branches.example.com"
}
