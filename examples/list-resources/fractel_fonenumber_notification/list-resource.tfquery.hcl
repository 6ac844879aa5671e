list "fractel_fonenumber_notification" "all" {
  provider         = fractel
  include_resource = true
  limit            = 10000
}
