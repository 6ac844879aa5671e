data "fractel_fonenumbers" "branches" {
  area_code = "321"
  group     = "Branches"
}

# If a FoneNumber leaves the group, the next apply destroys its resource: "keep" prevents that its messages are deleted then. Do not
# filter by `type` if the resource changes the type, because the next plan would not find the FoneNumber.
resource "fractel_fonenumber_delivery" "branch" {
  for_each   = data.fractel_fonenumbers.branches.fonenumbers
  fonenumber = each.key
  type       = "Email"
  value      = "${each.key}@branches.example.com"
  on_destroy = "keep"
}
