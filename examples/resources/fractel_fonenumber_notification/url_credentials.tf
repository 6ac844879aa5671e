variable "hook_password" {
  description = "Password of the callback URL."
  type        = string
  sensitive   = true
  ephemeral   = true
}

# The password is in neither the plan nor the state. Increment the version to send a changed password.
resource "fractel_fonenumber_notification" "support" {
  fonenumber              = "3215551212"
  event                   = "receive"
  type                    = "Callback"
  value                   = "https://hooks.example.com/received"
  url_method              = "JSON"
  url_username            = "fonestorm"
  url_password_wo         = var.hook_password
  url_password_wo_version = 1
}
