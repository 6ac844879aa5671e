# Delivers messages to a webhook.
resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = "https://hooks.example.com/sms?from={{from}}&msg={{msg}}"
}
