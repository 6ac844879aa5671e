data "fractel_fonenumber" "support" {
  fonenumber = "3215551212"
}

output "support_is_delivered" {
  value = data.fractel_fonenumber.support.active && data.fractel_fonenumber.support.type != "None"
}
