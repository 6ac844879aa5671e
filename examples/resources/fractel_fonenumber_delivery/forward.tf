# Forwards messages to another telephone number, and continues to do so after the resource is destroyed.
resource "fractel_fonenumber_delivery" "after_hours" {
  fonenumber = "3215551204"
  type       = "Forward"
  value      = "3215551111"
  on_destroy = "keep"
}
