output "by_type" {
  description = "FoneNumbers by type of delivery."
  value       = { for number, type in local.types : type => number... }
}

output "deleting" {
  description = "FoneNumbers whose messages are deleted upon receipt."
  value       = [for number, type in local.types : number if type == "None"]
}
