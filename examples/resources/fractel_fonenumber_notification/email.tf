# Sends an e-mail about each sent message.
resource "fractel_fonenumber_notification" "sent" {
  fonenumber = "3215551202"
  event      = "send"
  type       = "Email"
  value      = "archive@example.com"
}
