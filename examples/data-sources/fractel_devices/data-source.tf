data "fractel_devices" "apps" {
  type = "App"
}

# Groups the IDs by name, because several devices can have the same name.
output "apps" {
  value = { for id, device in data.fractel_devices.apps.devices : coalesce(device.name, "unnamed") => id... }
}
