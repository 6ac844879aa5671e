variable "hook_password" {
  description = "Password of the callback URL."
  type        = string
  sensitive   = true
  ephemeral   = true
}

# Delivers messages to a webhook that requires authentication. The password is not stored in plans or the state.
resource "fractel_fonenumber_delivery" "billing" {
  fonenumber              = "3215551203"
  type                    = "URL"
  value                   = "https://billing.example.com/sms?id={{uid}}"
  url_username            = "fonestorm"
  url_password_wo         = var.hook_password
  url_password_wo_version = 1 # Increment this to send a changed password.
}
