# Ensures that nothing is notified about received messages.
resource "fractel_fonenumber_notification" "quiet" {
  fonenumber = "3215551205"
  event      = "receive"
  type       = "None"
}
