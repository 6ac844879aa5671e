variable "hook_password" {
  description = "Password of the callback URL."
  type        = string
  sensitive   = true
  ephemeral   = true
}

# FoneStorm authenticates to the webhook. The password is never in a plan or the state.
resource "fractel_fonenumber_delivery" "billing" {
  fonenumber              = "3215551203"
  type                    = "URL"
  value                   = "https://billing.example.com/sms?id={{uid}}"
  url_username            = "fonestorm"
  url_password_wo         = var.hook_password
  url_password_wo_version = 1 # Increment it to send a changed password.
}
