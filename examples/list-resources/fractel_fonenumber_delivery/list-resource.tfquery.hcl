list "fractel_fonenumber_delivery" "all" {
  provider         = fractel
  include_resource = true
  limit            = 10000
}
