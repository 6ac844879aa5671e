output "fonenumber" {
  value = provider::fractel::normalize_fonenumber("+1 (321) 555-1212") # "3215551212"
}
