# Requires no account: `terraform test` sends no requests to FoneStorm.
mock_provider "fractel" {}

variables {
  fonenumbers = {
    "3215550100" = "ops@example.com"
    "3215550101" = "https://hooks.example.com/sms?msg={{msg}}"
    "3215550102" = "3215551111"
    "3215550103" = "987123543678"
    "3215550104" = null
  }
}

run "derives_types" {
  command = plan

  assert {
    condition = { for number, delivery in fractel_fonenumber_delivery.this : number => delivery.type } == {
      "3215550100" = "Email"
      "3215550101" = "URL"
      "3215550102" = "Forward"
      "3215550103" = "Device"
      "3215550104" = "None"
    }
    error_message = "A type does not follow from its destination."
  }

  assert {
    condition     = alltrue([for delivery in fractel_fonenumber_delivery.this : delivery.on_destroy == "keep"])
    error_message = "A destroy would delete messages."
  }
}

run "lists_fonenumbers_that_delete_messages" {
  assert {
    condition     = output.deleting == ["3215550104"] && output.by_type["Email"] == ["3215550100"]
    error_message = "The outputs do not match the deliveries."
  }
}

run "rejects_punctuation_in_a_fonenumber" {
  command = plan

  variables {
    fonenumbers = { "+1 (321) 555-0100" = "ops@example.com" }
  }

  expect_failures = [var.fonenumbers]
}

run "rejects_an_invalid_destination" {
  command = plan

  variables {
    fonenumbers = { "3215550100" = "the front desk" }
  }

  expect_failures = [var.fonenumbers]
}
