list "fractel_fonenumber_delivery" "hooks" {
  provider = fractel

  config {
    type      = "URL"
    group     = "Support"
    area_code = "321"
  }
}
