# What `make demo` applies in addition to main.tf.
resource "fractel_fonenumber_delivery" "front_desk" {
  fonenumber = "3215551201"
  type       = "Device"
  value      = "987123543678"
}

# Already delivers where it should: import it instead of setting it again.
import {
  to = fractel_fonenumber_delivery.after_hours
  id = "3215551203"
}

resource "fractel_fonenumber_delivery" "after_hours" {
  fonenumber = "3215551203"
  type       = "Forward"
  value      = "3215551111"
}

resource "fractel_fonenumber_delivery" "operations" {
  fonenumber = "3215551204"
  type       = "Email"
  value      = "ops@example.com"
}
