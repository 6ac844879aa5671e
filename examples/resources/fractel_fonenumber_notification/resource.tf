# Calls a webhook about each received message. The reference lets Terraform plan the delivery first.
resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551212"
  type       = "Email"
  value      = "support@example.com"
}

resource "fractel_fonenumber_notification" "support" {
  fonenumber = fractel_fonenumber_delivery.support.fonenumber
  event      = "receive"
  type       = "Callback"
  value      = "https://hooks.example.com/received"
  url_method = "JSON"
}
