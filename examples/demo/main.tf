# One FoneNumber of each type. `make demo` applies this to a simulated account; the provider takes its endpoint and
# credentials from the environment.
terraform {
  required_providers {
    fractel = {
      source = "fractel/fractel"
    }
  }
}

provider "fractel" {}

variable "hook_password" {
  description = "Password of the callback URL."
  type        = string
  sensitive   = true
}

resource "fractel_fonenumber_delivery" "front_desk" {
  fonenumber = "3215551201"
  type       = "Device"
  value      = "987123543678"
}

resource "fractel_fonenumber_delivery" "operations" {
  fonenumber = "3215551202"
  type       = "Email"
  value      = "ops@example.com"
}

resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551203"
  type       = "URL"
  value      = "https://hooks.example.com/sms?from={{from}}&msg={{msg}}"
}

resource "fractel_fonenumber_delivery" "billing" {
  fonenumber   = "3215551204"
  type         = "URL"
  value        = "https://billing.example.com/sms?id={{uid}}"
  url_username = "fonestorm"
  url_password = var.hook_password # With Terraform 1.11 or newer, url_password_wo keeps it out of the state.
}

resource "fractel_fonenumber_delivery" "after_hours" {
  fonenumber = "3215551205"
  type       = "Forward"
  value      = "3215551111"
}

resource "fractel_fonenumber_delivery" "retired" {
  fonenumber = "3215551206"
  type       = "None"
}
