# Delivers messages to an e-mail address.
resource "fractel_fonenumber_delivery" "operations" {
  fonenumber = "3215551202"
  type       = "Email"
  value      = "ops@example.com"
}
