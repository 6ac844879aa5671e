list "fractel_fonenumber_notification" "hooks" {
  provider = fractel

  config {
    event     = "receive"
    type      = "Callback"
    area_code = "321"
  }
}
