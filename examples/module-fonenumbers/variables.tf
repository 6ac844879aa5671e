variable "fonenumbers" {
  description = "Destination of each FoneNumber: an e-mail address, a callback URL, a ten-digit telephone number, the ID of a device (11 or more digits), or null to delete messages upon receipt."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for number in keys(var.fonenumbers) : can(regex("^[0-9]{10}$", number))])
    error_message = "Each FoneNumber must contain exactly ten digits: ${join(", ", [for number in keys(var.fonenumbers) : number if !can(regex("^[0-9]{10}$", number))])}."
  }

  validation {
    condition = alltrue([
      for destination in values(var.fonenumbers) :
      destination == null || can(regex("^(https?://[^/]+.*|[^@ ]+@[^@ ]+|[0-9]{10,})$", destination))
    ])
    error_message = "Each destination must be an e-mail address, a callback URL, a ten-digit telephone number, a device ID, or null."
  }
}

variable "on_destroy" {
  description = "What to do when a delivery is destroyed: \"keep\" leaves it unchanged in FoneStorm, \"disable\" sets type None, so that messages are deleted upon receipt."
  type        = string
  default     = "keep"
}
